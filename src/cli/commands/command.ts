// What the newer commands share: options every one has, a connection that is closed again, errors in plain words.
import type { Client } from '../../client/client.ts';
import { safeJson } from '../../platform/unsafe-text.ts';
import { errorClasses, MqError } from '../../protocol/errors.ts';
import { type ConnectOptions, connectTo } from '../connect/connect.ts';
import { exitCodes } from '../exit-codes.ts';
import { Interrupted } from '../interrupt.ts';
import { type OptionSpec, type ParsedOptions, parseOptions } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options of every command. */
const everywhere = { server: { kind: 'text' }, 'no-color': { kind: 'flag' } } as const;

export interface CommandContext<Name extends string> {
  readonly options: ParsedOptions<Name | keyof typeof everywhere>;
  readonly terminal: Terminal;
  readonly connect: (options?: ConnectOptions) => Promise<Client>;
}

/**
 * Parses the options, runs the command and tells what went wrong.
 *
 * @param work returns the exit code; the connection that it opens is closed for it
 */
export async function runCommand<Name extends string>(
  command: string,
  argv: readonly string[],
  terminal: Terminal,
  specs: Readonly<Record<Name, OptionSpec>>,
  work: (context: CommandContext<Name>) => Promise<number>,
): Promise<number> {
  let client: Client | undefined;
  try {
    const options = parseOptions(command, argv, { ...specs, ...everywhere } as Record<
      Name | keyof typeof everywhere,
      OptionSpec
    >);
    if (options.flags.has('no-color')) terminal.hasNoColour = true;
    if (options.wantsHelp) {
      const { commandHelp } = await import('../help/help.ts');
      terminal.print(commandHelp(command));
      return 0;
    }
    const connect = async (more?: ConnectOptions) => {
      client = await connectTo(options.texts.get('server'), more);
      return client;
    };
    return await work({ options, terminal, connect });
  } catch (error) {
    return tellFailure(error, terminal, { isJson: Object.hasOwn(specs, 'json') && argv.includes('--json') });
  } finally {
    terminal.wipe();
    client?.close();
  }
}

/** Says what went wrong, for programs as an object on a line of its own. Returns the exit code. */
export function tellFailure(error: unknown, terminal: Terminal, { isJson }: { isJson: boolean }): number {
  if (error instanceof Interrupted) return exitCodes.failed;
  if (!(error instanceof MqError)) throw error;
  const { code, message, details } = error;
  const exit = errorClasses[code].exit;
  if (isJson) terminal.complain(safeJson(JSON.stringify({ error: { code, message, exit, details } })));
  else terminal.complain(`mq: ${escapeText(message)}`);
  return exit;
}

/** For programs: the whole value, on lines of its own. */
export function jsonLines(value: unknown): string[] {
  return safeJson(JSON.stringify(value, undefined, 2)).split('\n');
}

/** Columns that a table on stdout may take: those of the terminal, or any number where it goes into a file. */
export function tableWidth({ stdout }: Terminal): number | undefined {
  return stdout.isTTY === true ? stdout.columns || 80 : undefined;
}
