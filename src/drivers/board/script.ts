// Driver script: a board behind its lab's own program, which powers, loads and watches it and whose exit code
// is the verdict. The program is called with the words of the old shell scripts (see docs on compatibility).

import { endTree } from '../../platform/process-tree.ts';
import { endedProgram, type ProgramCall, type ProgramSession, runProgram } from '../program.ts';
import type { BoardDriver, BoardExit, BoardJob } from './contract.ts';

export interface ScriptOptions {
  /** Absolute path of the program that runs a job. */
  readonly path: string;
  /** Absolute path of the program that powers off, where that is another one. Called with `--shutdown` too. */
  readonly powerOffPath?: string;
  /** From SIGTERM to SIGKILL; 2 seconds if not given. */
  readonly graceMilliseconds?: number;
  /** Ends a run; tests bring one that can't. */
  readonly endTree?: typeof endTree;
}

/** What of a failed power-off's output goes into its error. */
const keptOutputBytes = 500;

/** A driver for one board. */
export function createScriptDriver(options: ScriptOptions): BoardDriver {
  const { path, powerOffPath = path, graceMilliseconds = 2_000 } = options;
  const end = options.endTree ?? endTree;
  let current: ProgramSession | undefined;
  /** Stops what runs; says what of it can't be ended. While that lives the board is nobody's: two jobs must not overlap. */
  const makeWay = async (): Promise<string | undefined> => {
    await current?.stop();
    const unended = current?.findUnended() ?? [];
    if (unended.length === 0) return undefined;
    return `processes of the last job can't be ended: ${unended.map(({ pid }) => pid).join(', ')}`;
  };
  return {
    watches: true,
    async start(job, hooks, { signal }) {
      const inTheWay = await makeWay();
      if (inTheWay !== undefined) return endedProgram({ kind: 'fault', message: inTheWay });
      const takesInput = job.keepOn;
      current = await runProgram({
        path,
        words: jobWords(job),
        takesInput,
        graceMilliseconds,
        endTree: end,
        hooks,
        signal,
      });
      return current;
    },
    async powerOff(hooks, { signal }) {
      const inTheWay = await makeWay();
      if (inTheWay !== undefined) throw new Error(inTheWay);
      let output = Buffer.alloc(0);
      const onConsole = (bytes: Uint8Array) => {
        output = Buffer.concat([output, bytes]).subarray(-keptOutputBytes);
      };
      const call: ProgramCall = {
        path: powerOffPath,
        words: ['--shutdown'],
        takesInput: false,
        graceMilliseconds,
        endTree: end,
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
