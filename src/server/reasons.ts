// Why a ticket waits, typed and in words, from committed state.
import { boardsInMaking, isMaking } from '../domain/lock-files.ts';
import type { BoardRecord, LockRecord, Service, TicketRecord } from '../domain/records.ts';
import { inLabOrder } from '../domain/several.ts';
import type { State } from '../domain/state.ts';
import { queuesOf } from '../domain/ticket-parts.ts';
import type { Reason } from '../protocol/views.ts';
import { clockTime } from './text.ts';

/** Reasons given for one ticket; a pool of hundreds has more than anybody reads. */
const reasonsMax = 8;

export function reasonsFor(state: State, ticket: TicketRecord, place: number | undefined): Reason[] {
  if (state.meta.mode === 'settling') {
    return [{ kind: 'settling', text: 'the server has just started and waits for its clients' }];
  }
  if (ticket.offer && isMaking(state, ticket)) {
    return boardsInMaking(state, ticket).map((board) => {
      return { kind: 'lock-file', board, text: `the lock file of ${board} is being made` };
    });
  }
  if (ticket.kind === 'slot') return [slotReason(state, ticket)];
  if (ticket.parts) return severalReasons(state, ticket, place);
  const boards = state.getSet(ticket.queue).boards;
  const reasons: Reason[] = [];
  if (place !== undefined && place > 0)
    reasons.push({ kind: 'behind', text: `behind ${place} other${place === 1 ? '' : 's'}` });
  const ownAll = boards.every((name) => isOwn(state.locks.get(name), ticket));
  if (ownAll) {
    reasons.push({ kind: 'held-by-you', text: 'you hold every board of it with this key; release one' });
  }
  reasons.push(...boardReasons(state, boards));
  return reasons;
}

function boardReasons(state: State, boards: readonly string[]): Reason[] {
  return boards.slice(0, reasonsMax).flatMap((name) => {
    const board = state.boards.get(name);
    return (board && boardReason(board, state.lockOn(name))) ?? [];
  });
}

/** What is kept for it already, or that it lets others go first for a while; then why it has not got the rest. */
function severalReasons(state: State, ticket: TicketRecord, place: number | undefined): Reason[] {
  const reasons: Reason[] = [];
  if (place !== undefined && place > 0)
    reasons.push({ kind: 'behind', text: `behind ${place} other${place === 1 ? '' : 's'}` });
  const kept = inLabOrder(state, [...(state.keptBy.get(ticket.id) ?? [])]);
  if (kept.length > 0)
    reasons.push({ kind: 'gathering', text: `kept until all can be had: ${kept.join(', ')}` });
  if (ticket.gather?.state === 'resting')
    reasons.push({ kind: 'resting', text: 'lets others go first for a while, unless all come free at once' });
  const shownMax = reasonsMax + kept.length;
  const boards = new Set(queuesOf(ticket).flatMap((queue) => state.getSet(queue).boards.slice(0, shownMax)));
  return [
    ...reasons,
    ...boardReasons(
      state,
      [...boards].filter((board) => !kept.includes(board)),
    ),
  ];
}

function isOwn(lock: LockRecord | undefined, ticket: TicketRecord): boolean {
  return lock?.user === ticket.user && lock.key === ticket.key && lock.state === 'held';
}

function slotReason(state: State, ticket: TicketRecord): Reason {
  const mine = (ticket.slotBoards ?? []).find((name) => isOwn(state.locks.get(name), ticket));
  if (mine === undefined) return { kind: 'no-slot', text: 'you hold none of its boards with this key yet' };
  const isSwitching = state.locks.get(mine)?.power !== undefined;
  const text = isSwitching ? `the power of ${mine} is being switched` : `a job of yours runs on ${mine}`;
  return { kind: 'no-slot', board: mine, text };
}

/** Why nobody gets this board now; undefined if it is free. */
export function boardReason(board: BoardRecord, lock: LockRecord | undefined): Reason | undefined {
  const { name } = board;
  if (board.health.state === 'broken') {
    return {
      kind: 'broken',
      board: name,
      by: board.health.by,
      text: `${name} is broken: ${board.health.why}`,
    };
  }
  if (board.service.state !== 'in') return serviceReason(name, board.service);
  // Also where the lock was given under the name that the board had before.
  if (lock && board.succeeds) return lockReason(lock);
  if (board.agent === 'away')
    return { kind: 'agent-away', board: name, text: `the agent of ${name} is away` };
  if (board.fileFault) {
    const text = `${name} can't be locked by its lock file: ${board.fileFault.why}`;
    return { kind: 'lock-file', board: name, text };
  }
  if (board.keptFor !== undefined) {
    const text = `${name} is kept for ticket ${board.keptFor}, which waits for more boards`;
    return { kind: 'kept', board: name, text };
  }
  return lock && lockReason(lock);
}

function serviceReason(board: string, service: Exclude<Service, { state: 'in' }>): Reason {
  const { state, by, note, sinceWallAt: sinceAt, untilWallAt: untilAt } = service;
  const what = state === 'out' ? 'out of service' : 'leaving service';
  const since = sinceAt === undefined ? '' : ` since ${clockTime(sinceAt)}`;
  const until = untilAt === undefined ? '' : `, until ${clockTime(untilAt)}`;
  return {
    kind: state,
    board,
    by,
    ...(sinceAt === undefined ? {} : { sinceAt }),
    ...(untilAt === undefined ? {} : { untilAt }),
    text: `${board} is ${what}${since}, by ${by}${until}${note ? `: ${note}` : ''}`,
  };
}

function lockReason(lock: LockRecord): Reason {
  const { board, user } = lock;
  if (lock.file === 'leaving') {
    return { kind: 'ending', board, by: user, text: `the lock file of ${user} on ${board} is being removed` };
  }
  if (lock.state === 'ending') {
    return { kind: 'ending', board, by: user, text: `${board} is being switched off after ${user}` };
  }
  const sinceAt = lock.heldWallAt ?? lock.grantedWallAt;
  const until = lock.endsWallAt === undefined ? '' : `, until ${clockTime(lock.endsWallAt)} at the earliest`;
  return {
    kind: 'held',
    board,
    by: user,
    sinceAt,
    ...(lock.endsWallAt === undefined ? {} : { untilAt: lock.endsWallAt }),
    text: `${board} is held by ${user} since ${clockTime(sinceAt)}${until}${lock.origin === 'file' ? ', by a lock file' : ''}`,
  };
}
