// What the newer commands share: options every one has, a connection that is closed again, errors in plain words.
import type { Client } from '../../client/client.ts';
import { errorClasses, MqError } from '../../protocol/errors.ts';
import { type ConnectOptions, connectTo } from '../connect/connect.ts';
import { Interrupted } from '../interrupt.ts';
import { type OptionSpec, type ParsedOptions, parseOptions } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface CommandContext<Name extends string> {
  readonly options: ParsedOptions<Name | 'server'>;
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
    const options = parseOptions(command, argv, { ...specs, server: { kind: 'text' } } as Record<
      Name | 'server',
      OptionSpec
    >);
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
    return fail(error, terminal);
  } finally {
    terminal.wipe();
    client?.close();
  }
}

function fail(error: unknown, terminal: Terminal): number {
  if (error instanceof Interrupted) return 1;
  if (!(error instanceof MqError)) throw error;
  terminal.complain(`mq: ${escapeText(error.message)}`);
  return errorClasses[error.code].exit;
}

/** For programs: the whole value, on lines of its own. */
export function jsonLines(value: unknown): string[] {
  return JSON.stringify(value, undefined, 2).split('\n');
}

/** Columns that a table on stdout may take: those of the terminal, or any number where it goes into a file. */
export function tableWidth({ stdout }: Terminal): number | undefined {
  return stdout.isTTY === true ? stdout.columns || 80 : undefined;
}
