// Power by command: the lab's own programs switch it. Words go to them as they are, and no shell sees them; credentials
// go through the environment, where other users can't read them. Makes processes.

import type { ProcessIdentity } from '../../platform/process-table.ts';
import { endTree } from '../../platform/process-tree.ts';
import type { BoardExit, PowerStatus } from '../board/contract.ts';
import { runProgram } from '../program.ts';
import { type EnvironmentSource, readEnvironment } from '../secret.ts';
import type { PowerDriver, PowerHooks } from './contract.ts';

export interface CommandPowerOptions {
  /** A program with its words. */
  readonly powerOn: readonly string[];
  readonly powerOff: readonly string[];
  /** Prints `on` or `off`; the last such word counts. */
  readonly status?: readonly string[];
  /** For the programs' environment. */
  readonly env?: EnvironmentSource;
  /** Ends a run; tests bring one that can't. */
  readonly endTree?: typeof endTree;
}

/** What of a program's output is kept, for an error or a status. */
const keptOutputBytes = 500;
/** From SIGTERM to SIGKILL. */
const graceMilliseconds = 1_000;

export function createCommandPower(options: CommandPowerOptions): PowerDriver {
  const { powerOn, powerOff, status } = options;
  const end = options.endTree ?? endTree;
  /** While one that can't be ended lives, it may switch the board at any time. */
  let findUnended: () => readonly ProcessIdentity[] = () => [];
  const run = async (
    words: readonly string[],
    { onChild, env }: PowerHooks,
    signal: AbortSignal,
  ): Promise<string> => {
    const unended = findUnended();
    if (unended.length > 0) {
      throw new Error(`an earlier power command can't be ended: ${unended.map(({ pid }) => pid).join(', ')}`);
    }
    const { environment, hide } = await readEnvironment(options.env ?? {});
    let output = Buffer.alloc(0);
    const onConsole = (bytes: Uint8Array) => {
      output = Buffer.concat([output, bytes]).subarray(-keptOutputBytes);
    };
    const [path = '', ...rest] = words;
    const program = await runProgram({
      ...{ path, words: rest, takesInput: false, environment, graceMilliseconds, endTree: end, signal },
      // Of a job's hooks those of its console are none of this program's.
      hooks: { ...(onChild && { onChild }), ...(env && { env }), onConsole },
    });
    const exit = await program.exit;
    findUnended = program.findUnended;
    const said = hide(output.toString()).trim();
    if (exit.kind === 'exited' && exit.code === 0) return said;
    const command = words.slice(0, 6).join(' ');
    throw new Error(`'${command}' ${describeExit(exit)}${said === '' ? '' : `: ${said}`}`);
  };
  return {
    powerOn: async (hooks, { signal }) => void (await run(powerOn, hooks, signal)),
    powerOff: async (hooks, { signal }) => void (await run(powerOff, hooks, signal)),
    ...(status && {
      status: async (hooks, { signal }) => readStatus(await run(status, hooks, signal)),
    }),
  };
}

function readStatus(said: string): PowerStatus {
  const word = said
    .match(/\b(on|off)\b/gi)
    ?.at(-1)
    ?.toLowerCase();
  return word === 'on' || word === 'off' ? word : 'unknown';
}

function describeExit(exit: BoardExit): string {
  if (exit.kind === 'exited') return `exited with code ${exit.code}`;
  if (exit.kind === 'signalled') return `was ended by ${exit.signal}`;
  if (exit.kind === 'stopped') return 'was not done in time';
  return exit.message;
}
