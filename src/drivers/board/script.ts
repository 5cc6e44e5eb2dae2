// Driver script: a board behind its lab's own program, which powers, loads and watches it and whose exit code
// is the verdict. The program is called with the words of the old shell scripts (see docs on compatibility).

import type { BoardDriver, BoardExit, BoardJob, BoardSession } from './contract.ts';
import { type ProgramCall, runProgram } from './script-program.ts';

export interface ScriptOptions {
  /** Absolute path of the program that runs a job. */
  readonly path: string;
  /** Absolute path of the program that powers off, where that is another one. Called with `--shutdown` too. */
  readonly powerOffPath?: string;
  /** From SIGTERM to SIGKILL; 2 seconds if not given. */
  readonly graceMilliseconds?: number;
}

/** What of a failed power-off's output goes into its error. */
const keptOutputBytes = 500;

/** A driver for one board. */
export function createScriptDriver(options: ScriptOptions): BoardDriver {
  const { path, powerOffPath = path, graceMilliseconds = 2_000 } = options;
  let current: BoardSession | undefined;
  return {
    watches: true,
    async start(job, hooks, { signal }) {
      await current?.stop();
      const takesInput = job.keepOn;
      current = await runProgram({
        path,
        words: jobWords(job),
        takesInput,
        graceMilliseconds,
        hooks,
        signal,
      });
      return current;
    },
    async powerOff(hooks, { signal }) {
      await current?.stop();
      let output = Buffer.alloc(0);
      const onConsole = (bytes: Uint8Array) => {
        output = Buffer.concat([output, bytes]).subarray(-keptOutputBytes);
      };
      const call: ProgramCall = {
        path: powerOffPath,
        words: ['--shutdown'],
        takesInput: false,
        graceMilliseconds,
        hooks: { ...hooks, onConsole },
        signal,
      };
      const exit = await (await runProgram(call)).exit;
      if (exit.kind === 'exited' && exit.code === 0) return;
      const said = output.toString().trim();
      throw new Error(
        `'${powerOffPath} --shutdown' ${describeExit(exit)}${said === '' ? '.' : `: ${said}`}`,
        { cause: signal.reason },
      );
    },
  };
}

function describeExit(exit: BoardExit): string {
  if (exit.kind === 'exited') return `exited with code ${exit.code}`;
  if (exit.kind === 'signalled') return `was ended by ${exit.signal}`;
  if (exit.kind === 'stopped') return 'was given up before it was done';
  return `failed (${exit.message})`;
}

/** The words of the old scripts, in their order. Texts are passed as the user gave them, also when empty. */
function jobWords(job: BoardJob): string[] {
  const [kernel, rootServer] = job.files;
  return [
    ...(job.linux ? ['-L'] : []),
    ...(job.dtbPath === undefined ? [] : ['-b', job.dtbPath]),
    ...(job.bitstreamPath === undefined ? [] : ['--bitstream', job.bitstreamPath]),
    ...['-t', String(job.timeoutSeconds), '-c', job.endText, '-e', job.errorText, '-l', job.logPath],
    ...(kernel === undefined ? [] : ['-k', kernel.path]),
    ...(rootServer === undefined ? [] : ['-u', rootServer.path]),
    ...(job.keepOn ? ['-a', '-i'] : []),
  ];
}
