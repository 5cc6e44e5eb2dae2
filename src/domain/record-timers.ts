// When each record wants to be looked at next, in scheduler milliseconds; undefined: never by itself. Pure.
import type { BoardRecord, JobRecord, LockRecord, TicketRecord } from './records.ts';

export function boardTimer(board: BoardRecord | undefined): number | undefined {
  return board && board.service.state !== 'in' ? board.service.until : undefined;
}

export function lockTimer(lock: LockRecord | undefined): number | undefined {
  if (!lock) return undefined;
  if (lock.state === 'ending') return lock.ending?.limitAt;
  if (lock.state !== 'held') return undefined;
  return earliest(lock.overdue ? undefined : lock.endsAt, lock.idleAt);
}

/** `settleUntil`: deadlines run on while the server settles, but take effect after it. */
export function ticketTimer(ticket: TicketRecord, settleUntil: number): number | undefined {
  const deadline = ticket.deadline === undefined ? undefined : Math.max(ticket.deadline, settleUntil);
  const own = ticket.state === 'offered' ? ticket.offer?.confirmBy : deadline;
  const gather = ticket.offer || ticket.gather?.state === 'rested' ? undefined : ticket.gather?.until;
  return earliest(own, ticket.graceUntil, gather);
}

export function jobTimer(job: JobRecord): number | undefined {
  return earliest(job.graceUntil, job.endingLimitAt);
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const set = times.filter((time) => time !== undefined);
  return set.length > 0 ? Math.min(...set) : undefined;
}
