// Jobs as the scheduler sees them: started under a lock, ended by the agent's report, and what follows for the
// lock and the board's health. States: starting → running → ended, or → ending → ended when asked to stop.
import type { Caller, CommandTypes } from './commands.ts';
import { beginEnding, endingLimit, removeLock, withIdleEnd } from './locks.ts';
import { isOnAfter, markOff, markOn, mustGoOff } from './power.ts';
import type {
  BoardRecord,
  Health,
  JobRecord,
  JobResult,
  LockRecord,
  TicketRecord,
  Token,
} from './records.ts';
import { formatToken, sameToken } from './records.ts';
import { offerSlotOf } from './slots.ts';
import type { Step } from './step.ts';

/** Starts the ticket's job under a held lock. The job's number is the ticket's. */
export function startJob(step: Step, lock: LockRecord, ticket: TicketRecord, token: Token): JobRecord {
  if (lock.job !== undefined) throw new Error(`board ${lock.board} already has job ${lock.job}`);
  const job: JobRecord = {
    id: ticket.id,
    board: lock.board,
    user: ticket.user,
    key: ticket.key,
    set: ticket.set,
    lockToken: lock.token,
    token,
    state: 'starting',
    spec: ticket.job,
    keepsLock: lock.kind === 'lock',
    ...(ticket.consoleOnly ? { consoleOnly: true } : {}),
    detached: ticket.detached,
    startedWallAt: step.wallAt,
  };
  step.put('job', String(job.id), job);
  // A power action that was offered its place too late ends with the newer token.
  const { slotTicket: _slot, idleAt: _idle, power: _power, switchedOn, ...rest } = lock;
  const kept = job.consoleOnly && switchedOn ? { switchedOn } : {};
  step.put('lock', lock.board, withIdleEnd(step, { ...rest, ...kept, job: job.id, lastToken: token }));
  if (!job.consoleOnly) markOn(step, lock.board);
  step.audit.push({
    event: 'job-started',
    by: job.user,
    board: job.board,
    ticket: job.id,
    token: formatToken(token),
  });
  step.effects.push({ kind: 'start-job', job });
  return job;
}

/** Whoever may: the job's user, or an admin. */
export function cancelJob(
  step: Step,
  body: CommandTypes['cancelJob']['body'],
): CommandTypes['cancelJob']['reply'] {
  const job = step.state.jobs.get(body.job);
  if (!job) return { kind: 'unknown' };
  if (!mayEnd(body.caller, job.user)) return { kind: 'not-allowed' };
  stopJob(step, job, body.caller.user, body.why);
  return { kind: 'ending' };
}

export function finishJob(
  step: Step,
  body: CommandTypes['finishJob']['body'],
): CommandTypes['finishJob']['reply'] {
  const job = step.state.jobs.get(body.job);
  if (!job) return { kind: 'unknown' };
  if (!mayEnd(body.caller, job.user)) return { kind: 'not-allowed' };
  if (job.state !== 'ending') {
    const finishing: JobRecord = { ...job, finishing: true };
    step.put('job', String(job.id), finishing);
    step.effects.push({ kind: 'finish-job', job: finishing });
  }
  return { kind: 'finishing' };
}

export function mayEnd(caller: Caller, user: string): boolean {
  return caller.admin || caller.user === user;
}

/** Stops a job before its own end; a lock that `run` took ends with it. */
export function stopJob(step: Step, job: JobRecord, by: string, why: string): void {
  const lock = step.state.locks.get(job.board);
  if (lock?.job !== job.id) throw new Error(`job ${job.id} is live without its lock on ${job.board}`);
  if (lock.kind === 'run' && lock.state === 'held') {
    beginEnding(step, lock, { reason: 'released', by, note: why });
  } else {
    requestJobEnd(step, job, by, why, { limit: lock.state === 'held' });
  }
}

/** Tells the agent to stop the job. `limit`: under a lock that stays, the job itself has the time limit. */
export function requestJobEnd(
  step: Step,
  job: JobRecord,
  by: string,
  why: string,
  options: { limit: boolean },
): void {
  if (job.state === 'ending') return;
  const { graceUntil: _grace, ...rest } = job;
  const limit = options.limit ? endingLimit(step, step.state.boards.get(job.board)).limitAt : undefined;
  const ending: JobRecord = {
    ...rest,
    state: 'ending',
    cancelledBy: { by, why },
    ...(limit === undefined ? {} : { endingLimitAt: limit }),
  };
  step.put('job', String(job.id), ending);
  step.effects.push(
    { kind: 'cancel-job', job: ending, why },
    { kind: 'job-changed', job: ending, message: why },
  );
}

export function jobStarted(step: Step, body: CommandTypes['jobStarted']['body']): undefined {
  const job = step.state.jobs.get(body.job);
  if (job?.state === 'starting' && sameToken(job.token, body.token)) runJob(step, job);
}

/** The agent has the job. */
export function runJob(step: Step, job: JobRecord): void {
  const running: JobRecord = { ...job, state: 'running' };
  step.put('job', String(job.id), running);
  step.effects.push({ kind: 'job-changed', job: running });
}

export function jobEnded(step: Step, body: CommandTypes['jobEnded']['body']): undefined {
  const job = step.state.jobs.get(body.job);
  if (job && sameToken(job.token, body.token)) endJob(step, job, body.result);
}

/** The agent says that nothing of the job runs any more. */
export function endJob(step: Step, job: JobRecord, result: JobResult): void {
  const { graceUntil: _grace, endingLimitAt: _limit, ...rest } = job;
  const ended: JobRecord = { ...rest, state: 'ended', endedWallAt: step.wallAt, result };
  step.put('job', String(job.id), ended);
  step.effects.push({ kind: 'job-changed', job: ended });
  step.audit.push({
    event: 'job-ended',
    by: job.user,
    board: job.board,
    ticket: job.id,
    detail: result.verdict,
  });
  const lock = step.state.locks.get(job.board);
  if (lock?.job !== job.id) throw new Error(`job ${job.id} ended without its lock on ${job.board}`);
  judgeBoard(step, job, result);
  const { job: _job, ...idle } = lock;
  if (lock.state === 'ending') {
    step.put('lock', lock.board, idle);
    if (mustGoOff(step, idle))
      step.effects.push({ kind: 'power-off', board: lock.board, token: lock.lastToken });
    else removeLock(step, idle);
    return;
  }
  step.put('lock', lock.board, withIdleEnd(step, idle));
  if (lock.kind === 'run') {
    const kept = step.state.locks.get(job.board) ?? idle;
    beginEnding(step, kept, { reason: 'job-ended', by: job.user, note: result.verdict });
  } else offerSlotOf(step, job.board);
}

/** A lab fault counts against the board, not the image; a job that ended otherwise clears it. */
function judgeBoard(step: Step, job: JobRecord, result: JobResult): void {
  const name = job.board;
  const board = step.state.boards.get(name);
  if (!board) return;
  const fault = result.verdict === 'lab-fault';
  const faults = fault ? board.faults + 1 : result.verdict === 'cancelled' ? board.faults : 0;
  const health = fault ? worse(step, board, faults, result.detail) : recovered(board, result);
  const mayBeOn = isOnAfter(step, job, { before: board.mayBeOn, reported: result.mayBeOn });
  if (health === board.health && faults === board.faults && mayBeOn === board.mayBeOn) return;
  step.put('board', name, { ...board, faults, health, mayBeOn });
  if (health.state === 'broken' && board.health.state !== 'broken') {
    step.audit.push({ event: 'broken', by: 'system', board: name, detail: result.detail });
  }
}

function worse(step: Step, board: BoardRecord, faults: number, why: string): Health {
  if (board.health.state === 'broken') return board.health;
  const state = faults >= step.timing.faultsMax ? 'broken' : 'suspect';
  return { state, by: 'system', why, sinceWallAt: step.wallAt };
}

/** A suspect board that did a job is good again; a broken one stays so until somebody looks. */
function recovered(board: BoardRecord, result: JobResult): Health {
  const worked = result.verdict === 'completed' || result.verdict === 'error-text';
  return board.health.state === 'suspect' && worked ? { state: 'good' } : board.health;
}

/** The agent's answer to a power off without a job, at the end of a lock. */
export function poweredOff(step: Step, body: CommandTypes['poweredOff']['body']): undefined {
  const lock = step.state.locks.get(body.board);
  if (lock?.state !== 'ending' || lock.job !== undefined || !sameToken(lock.lastToken, body.token)) return;
  // It is off already, and only its lock file is left to go.
  if (lock.file === 'leaving') return;
  if (body.ok) markOff(step, body.board);
  else breakBoard(step, body.board, `the power could not be switched off: ${body.detail}`);
  removeLock(step, lock);
}

/** Nobody gets the board until a person has looked. */
export function breakBoard(step: Step, name: string, why: string): void {
  const board = step.state.boards.get(name);
  if (!board || board.health.state === 'broken') return;
  const health: Health = { state: 'broken', by: 'system', why, sinceWallAt: step.wallAt };
  step.put('board', name, { ...board, health });
  step.audit.push({ event: 'broken', by: 'system', board: name, detail: why });
}
