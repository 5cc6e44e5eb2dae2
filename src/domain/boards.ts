// Boards come and go with their agents, break, and are taken out of service and brought back.
import type { CommandTypes } from './commands.ts';
import { breakBoard, endJob, mayEnd, runJob } from './jobs.ts';
import { forgetBoard } from './leaving.ts';
import { endingLimit } from './locks.ts';
import { sendPower, switchOff } from './power.ts';
import type { BoardRecord, JobRecord, JobResult, LockRecord, Service, Token } from './records.ts';
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
    const now = step.state.locks.get(name);
    if (now?.state === 'held') sendPower(step, now, { again: true });
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
  const job = lock.job === undefined ? undefined : step.state.jobs.get(lock.job);
  const known = job && body.jobs.find((other) => other.id === job.id);
  if (job && !known && job.state !== 'starting') {
    resumeLimits(step, lock, job);
    return endJob(step, job, lostResult(job));
  }
  // Of a job that has ended its agent tells the end until it is told to forget it.
  if (known?.state === 'ended') return resumeLimits(step, lock, job);
  if (job && !known) step.effects.push({ kind: 'start-job', job });
  else if (job?.state === 'starting' && known?.state === 'running') runJob(step, job);
  if (job?.finishing && job.state !== 'ending') step.effects.push({ kind: 'finish-job', job });
  pressEnding(step, lock, job);
}

/** What is to end under a lock has a limit again, and is told to the agent once more. */
function pressEnding(step: Step, lock: LockRecord, job: JobRecord | undefined): void {
  resumeLimits(step, lock, job);
  if (job?.state === 'ending')
    step.effects.push({ kind: 'cancel-job', job, why: job.cancelledBy?.why ?? 'cancelled' });
  else if (!job && lock.state === 'ending' && lock.file !== 'leaving')
    step.effects.push({ kind: 'power-off', board: lock.board, token: lock.lastToken });
}

/** The limit is the lock's while that ends, and the job's where it is being stopped under a lock that stays. */
function resumeLimits(step: Step, lock: LockRecord, job: JobRecord | undefined): void {
  const { limitAt } = endingLimit(step, step.state.boards.get(lock.board));
  if (limitAt === undefined) return;
  if (lock.ending && lock.ending.limitAt === undefined && lock.file !== 'leaving')
    step.put('lock', lock.board, { ...lock, ending: { ...lock.ending, limitAt } });
  if (lock.state === 'held' && job?.state === 'ending' && job.endingLimitAt === undefined)
    step.put('job', String(job.id), { ...job, endingLimitAt: limitAt });
}

/** A job that was to end anyway, and may never have reached the agent, is no fault of the lab. */
function lostResult(job: JobRecord): JobResult {
  const detail = 'the agent no longer knows this job';
  if (job.state !== 'ending') return { verdict: 'lab-fault', detail, mayBeOn: true };
  return { verdict: 'cancelled', detail: job.cancelledBy?.why ?? detail, mayBeOn: true };
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

/** Drain: the present lock is the last. Resume: back in, and the faults are forgotten. All of the boards, or none. */
export function service(step: Step, body: CommandTypes['service']['body']): CommandTypes['service']['reply'] {
  if (!mayEnd(body.caller, '')) return { kind: 'not-allowed' };
  const unknown = body.boards.find((name) => !step.state.boards.has(name));
  if (unknown !== undefined) return { kind: 'unknown', board: unknown };
  const by = body.caller.user;
  for (const name of body.boards) {
    const board = step.state.boards.get(name);
    if (!board) continue;
    if (body.action === 'resume') resume(step, board, body);
    else if (body.action === 'drain') drainBoard(step, board, body);
    else step.put('board', name, { ...board, service: annotate(step, board.service, body) });
    const detail = body.seconds === undefined ? body.note : `for ${body.seconds} s: ${body.note}`;
    step.audit.push({ event: body.action, by, board: name, detail });
  }
  return { kind: 'done' };
}

type ServiceBody = CommandTypes['service']['body'];

function drainBoard(step: Step, board: BoardRecord, { caller, note, seconds }: ServiceBody): void {
  const state = step.state.locks.has(board.name) ? 'draining' : 'out';
  const ms = (seconds ?? 0) * 1000;
  const end = seconds === undefined ? {} : { until: step.now + ms, untilWallAt: step.wallAt + ms };
  const service: Service = { state, by: caller.user, note, sinceWallAt: step.wallAt, ...end };
  step.put('board', board.name, { ...board, service });
}

/** Another note; of a board in service an empty one takes the old one away. */
function annotate(step: Step, service: Service, { caller, note }: ServiceBody): Service {
  const by = caller.user;
  if (service.state !== 'in') return { ...service, by, note };
  return note === '' ? { state: 'in' } : { state: 'in', by, note, sinceWallAt: step.wallAt };
}

function resume(step: Step, board: BoardRecord, body: ServiceBody): void {
  if (board.removed && !step.state.locks.has(board.name)) return forgetBoard(step, board);
  const service = annotate(step, { state: 'in' }, body);
  const resumed: BoardRecord = { ...board, service, health: { state: 'good' }, faults: 0 };
  step.put('board', board.name, resumed);
  const lock = step.state.locks.get(board.name);
  if (lock) pressEnding(step, lock, lock.job === undefined ? undefined : step.state.jobs.get(lock.job));
  // Also one that is left on otherwise: somebody has had it in hand.
  else if (board.mayBeOn) switchOff(step, resumed);
  else step.boardsToMatch.add(board.name);
}
