// Boards come and go with their agents, break, and are taken out of service and brought back.
import type { CommandTypes } from './commands.ts';
import { breakBoard, endJob, mayEnd } from './jobs.ts';
import { endingLimit, putLock } from './locks.ts';
import type { JobRecord, JobResult, LockRecord, Token } from './records.ts';
import { compareTokens } from './records.ts';
import type { Step } from './step.ts';

type AgentPresent = CommandTypes['agentPresent']['body'];

export function agentPresent(step: Step, body: AgentPresent): undefined {
  raiseToken(step, body.highest);
  for (const name of body.boards) {
    const board = step.state.boards.get(name);
    if (!board) continue;
    if (board.agent === 'away') step.put('board', name, { ...board, agent: 'present' });
    const lock = step.state.locks.get(name);
    if (lock) resync(step, lock, body);
    else step.boardsToMatch.add(name);
    for (const set of step.state.setsOf(name)) step.setsToReview.add(set.key);
  }
}

/** An agent that has seen a higher token was there before a restore: go above it. */
function raiseToken(step: Step, highest: Token): void {
  if (compareTokens(highest, step.state.meta.token) <= 0) return;
  step.putMeta({ token: highest });
  step.audit.push({ event: 'token-raised', by: 'system', detail: `${highest.generation}.${highest.number}` });
}

/** Compares a board's lock with what the agent knows, and says again what may have been lost. */
function resync(step: Step, lock: LockRecord, body: AgentPresent): void {
  let current = lock;
  if (lock.state === 'ending' && lock.ending) {
    const board = step.state.boards.get(lock.board);
    current = { ...lock, ending: { ...lock.ending, ...endingLimit(step, board) } };
    putLock(step, current);
  }
  const job = lock.job === undefined ? undefined : step.state.jobs.get(lock.job);
  if (job) return resyncJob(step, job, body);
  if (current.state === 'ending')
    step.effects.push({ kind: 'power-off', board: lock.board, token: lock.lastToken });
}

function resyncJob(step: Step, job: JobRecord, body: AgentPresent): void {
  const known = body.jobs.find((other) => other.id === job.id);
  if (!known && job.state === 'starting') step.effects.push({ kind: 'start-job', job });
  else if (!known) endJob(step, job, lostResult(job));
  else if (known.state === 'running' && job.state === 'starting') {
    step.put('job', String(job.id), { ...job, state: 'running' });
  }
  if (known && known.state !== 'ended' && job.finishing) step.effects.push({ kind: 'finish-job', job });
  if (known && known.state !== 'ended' && job.state === 'ending') {
    step.effects.push({ kind: 'cancel-job', job, why: job.cancelledBy?.why ?? 'cancelled' });
  }
}

/** The agent has no trace of it: its board is powered off before anybody gets it. */
function lostResult(job: JobRecord): JobResult {
  if (job.state === 'ending') return { verdict: 'cancelled', detail: job.cancelledBy?.why ?? '', mayBeOn: true };
  return { verdict: 'lab-fault', detail: 'the agent no longer knows this job', mayBeOn: true };
}

/** The boards of a lost agent are not free; locks and jobs stay, and the limits of endings rest. */
export function agentAway(step: Step, body: CommandTypes['agentAway']['body']): undefined {
  for (const name of body.boards) {
    const board = step.state.boards.get(name);
    if (board?.agent !== 'present') continue;
    step.put('board', name, { ...board, agent: 'away' });
    restEndings(step, name);
  }
}

/** Stops the clocks that only count while an agent could act. */
export function restEndings(step: Step, name: string): void {
  const lock = step.state.locks.get(name);
  if (lock?.ending?.limitAt !== undefined) {
    const { limitAt: _limit, ...ending } = lock.ending;
    step.put('lock', name, { ...lock, ending });
  }
  const job = lock?.job === undefined ? undefined : step.state.jobs.get(lock.job);
  if (job?.endingLimitAt !== undefined) {
    const { endingLimitAt: _limit, ...rest } = job;
    step.put('job', String(job.id), rest);
  }
}

export function boardFailed(step: Step, body: CommandTypes['boardFailed']['body']): undefined {
  breakBoard(step, body.board, body.why);
}

/** Drain: the present lock is the last. Resume: back in, and the faults are forgotten. */
export function service(step: Step, body: CommandTypes['service']['body']): CommandTypes['service']['reply'] {
  const board = step.state.boards.get(body.board);
  if (!board) return { kind: 'unknown' };
  if (!mayEnd(body.caller, '')) return { kind: 'not-allowed' };
  const by = body.caller.user;
  if (body.action === 'resume') {
    step.put('board', board.name, {
      ...board,
      service: { state: 'in' },
      health: { state: 'good' },
      faults: 0,
    });
    step.boardsToMatch.add(board.name);
    for (const set of step.state.setsOf(board.name)) step.setsToReview.add(set.key);
  } else {
    const state = step.state.locks.has(board.name) ? 'draining' : 'out';
    step.put('board', board.name, { ...board, service: { state, by, note: body.note } });
  }
  step.audit.push({ event: body.action, by, board: board.name, detail: body.note });
  return { kind: 'done' };
}
