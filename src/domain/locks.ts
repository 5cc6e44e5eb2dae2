// Locks: confirm, release, new ends and new holders, and the ending of a lock up to the free board.
import type { Caller, ChangeHolderReply, CommandTypes, ReleaseOutcome } from './commands.ts';
import { freeOffer } from './grants.ts';
import { requestJobEnd } from './jobs.ts';
import { forgetBoard, mustStay } from './leaving.ts';
import { mustGoOff } from './power.ts';
import type { BoardRecord, Ending, LockRecord } from './records.ts';
import { formatToken, sameToken } from './records.ts';
import { endSlotsOf, offerSlotOf } from './slots.ts';
import type { Step } from './step.ts';

/** Makes a granted lock the holder's; the hold counts from here. */
export function holdLock(step: Step, lock: LockRecord): LockRecord {
  const board = step.state.labIndex.findBoard(lock.board);
  const maxSeconds = board?.holdMaxSeconds;
  const max = maxSeconds === undefined ? {} : { holdMaxAt: step.now + maxSeconds * 1000 };
  const held: LockRecord = {
    ...lock,
    ...max,
    ...holdEnd(step, lock.holdSeconds, max.holdMaxAt),
    ...(board?.idleMaxSeconds === undefined ? {} : { idleMaxSeconds: board.idleMaxSeconds }),
    state: 'held',
    heldWallAt: step.wallAt,
    claimedAt: step.now,
  };
  const result = withIdleEnd(step, held);
  step.put('lock', lock.board, result);
  return result;
}

/** Starts or stops the idle clock: it rests while a job runs that is more than a console, and while the power is switched. */
export function withIdleEnd(step: Step, lock: LockRecord): LockRecord {
  const { idleAt: _idle, ...rest } = lock;
  if (lock.idleMaxSeconds === undefined || lock.power) return rest;
  if (lock.job !== undefined && !step.state.jobs.get(lock.job)?.consoleOnly) return rest;
  return { ...rest, idleAt: step.now + lock.idleMaxSeconds * 1000 };
}

export function release(step: Step, body: CommandTypes['release']['body']): CommandTypes['release']['reply'] {
  const outcomes = body.boards.map((board) => {
    const outcome = releaseBoard(step, board, body);
    const token = outcome === 'ending' ? step.state.locks.get(board)?.token : undefined;
    return { board, outcome, ...(token ? { token } : {}) };
  });
  return { outcomes };
}

function releaseBoard(
  step: Step,
  board: string,
  body: CommandTypes['release']['body'],
): ReleaseOutcome['outcome'] {
  const lock = step.state.locks.get(board);
  const named = lock && body.token ? sameToken(lock.token, body.token) : true;
  if (!lock || !named) return 'not-held';
  if (body.force && !mayForce(step, body.caller, lock)) return 'not-allowed';
  if (!body.force) {
    if (lock.user !== body.caller.user || lock.state === 'granted') return 'not-held';
    if (lock.key !== body.key) return 'wrong-key';
  }
  const who = { by: body.caller.user, note: body.note };
  if (lock.state === 'ending') return releaseEnding(step, lock, body.force, who);
  const own = lock.user === body.caller.user && lock.key === body.key;
  if (lock.state === 'granted') {
    const ticket = step.state.tickets.get(lock.ticket);
    if (!ticket?.offer) throw new Error(`granted lock on ${board} has no offered ticket`);
    step.audit.push({ event: 'forced', by: who.by, user: lock.user, key: lock.key, board, detail: who.note });
    freeOffer(step, ticket, ticket.offer);
    step.endTicket(ticket, { kind: 'withdrawn', by: who.by, why: 'forced' });
    return 'released';
  }
  beginEnding(step, lock, { reason: own ? 'released' : 'forced', ...who });
  return step.state.locks.has(board) ? 'ending' : 'released';
}

/** What a user holds is theirs to end or take with any key; of others it is the lab's choice, board by board. */
function mayForce(step: Step, caller: Caller, lock: LockRecord): boolean {
  if (caller.admin || lock.user === caller.user) return true;
  return forceRule(step, lock.board) !== 'admin';
}

/** Of a board that has left the configuration the strictest rule that there is counts. */
function forceRule(step: Step, name: string): 'admin' | undefined {
  const { lab, labIndex } = step.state;
  const board = labIndex.findBoard(name);
  if (board) return board.force;
  return lab.boards.some(({ force }) => force === 'admin') ? 'admin' : undefined;
}

/** An ending that got stuck on a broken board can be forced away by hand; the board stays broken. */
function releaseEnding(
  step: Step,
  lock: LockRecord,
  force: boolean,
  who: { by: string; note: string },
): 'ending' | 'released' {
  const board = step.state.boards.get(lock.board);
  if (!force || board?.health.state !== 'broken') return 'ending';
  step.audit.push({ event: 'abandoned', by: who.by, user: lock.user, board: lock.board, detail: who.note });
  const job = lock.job === undefined ? undefined : step.state.jobs.get(lock.job);
  if (job) {
    const result = {
      verdict: 'lab-fault',
      detail: `given up by ${who.by} on a broken board`,
      mayBeOn: true,
    } as const;
    const ended = { ...job, state: 'ended', endedWallAt: step.wallAt, result } as const;
    step.put('job', String(job.id), ended);
    step.effects.push({ kind: 'job-changed', job: ended });
  }
  removeLock(step, lock);
  return step.state.locks.has(lock.board) ? 'ending' : 'released';
}

/**
 * Ends a held lock. If a job runs it is stopped first; if the power is to go off, it does so under the old token; else the
 * board is free in this very step.
 */
export function beginEnding(
  step: Step,
  lock: LockRecord,
  why: { reason: Ending['reason']; by: string; note: string },
): void {
  if (lock.state !== 'held') throw new Error(`lock on ${lock.board} is ${lock.state}, not held`);
  endSlotsOf(step, lock, why);
  step.audit.push({
    event: why.reason,
    by: why.by,
    user: lock.user,
    key: lock.key,
    board: lock.board,
    token: formatToken(lock.token),
    detail: why.note,
  });
  step.effects.push({ kind: 'lock-ended', lock, ...why });
  const job = lock.job === undefined ? undefined : step.state.jobs.get(lock.job);
  const board = step.state.boards.get(lock.board);
  const last = step.state.locks.get(lock.board) ?? lock;
  const isSafe = !job && !mustGoOff(step, last);
  if (isSafe && last.file !== 'there') return removeLock(step, last);
  const { slotTicket: _slot, idleAt: _idle, ...rest } = last;
  const ending: Ending = { ...why, since: step.now, ...(isSafe ? {} : endingLimit(step, board)) };
  const leaving: LockRecord = { ...rest, state: 'ending', ending };
  step.put('lock', lock.board, leaving);
  if (job) requestJobEnd(step, job, why.by, endingText(why), { limit: false });
  else if (isSafe) removeLock(step, leaving);
  else step.effects.push({ kind: 'power-off', board: lock.board, token: lock.lastToken });
}

/** The limit of an ending rests while the board's agent is away. */
export function endingLimit(step: Step, board: BoardRecord | undefined): { limitAt?: number } {
  return board?.agent === 'present' ? { limitAt: step.now + step.timing.endingMs } : {};
}

/**
 * The lock is over and its board safe: it is free, unless it is to leave service. A lock from a file is over when the
 * file is gone, which is removed only now.
 */
export function removeLock(step: Step, lock: LockRecord): void {
  if (lock.file === 'there' || lock.file === 'leaving') return leaveFile(step, lock);
  step.put('lock', lock.board, undefined);
  const board = step.state.boards.get(lock.board);
  if (board) noteRest(step, board);
  step.boardsToMatch.add(lock.board);
  step.effects.push({ kind: 'board-free', board: lock.board, token: lock.token });
}

function leaveFile(step: Step, lock: LockRecord): void {
  if (!lock.ending)
    throw new Error(`the lock file of ${lock.board} is to go while its lock is ${lock.state}`);
  // How long a folder takes is no fault of the board.
  const { limitAt: _limit, ...ending } = lock.ending;
  const { power: _power, switchedOn: _on, ...rest } = lock;
  step.put('lock', lock.board, { ...rest, file: 'leaving', ending });
}

function noteRest(step: Step, board: BoardRecord): void {
  if (board.removed && !mustStay(step, board)) return forgetBoard(step, board);
  const { service } = board;
  if (service.state === 'draining') {
    return step.put('board', board.name, {
      ...board,
      freeSince: step.now,
      service: { ...service, state: 'out' },
    });
  }
  // Written only where somebody reads it, since this is on the path of every release.
  if (step.state.usesSpread) step.put('board', board.name, { ...board, freeSince: step.now });
}

export function extend(step: Step, body: CommandTypes['extend']['body']): ChangeHolderReply {
  const found = findOwn(step, body.caller, body.board, body.key);
  if (found.kind !== 'done') return found;
  const { endsAt: _at, endsWallAt: _wall, ...rest } = found.lock;
  const lock = {
    ...rest,
    holdSeconds: body.holdSeconds,
    claimedAt: step.now,
    overdue: false,
    ...holdEnd(step, body.holdSeconds, found.lock.holdMaxAt),
  };
  step.put('lock', lock.board, lock);
  step.audit.push({
    event: 'extended',
    by: body.caller.user,
    board: body.board,
    detail: `${body.holdSeconds} s`,
  });
  return { kind: 'done', lock };
}

export function give(step: Step, body: CommandTypes['give']['body']): ChangeHolderReply {
  const found = findOwn(step, body.caller, body.board, body.key);
  if (found.kind !== 'done') return found;
  return changeHolder(step, found.lock, {
    user: body.user,
    key: body.newKey,
    by: body.caller.user,
    event: 'given',
    note: '',
  });
}

/** For whoever may release it by force. */
export function steal(step: Step, body: CommandTypes['steal']['body']): ChangeHolderReply {
  const lock = step.state.locks.get(body.board);
  if (!lock || lock.state === 'granted') return { kind: 'not-held' };
  if (!mayForce(step, body.caller, lock)) return { kind: 'not-allowed', lock };
  if (lock.state === 'ending') return { kind: 'reclaimed', lock };
  if (lock.origin === 'file') return { kind: 'from-file', lock };
  const user = body.caller.user;
  return changeHolder(step, lock, { user, key: body.newKey, by: user, event: 'stolen', note: body.note });
}

/** A new holder in one step, with a new token; not while a job runs, since that job is the old holder's. */
function changeHolder(
  step: Step,
  lock: LockRecord,
  to: { user: string; key: string; by: string; event: 'given' | 'stolen'; note: string },
): ChangeHolderReply {
  if (lock.job !== undefined) return { kind: 'job-running', lock };
  if (lock.power) return { kind: 'switching', lock };
  endSlotsOf(step, lock, { by: to.by });
  const { slotTicket: _slot, ...rest } = step.state.locks.get(lock.board) ?? lock;
  const token = step.drawToken();
  const taken: LockRecord = {
    ...rest,
    passedOn: true,
    heldWallAt: step.wallAt,
    claimedAt: step.now,
    user: to.user,
    key: to.key,
    set: to.user,
    token,
    lastToken: token,
    kind: 'lock',
    note: to.note,
  };
  step.put('lock', lock.board, withIdleEnd(step, taken));
  const detail = `from ${lock.user} to ${to.user}${to.note ? `: ${to.note}` : ''}`;
  step.audit.push({ event: to.event, by: to.by, board: lock.board, user: to.user, detail });
  step.effects.push({ kind: 'lock-ended', lock, reason: to.event, by: to.by, note: to.note });
  offerSlotOf(step, taken.board);
  return { kind: 'done', lock: step.state.locks.get(lock.board) ?? taken };
}

export function touch(step: Step, body: CommandTypes['touch']['body']): undefined {
  const lock = step.state.locks.get(body.board);
  if (lock?.state === 'held' && sameToken(lock.token, body.token) && lock.idleMaxSeconds !== undefined) {
    step.put('lock', lock.board, withIdleEnd(step, lock));
  }
}

export function findOwn(
  step: Step,
  caller: Caller,
  board: string,
  key: string,
): ChangeHolderReply & { lock?: LockRecord } {
  const lock = step.state.locks.get(board);
  if (!lock || lock.user !== caller.user || lock.state === 'granted') return { kind: 'not-held' };
  if (lock.key !== key) return { kind: 'wrong-key', lock };
  if (lock.state === 'held' && lock.origin === 'file') return { kind: 'from-file', lock };
  return lock.state === 'ending' ? { kind: 'reclaimed', lock } : { kind: 'done', lock };
}

function holdEnd(
  step: Step,
  holdSeconds: number,
  maxAt: number | undefined,
): { endsAt?: number; endsWallAt?: number } {
  const wantedAt = holdSeconds > 0 ? step.now + holdSeconds * 1000 : Number.POSITIVE_INFINITY;
  const endsAt = Math.min(wantedAt, maxAt ?? Number.POSITIVE_INFINITY);
  if (!Number.isFinite(endsAt)) return {};
  return { endsAt, endsWallAt: step.wallAt + endsAt - step.now };
}

function endingText(why: { reason: Ending['reason']; by: string; note: string }): string {
  const note = why.note ? ` (${why.note})` : '';
  switch (why.reason) {
    case 'forced':
      return `the lock was released by ${why.by}${note}`;
    case 'reclaimed':
      return `the hold was over and ${why.by} was next in line`;
    case 'idle':
      return 'the lock was idle for too long';
    case 'removed':
      return 'the board was taken out of the lab';
    default:
      return `the lock was released by ${why.by}${note}`;
  }
}
