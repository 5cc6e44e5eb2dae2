// A job that the server has not told the agent to forget: it lives, has ended, or was lost with a killed agent and its
// board is being cleared.
import type { AgentJobReport, AgentJobResult } from '../protocol/agent-messages.ts';
import type { StreamedJob } from './console-pump.ts';
import type { ConsoleSource } from './console-spool.ts';
import { EndedConsole } from './ended-console.ts';
import type { Job } from './job.ts';
import type { JobFiles, JobNote } from './job-files.ts';

export interface KnownJob extends StreamedJob {
  readonly board: string;
  /** Of this process. */
  readonly live: Job | undefined;
  /** Never rejects: a console that can't be had is empty. */
  readonly console: Promise<ConsoleSource>;
  readonly consoleLength: number;
  /** Never rejects. */
  readonly done: Promise<AgentJobResult>;
  /** Once `done` has resolved. */
  result: AgentJobResult | undefined;
}

const emptyConsole: ConsoleSource = { length: 0, matchEnd: undefined, read: async () => [] };

export function liveJob(job: Job): KnownJob {
  const { id, board, token, done } = job;
  return {
    id,
    board,
    token,
    live: job,
    console: job.spool.catch(() => emptyConsole),
    done,
    result: undefined,
    get consoleLength() {
      return job.consoleLength;
    },
    get isOpen() {
      return job.isOpen;
    },
  };
}

/** A job of an earlier agent. `ending`: where it has no result yet; it comes when its board is safe. */
export async function earlierJob(
  note: JobNote,
  files: JobFiles,
  ending?: Promise<AgentJobResult>,
): Promise<KnownJob> {
  const console = await openConsole(note, files);
  const { length } = console;
  const result = note.result && keptResult(note.result, length);
  const done = result ? Promise.resolve(result) : ending;
  if (done === undefined) throw new Error(`job ${note.id} has neither a result nor an end`);
  const { id, board, token } = note;
  return {
    ...{ id, board, token, isOpen: false, live: undefined },
    ...{ console: Promise.resolve(console), consoleLength: length, done, result },
  };
}

export function reportOf(known: KnownJob): AgentJobReport {
  const { id, board, token, live, consoleLength, result } = known;
  const report = { id, board, token, consoleLength };
  if (result) return { ...report, state: 'ended', result };
  // A lost one counts as running until its board is safe and its result is known.
  return { ...report, state: live === undefined || live.hasStarted ? 'running' : 'starting' };
}

/** After a power cut the end of the console may be gone: the server must not wait for it. */
function keptResult(result: AgentJobResult, length: number): AgentJobResult {
  if (length >= result.consoleLength) return result;
  const detail = [result.detail, 'the end of its console was lost'].filter((text) => text).join('; ');
  return { ...result, detail, consoleLength: length };
}

async function openConsole(note: JobNote, files: JobFiles): Promise<ConsoleSource> {
  try {
    return await EndedConsole.open(files.consoleFolder(note.id), note.result?.matchEnd);
  } catch {
    return emptyConsole;
  }
}
