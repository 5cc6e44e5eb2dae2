// After a kill of the agent: ends what it left running, with grandchildren, and powers off the boards that had a job,
// before those boards count as usable. The jobs' verdict is lab fault.

import type { BoardDriver } from '../drivers/board/contract.ts';
import { ByteLog } from '../platform/byte-log.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { endLeftovers } from '../platform/process-tree.ts';
import type { AgentJobResult, MachineSpec } from '../protocol/agent-messages.ts';
import type { ChildHooks } from './job.ts';
import type { JobFiles, JobNote } from './job-files.ts';
import { powerOff } from './power.ts';

export interface LeftoverContext {
  readonly files: JobFiles;
  readonly drivers: (machine: MachineSpec) => BoardDriver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: ChildHooks;
  readonly signal: AbortSignal;
}

/** A job of a killed agent; `result` comes when its board is safe. */
export interface LostJob {
  readonly note: JobNote;
  readonly result: Promise<AgentJobResult>;
}

/** Looks for jobs without a result, and clears up after each. The results never reject. */
export function clearLeftovers(context: LeftoverContext): LostJob[] {
  const { files } = context;
  const lost = files.readNotes().filter((note) => note.result === undefined);
  const ended = endProcesses(context);
  return lost.map((note) => ({ note, result: ended.then((trouble) => clearJob(context, note, trouble)) }));
}

/** Also without lost jobs: a board that was left on for its holder may have a program that died with its agent. */
async function endProcesses({ files, logger, signal }: LeftoverContext): Promise<string | undefined> {
  const pids = files.readEarlierChildren();
  try {
    const { ended, remaining } = await endLeftovers(
      { marker: { MQ_AGENT: files.agentId }, pids },
      { signal },
    );
    if (ended > 0) logger.warn('ended what a killed agent left running', { processes: ended });
    if (remaining.length > 0)
      return `processes that can't be ended: ${remaining.map((one) => one.pid).join(', ')}`;
    files.forgetEarlierChildren();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function clearJob(
  context: LeftoverContext,
  note: JobNote,
  trouble: string | undefined,
): Promise<AgentJobResult> {
  const { files, drivers, signal } = context;
  const power = await powerOff({ ...context, driver: drivers(note.machine) }, signal);
  const isSafe = power.ok && trouble === undefined;
  const why = [trouble, power.ok ? undefined : power.detail].filter((text) => text !== undefined);
  const result: AgentJobResult = {
    verdict: 'lab-fault',
    detail: ['the agent was killed while the job ran', ...why].join('; '),
    mayBeOn: !isSafe,
    consoleLength: await measureConsole(files.consoleFolder(note.id)),
    ...(note.matchEnd === undefined ? {} : { matchEnd: note.matchEnd }),
  };
  files.writeNote({ ...note, result });
  files.clearWork(note.id);
  return result;
}

/** What was kept of the console, mended where the kill tore it. */
async function measureConsole(folder: string): Promise<number> {
  const log = await ByteLog.open(folder, {
    bytesMax: Number.MAX_SAFE_INTEGER,
    headBytes: 1,
    segmentBytes: 1 << 24,
  });
  const { length } = log;
  await log.close();
  return length;
}
