// Console by exec: a program's input and output are the console, as with conserver's `console -M HOST BOARD`. It is
// ended with all that it started.

import { endTree } from '../../platform/process-tree.ts';
import type { BoardExit } from '../board/contract.ts';
import { runProgram } from '../program.ts';
import type { ConsoleDriver } from './contract.ts';

export interface ExecConsoleOptions {
  /** A program with its words; no shell sees them. */
  readonly command: readonly string[];
}

/** From SIGTERM to SIGKILL. */
const graceMilliseconds = 2_000;

export function createExecConsole({ command }: ExecConsoleOptions): ConsoleDriver {
  const [path = '', ...words] = command;
  return {
    name: `the console program '${command.slice(0, 6).join(' ')}'`,
    async connect(hooks, { signal }) {
      signal.throwIfAborted();
      const call = { path, words, takesInput: true, graceMilliseconds, endTree, hooks, signal };
      const program = await runProgram(call);
      if (program.wasStarted) {
        return {
          down: program.exit.then(describeExit),
          write: (bytes) => program.write(bytes),
          close: () => program.stop(),
        };
      }
      throw new Error(describeExit(await program.exit));
    },
  };
}

function describeExit(exit: BoardExit): string {
  if (exit.kind === 'exited') return `it ended with code ${exit.code}`;
  if (exit.kind === 'signalled') return `it was ended by ${exit.signal}`;
  return exit.kind === 'stopped' ? 'it was stopped' : exit.message;
}
