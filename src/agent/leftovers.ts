// After a kill of the agent: ends what it left running, with grandchildren, and powers off the boards that had a job,
// before those boards count as usable. The jobs' verdict is lab fault.
import type { Logger } from '../platform/logger.ts';
import { endLeftovers } from '../platform/process-tree.ts';
import type { AgentJobResult } from '../protocol/agent-messages.ts';
import type { BoardRunner } from './board-runner.ts';
import { EndedConsole } from './ended-console.ts';
import type { JobFiles, JobNote } from './job-files.ts';

/** In the environment of all that the agent of a folder starts: the agent's id. */
export const agentMarkerName = 'MQ_AGENT';

/**
 * Also where no job was lost: a killed power off may go on too. Nothing of this agent may be started before it resolves,
 * for it would be ended as well. Never rejects: what can't be ended is said, undefined if there is nothing.
 */
export async function endEarlierProcesses(context: {
  readonly files: JobFiles;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<string | undefined> {
  const { files, logger, signal } = context;
  try {
    const marker = { [agentMarkerName]: files.agentId };
    const { ended, remaining } = await endLeftovers(
      { marker, pids: files.children.readEarlier() },
      { signal },
    );
    if (ended > 0) logger.warn('ended what a killed agent left running', { processes: ended });
    if (remaining.length === 0) {
      files.children.forgetEarlier();
      return undefined;
    }
    const pids = remaining.map(({ pid }) => pid).join(', ');
    logger.error('processes of a killed agent can not be ended', { pids });
    return `processes that it left can not be ended: ${pids}`;
  } catch (error) {
    logger.error('processes of a killed agent could not be looked for', { error });
    return `processes that it left could not be looked for: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Makes the board of a lost job safe and stores the job's result. Never rejects. */
export async function clearLostJob(
  note: JobNote,
  context: {
    readonly board: BoardRunner;
    readonly files: JobFiles;
    readonly logger: Logger;
    /** As endEarlierProcesses answers. */
    readonly cleared: Promise<string | undefined>;
  },
): Promise<AgentJobResult> {
  const { board, files, logger } = context;
  // Under the highest token that the board has seen, so that whatever the server says next comes behind it.
  const token = files.tokens.highestOf(note.board);
  const power = await board.powerOff(token);
  const trouble = await context.cleared;
  const console = await EndedConsole.open(files.consoleFolder(note.id), undefined).catch(() => undefined);
  const why = [trouble, power.ok ? undefined : power.detail].filter((text) => text !== undefined);
  if (why.length > 0 && files.tokens.highestOf(note.board) === token) board.failure = why.join('; ');
  const result: AgentJobResult = {
    verdict: 'lab-fault',
    detail: ['the agent was killed while the job ran', ...why].join('; '),
    mayBeOn: why.length > 0,
    consoleLength: console?.length ?? 0,
  };
  try {
    await files.writeResult({ ...note, result });
    await files.clearWork(note.id);
  } catch (error) {
    // It is told all the same: the next agent would come to the same end.
    logger.error('the result of a lost job could not be stored', { job: note.id, error });
  }
  return result;
}
