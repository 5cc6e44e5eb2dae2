// What falls due by itself: deadlines, graces, unconfirmed grants, ends of holds, idle locks, endings that hang.
import { takeBack } from './grants.ts';
import { breakBoard, stopJob } from './jobs.ts';
import { failMaking, isMaking } from './lock-files.ts';
import { beginEnding } from './locks.ts';
import { closeStep } from './match.ts';
import { openDoors } from './restart.ts';
import { endGather } from './several.ts';
import type { Step } from './step.ts';
import { withdrawTicket } from './tickets.ts';

/** Of one record so many things may be due at one instant: its gathering, its grace and its deadline. */
const dueAtOnceMax = 3;

/**
 * Handles every timer that is due at the step's time, in order, and closes after each: a board that came free by one
 * is granted before a later deadline of somebody who waits for it, however late the tick.
 */
export function fireTimers(step: Step): void {
  const { timers } = step.state;
  let last = '';
  let times = 0;
  for (;;) {
    const [key, rank] = [timers.peek(), timers.peekRank()];
    if (key === undefined || !rank || rank[0] > step.now) return;
    const due = `${key} at ${rank}`;
    times = due === last ? times + 1 : 1;
    last = due;
    if (times > dueAtOnceMax) throw new Error(`timer ${due} fired and is still due`);
    fire(step, key);
    closeStep(step);
  }
}

function fire(step: Step, key: string): void {
  if (key === 'meta') return openDoors(step);
  const name = key.slice(2);
  switch (key[0]) {
    case 't':
      return fireTicket(step, Number(name));
    case 'l':
      return fireLock(step, name);
    case 'j':
      return fireJob(step, Number(name));
    case 'b':
      return fireBoard(step, name);
  }
}

function fireTicket(step: Step, id: number): void {
  const ticket = step.state.tickets.get(id);
  if (!ticket) return;
  if (ticket.offer && ticket.offer.confirmBy <= step.now) {
    return isMaking(step.state, ticket) ? failMaking(step, ticket) : takeBack(step, ticket);
  }
  const { gather } = ticket;
  if (!ticket.offer && gather && gather.state !== 'rested' && gather.until <= step.now)
    return endGather(step, ticket, gather);
  if (ticket.graceUntil !== undefined && ticket.graceUntil <= step.now) {
    return withdrawTicket(step, ticket, { by: 'system', why: 'grace' });
  }
  step.endTicket(ticket, { kind: 'timed-out' });
  step.audit.push({ event: 'timed-out', by: 'system', user: ticket.user, ticket: id });
}

function fireLock(step: Step, board: string): void {
  const lock = step.state.locks.get(board);
  if (!lock) return;
  if (lock.state === 'ending' && lock.ending) {
    const { limitAt: _limit, ...ending } = lock.ending;
    step.put('lock', board, { ...lock, ending });
    return breakBoard(step, board, 'the job or the power did not stop in time');
  }
  if (lock.idleAt !== undefined && lock.idleAt <= step.now) {
    return beginEnding(step, lock, { reason: 'idle', by: 'system', note: '' });
  }
  step.put('lock', board, { ...lock, overdue: true });
}

function fireJob(step: Step, id: number): void {
  const job = step.state.jobs.get(id);
  if (!job) return;
  if (job.endingLimitAt !== undefined && job.endingLimitAt <= step.now) {
    const { endingLimitAt: _limit, ...rest } = job;
    step.put('job', String(id), rest);
    return breakBoard(step, job.board, 'the job did not stop in time');
  }
  stopJob(step, job, job.user, 'the client was away for too long');
}

function fireBoard(step: Step, name: string): void {
  const board = step.state.boards.get(name);
  if (!board) return;
  step.put('board', name, { ...board, service: { state: 'in' } });
  step.audit.push({ event: 'resume', by: 'system', board: name, detail: 'its time out of service is over' });
  step.boardsToMatch.add(name);
}
