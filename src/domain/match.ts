// Brings free boards and waiting tickets together, and takes boards back from holders past their end. Runs at
// the close of every step, over just the boards and tickets that the step touched.

import { beginEnding, removeLock } from './locks.ts';
import type { LockRecord, Offer, TicketRecord } from './records.ts';
import { offerIdleSlot, unofferSlot } from './slots.ts';
import { type State, turnKey } from './state.ts';
import type { Step } from './step.ts';
import { compareRanks, type Rank } from './ticket-queue.ts';

/** Grants until no touched free board has a waiting ticket, then looks for holders who must make room. */
export function closeStep(step: Step): void {
  if (step.state.meta.mode === 'open') {
    for (const board of step.boardsToMatch) matchBoard(step, board);
    for (const id of step.ticketsToMatch) matchTicket(step, id);
  }
  step.boardsToMatch.clear();
  step.ticketsToMatch.clear();
  for (const key of step.setsToReview) reviewHolds(step, key);
  step.setsToReview.clear();
}

/** The ticket that is next in line for a board: the smallest rank among the heads of its queues. */
export function nextInLine(state: State, board: string): { ticket: number; rank: Rank } | undefined {
  let best: { ticket: number; rank: Rank } | undefined;
  for (const set of state.setsOf(board)) {
    const head = set.queue.head();
    if (head && (!best || compareRanks(head.rank, best.rank) < 0)) best = head;
  }
  return best;
}

function matchBoard(step: Step, board: string): void {
  if (!step.state.isFree(board)) return;
  const next = nextInLine(step.state, board);
  const ticket = next && step.state.tickets.get(next.ticket);
  if (ticket) grant(step, ticket, board);
}

/** A ticket that began to wait: any board still free in its set has nobody else waiting for it. */
function matchTicket(step: Step, id: number): void {
  const ticket = step.state.tickets.get(id);
  if (ticket?.state !== 'waiting') return;
  if (ticket.kind === 'slot') return offerIdleSlot(step, ticket);
  const board = step.state.getSet(ticket.queue).firstFree();
  if (board !== undefined) grant(step, ticket, board);
}

function grant(step: Step, ticket: TicketRecord, board: string): void {
  const token = step.drawToken();
  const grantNumber = step.drawNumber();
  step.put('lock', board, {
    board,
    token,
    lastToken: token,
    user: ticket.user,
    key: ticket.key,
    set: ticket.set,
    state: 'granted',
    kind: ticket.kind === 'run' ? 'run' : 'lock',
    ticket: ticket.id,
    grantedWallAt: step.wallAt,
    holdSeconds: ticket.holdSeconds,
    overdue: false,
    note: ticket.note,
  });
  const before = raiseTurn(step, ticket, grantNumber);
  const offer: Offer = { board, token, confirmBy: step.now + step.timing.confirmMs, grantNumber, ...before };
  step.putTicket({ ...ticket, state: 'offered', offer });
  step.effects.push({ kind: 'offer', ticket: ticket.id, board, token });
  step.audit.push({
    event: 'granted',
    by: 'system',
    user: ticket.user,
    key: ticket.key,
    board,
    ticket: ticket.id,
  });
}

/** Only a set that has other tickets in the queue needs its turn kept: later arrivals are larger anyway. */
function raiseTurn(step: Step, ticket: TicketRecord, number: number): { turnBefore?: number } {
  const key = turnKey(ticket.queue, ticket.set);
  if ((step.state.ticketsInTurn.get(key) ?? 0) < 2) return {};
  const before = step.state.turns.get(key)?.number;
  step.put('turn', key, { queue: ticket.queue, set: ticket.set, number });
  return before === undefined ? {} : { turnBefore: before };
}

/**
 * Takes an unconfirmed grant back. The ticket is parked: its client gave no sign of life in time, and is given
 * nothing until it does. A grant taken back is as if it had not been: the set's turn is as before, unless
 * another grant of the set has raised it since.
 */
export function takeBack(step: Step, ticket: TicketRecord): void {
  const { offer, ...rest } = ticket;
  if (!offer) throw new Error(`ticket ${ticket.id} has no offer to take back`);
  step.putTicket({
    ...rest,
    state: 'parked',
    graceUntil: ticket.graceUntil ?? step.now + step.timing.graceMs,
  });
  freeOffer(step, ticket, offer);
  step.audit.push({
    event: 'taken-back',
    by: 'system',
    user: ticket.user,
    board: offer.board,
    ticket: ticket.id,
  });
  step.effects.push({ kind: 'ping', ticket: ticket.id });
}

/** Frees what an offer holds: the granted board or the reserved job slot. */
export function freeOffer(step: Step, ticket: TicketRecord, offer: Offer): void {
  const lock = step.state.locks.get(offer.board);
  if (!lock) return;
  if (ticket.kind === 'slot') return unofferSlot(step, lock, ticket.id);
  const key = turnKey(ticket.queue, ticket.set);
  if (step.state.turns.get(key)?.number === offer.grantNumber) {
    const turn = { queue: ticket.queue, set: ticket.set, number: offer.turnBefore ?? 0 };
    step.put('turn', key, offer.turnBefore === undefined ? undefined : turn);
  }
  removeLock(step, lock);
}

// ---- reclaiming ----

/** If the head of this queue could have a board whose holder is past its end, asks whether its client lives. */
function reviewHolds(step: Step, key: string): void {
  const found = findReclaim(step, key);
  if (found) step.effects.push({ kind: 'ping', ticket: found.ticket });
}

/** The ticket's client has just answered: if it is still next in line for an overdue board, take that one. */
export function reclaimFor(step: Step, ticket: TicketRecord): void {
  if (ticket.kind === 'slot' || ticket.state !== 'waiting') return;
  const found = findReclaim(step, ticket.queue);
  if (found?.ticket === ticket.id)
    beginEnding(step, found.lock, { reason: 'reclaimed', by: ticket.user, note: '' });
}

function findReclaim(step: Step, key: string): { ticket: number; lock: LockRecord } | undefined {
  const { state } = step;
  const set = state.findSet(key);
  const head = set?.queue.head();
  if (!set || !head || state.meta.mode !== 'open') return undefined;
  const board = set.longestOverdue(step.now);
  const lock = board === undefined ? undefined : state.locks.get(board);
  if (!lock || nextInLine(state, lock.board)?.ticket !== head.ticket) return undefined;
  // A board of the set that is ending already will be this ticket's: one is enough.
  for (const ending of set.endingBoards()) {
    if (nextInLine(state, ending)?.ticket === head.ticket) return undefined;
  }
  return { ticket: head.ticket, lock };
}
