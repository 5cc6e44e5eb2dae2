// Brings free boards and waiting tickets together, and takes boards back from holders past their end. Runs at
// the close of every step, over just the boards and tickets that the step touched.

import { beginEnding, removeLock } from './locks.ts';
import { secureFree } from './power.ts';
import type { LockRecord, Offer, TicketRecord } from './records.ts';
import { openDoors } from './restart.ts';
import { offerIdleSlot, unofferSlot } from './slots.ts';
import { type State, turnKey } from './state.ts';
import type { Step } from './step.ts';
import { formatTarget } from './target.ts';
import type { TargetSet } from './target-set.ts';
import { compareRanks, type Rank } from './ticket-queue.ts';

/** Grants until no touched free board has a waiting ticket, then looks for holders who must make room. */
export function closeStep(step: Step): void {
  for (const board of step.boardsToMatch) secureFree(step, board);
  if (step.state.meta.mode === 'settling' && step.state.settlingTickets === 0) openDoors(step);
  if (step.state.meta.mode === 'open') {
    for (const board of step.boardsToMatch) matchBoard(step, board);
    // In order of arrival: job slots are served so.
    for (const id of [...step.ticketsToMatch].sort((a, b) => a - b)) matchTicket(step, id);
    reviewHolds(step);
  }
  step.boardsToMatch.clear();
  step.ticketsToMatch.clear();
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

/** Grants until the board is taken or nobody waits for it. */
function matchBoard(step: Step, board: string): void {
  while (step.state.isFree(board)) {
    const found = findGrant(step.state, board);
    if (!found) return;
    grant(step, found.ticket, found.board);
  }
}

/** A ticket that began to wait: what is still free in its set goes to whoever is next in line for that. */
function matchTicket(step: Step, id: number): void {
  for (;;) {
    const ticket = step.state.tickets.get(id);
    if (ticket?.state !== 'waiting') return;
    if (ticket.kind === 'slot') return offerIdleSlot(step, ticket);
    const board = step.state.getSet(ticket.queue).firstFree();
    if (board === undefined) return;
    matchBoard(step, board);
  }
}

/**
 * Who gets what, beginning at a free board. The ticket next in line for it gets its own first choice, which is another
 * board where several came free together; unless somebody else comes before it there, who is then served first.
 * Ends, since each look finds a smaller rank.
 */
function findGrant(state: State, board: string): { ticket: TicketRecord; board: string } | undefined {
  for (let at = board; ; ) {
    const next = nextInLine(state, at);
    const ticket = next && state.tickets.get(next.ticket);
    if (!ticket) return undefined;
    const choice = firstChoice(state, ticket) ?? at;
    if (choice === at || nextInLine(state, choice)?.ticket === ticket.id) return { ticket, board: choice };
    at = choice;
  }
}

/** The free board that comes first for this ticket: as its own pool lists them, which an equal pool may do otherwise. */
function firstChoice(state: State, ticket: TicketRecord): string | undefined {
  const set = state.getSet(ticket.queue);
  if (set.freeCount < 2) return set.firstFree();
  const listed = state.labIndex.resolve(ticket.target, ticket.needs).boards;
  const spread = state.labIndex.isSpread(ticket.target);
  if (spread === set.spread && set.isListedAs(listed)) return set.firstFree();
  let best: { name: string; suspect: number; since: number } | undefined;
  for (const name of listed) {
    const board = state.boards.get(name);
    if (!board || !state.isFree(name)) continue;
    const suspect = board.health.state === 'suspect' ? 1 : 0;
    const since = spread ? board.freeSince : 0;
    if (!best || suspect < best.suspect || (suspect === best.suspect && since < best.since))
      best = { name, suspect, since };
  }
  return best?.name;
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
    ...(step.state.boards.get(board)?.mayBeOn ? { foundOn: true } : {}),
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
export function raiseTurn(step: Step, ticket: TicketRecord, number: number): { turnBefore?: number } {
  if (step.state.lab.discipline === 'fifo') return {};
  const key = turnKey(ticket.queue, ticket.set);
  if ((step.state.ticketsInTurn.get(key) ?? 0) < 2) return {};
  const before = step.state.turns.get(key)?.number;
  step.put('turn', key, { queue: ticket.queue, set: ticket.set, number });
  return before === undefined ? {} : { turnBefore: before };
}

/**
 * Takes an unconfirmed grant back. The ticket is parked: its client gave no sign of life in time, and is given
 * nothing until it does. (Of a detached ticket the server is the client: it waits on.) A grant taken back is as if
 * it had not been: the set's turn is as before, unless another grant of the set has raised it since.
 */
export function takeBack(step: Step, ticket: TicketRecord): void {
  const { offer } = ticket;
  if (!offer) throw new Error(`ticket ${ticket.id} has no offer to take back`);
  const away = ticket.detached ? {} : { graceUntil: ticket.graceUntil ?? step.now + step.timing.graceMs };
  waitOn(step, { ...ticket, ...away });
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

/** An offered ticket loses its offer and keeps its place: it waits, or is parked where its client is away. */
export function waitOn(step: Step, ticket: TicketRecord): void {
  const { offer: _offer, ...rest } = ticket;
  if (step.state.labIndex.resolveTicket(ticket).boards.length > 0)
    return step.putTicket({ ...rest, state: ticket.graceUntil === undefined ? 'waiting' : 'parked' });
  // The configuration has changed since the offer.
  const message = `The lab has no board for ${formatTarget(ticket.target)} any more.`;
  step.endTicket(ticket, { kind: 'refused', why: { kind: 'no-board', message } });
}

/** Frees what an offer holds: the granted board or the reserved job slot. */
export function freeOffer(step: Step, ticket: TicketRecord, offer: Offer): void {
  const lock = step.state.locks.get(offer.board);
  if (!lock) return;
  if (ticket.kind === 'slot') return unofferSlot(step, lock, ticket.id);
  lowerTurn(step, ticket, offer);
  removeLock(step, lock);
}

/** The set's turn without this grant. Another offer of the set may have built on it. */
function lowerTurn(step: Step, ticket: TicketRecord, offer: Offer): void {
  const { queue, set } = ticket;
  const { grantNumber, turnBefore } = offer;
  const key = turnKey(queue, set);
  const turn = step.state.turns.get(key);
  if (turn?.number === grantNumber) {
    return step.put('turn', key, turnBefore === undefined ? undefined : { queue, set, number: turnBefore });
  }
  if (!turn || turn.number < grantNumber) return;
  for (const id of step.state.ticketsByUser.get(ticket.user) ?? []) {
    const other = step.state.tickets.get(id);
    if (other?.queue !== queue || other.set !== set || other.offer?.turnBefore !== grantNumber) continue;
    const { turnBefore: _before, ...rest } = other.offer;
    const later = { ...rest, ...(turnBefore === undefined ? {} : { turnBefore }) };
    step.put('ticket', String(id), { ...other, offer: later });
  }
}

// ---- reclaiming ----

/**
 * Where the head of a queue could have a board whose holder is past its end, asks whether its client lives. What was
 * touched in one queue may make another's head next in line for a board of both.
 */
function reviewHolds(step: Step): void {
  const { state } = step;
  const queues = new Set<string>();
  for (const key of step.setsToReview) {
    const set = state.findSet(key);
    if (!set) continue;
    queues.add(key);
    for (const other of neighbours(state, set, step.now)) queues.add(other.key);
  }
  for (const key of queues) {
    const found = findReclaim(step, key);
    if (found) step.effects.push({ kind: 'ping', ticket: found.ticket });
  }
}

/** The ticket's client has just answered: if it is still next in line for an overdue board, take that one. */
export function reclaimFor(step: Step, ticket: TicketRecord): void {
  if (ticket.kind === 'slot' || ticket.state !== 'waiting') return;
  const found = findReclaim(step, ticket.queue);
  if (found?.ticket === ticket.id)
    beginEnding(step, found.lock, { reason: 'reclaimed', by: ticket.user, note: '' });
}

/** Sets with waiting tickets that share a board with this one, and perhaps some that don't: by the shorter way. */
function neighbours(state: State, set: TargetSet, now: number): Iterable<TargetSet> {
  if (state.busySets.size <= set.holdCount) return state.busySets;
  const boards = [...set.overdueBoards(now), ...set.endingBoards()];
  return new Set(boards.flatMap((board) => state.setsOf(board)));
}

function findReclaim(step: Step, key: string): { ticket: number; lock: LockRecord } | undefined {
  const { state } = step;
  const set = state.findSet(key);
  const head = set?.queue.head();
  if (!set || !head || state.meta.mode !== 'open' || !set.hasOverdue(step.now)) return undefined;
  const isNext = (board: string): boolean => nextInLine(state, board)?.ticket === head.ticket;
  if (isBehindEverywhere(state, set, head.rank, step.now)) return undefined;
  // A board of the set that is ending already will be this ticket's: one is enough.
  for (const ending of set.endingBoards()) {
    if (isNext(ending)) return undefined;
  }
  for (const board of set.overdueBoards(step.now)) {
    const lock = state.locks.get(board);
    if (lock && isNext(board)) return { ticket: head.ticket, lock };
  }
  return undefined;
}

/** Whether a set that has all these boards has somebody waiting who comes first; it saves looking at each board. */
function isBehindEverywhere(state: State, set: TargetSet, rank: Rank, now: number): boolean {
  const [board] = set.overdueBoards(now);
  return state.setsOf(board ?? '').some((other) => {
    const head = other === set ? undefined : other.queue.head();
    return head !== undefined && compareRanks(head.rank, rank) < 0 && other.covers(set);
  });
}
