// Brings free boards and waiting tickets together, and takes boards back from holders past their end. Runs at
// the close of every step, over just the boards and tickets that the step touched.

import { grantBoard, makeOffer } from './grants.ts';
import { beginEnding } from './locks.ts';
import { secureFree } from './power.ts';
import type { LockRecord, TicketRecord } from './records.ts';
import { openDoors } from './restart.ts';
import {
  countWithheld,
  endRest,
  findReclaims,
  firstOfSeveral,
  gather,
  isWantedBefore,
  reviewKept,
  serveSeveral,
} from './several.ts';
import { offerIdleSlot } from './slots.ts';
import type { State } from './state.ts';
import type { Step } from './step.ts';
import type { TargetSet } from './target-set.ts';
import { compareRanks, type Rank } from './ticket-queue.ts';

/** Grants until no touched free board has a waiting ticket, then looks for holders who must make room. */
export function closeStep(step: Step): void {
  for (const board of step.boardsToMatch) secureFree(step, board);
  if (step.state.meta.mode === 'settling' && step.state.settlingTickets === 0) openDoors(step);
  const isOpen = step.state.meta.mode === 'open';
  if (isOpen) matchAll(step);
  // Each round a board goes to somebody who comes before whom it was kept for: that ends.
  while (step.state.kept.size > 0 && reviewKept(step)) if (isOpen) matchAll(step);
  if (isOpen) reviewHolds(step);
  step.boardsToMatch.clear();
  step.ticketsToMatch.clear();
  step.setsToReview.clear();
  step.keptToReview.clear();
}

function matchAll(step: Step): void {
  while (step.boardsToMatch.size > 0 || step.ticketsToMatch.size > 0) {
    const boards = [...step.boardsToMatch];
    step.boardsToMatch.clear();
    for (const board of boards) matchBoard(step, board);
    // In order of arrival: job slots are served so.
    const tickets = [...step.ticketsToMatch].sort((a, b) => a - b);
    step.ticketsToMatch.clear();
    for (const id of tickets) matchTicket(step, id);
  }
}

/** Of those that ask for one board, the next in line for this one: the smallest rank among the heads of its queues. */
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
  const { state } = step;
  while (state.isFree(board)) {
    const isContended = state.severalTickets.size > 0;
    if (isContended && serveSeveral(step, board, nextInLine(state, board)?.rank)) continue;
    const found = findGrant(state, board);
    if (!found) return;
    const { ticket, board: choice } = found;
    if (isContended && choice !== board && serveSeveral(step, choice, nextInLine(state, choice)?.rank))
      continue;
    grant(step, ticket, choice);
  }
}

/** A ticket that began to wait: what is still free in its set goes to whoever is next in line for that. */
function matchTicket(step: Step, id: number): void {
  for (;;) {
    const ticket = step.state.tickets.get(id);
    if (ticket?.state !== 'waiting') return;
    if (ticket.kind === 'slot') return offerIdleSlot(step, ticket);
    if (ticket.parts) return gather(step, ticket);
    const set = step.state.getSet(ticket.queue);
    const board = set.firstFree();
    if (board === undefined) return;
    const { freeCount } = set;
    matchBoard(step, board);
    if (set.freeCount === freeCount)
      throw new Error(`${board} is free for ticket ${id}, and nobody was given it`);
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

function grant(step: Step, ticket: TicketRecord, board: string): void {
  const { queue: _queue, ...granted } = grantBoard(step, ticket, { board, queue: ticket.queue });
  makeOffer(step, ticket, granted);
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
  const several = new Set<number>();
  for (const key of queues) {
    const found = findReclaim(step, key);
    if (found) step.effects.push({ kind: 'ping', ticket: found.ticket });
    const set = state.findSet(key);
    if (set) countWithheld(step, set);
    if (set?.hasSeveral) for (const id of firstOfSeveral(state, set)) several.add(id);
  }
  for (const id of several) {
    const ticket = state.tickets.get(id);
    if (ticket && findReclaims(step, ticket).length > 0) step.effects.push({ kind: 'ping', ticket: id });
  }
}

/** The ticket's client has just answered: if it is still next in line for an overdue board, take that one. */
export function reclaimFor(step: Step, ticket: TicketRecord): void {
  if (ticket.kind === 'slot' || ticket.state !== 'waiting') return;
  const why = { reason: 'reclaimed', by: ticket.user, note: '' } as const;
  if (ticket.parts) {
    const locks = findReclaims(step, ticket);
    if (locks.length > 0) endRest(step, ticket);
    for (const lock of locks) beginEnding(step, lock, why);
    return;
  }
  const found = findReclaim(step, ticket.queue);
  if (found?.ticket === ticket.id) beginEnding(step, found.lock, why);
}

/** Sets with waiting tickets that share a board with this one, and perhaps some that don't: by the shorter way. */
function neighbours(state: State, set: TargetSet, now: number): Iterable<TargetSet> {
  if (set.holdCount === 0) return [];
  if (state.busySets.size <= set.holdCount) return state.busySets;
  const found = new Set<TargetSet>();
  for (const board of set.overdueBoards(now)) for (const other of state.setsOf(board)) found.add(other);
  for (const board of set.endingBoards()) for (const other of state.setsOf(board)) found.add(other);
  return found;
}

function findReclaim(step: Step, key: string): { ticket: number; lock: LockRecord } | undefined {
  const { state } = step;
  const set = state.findSet(key);
  if (!set?.hasOverdue(step.now) || state.meta.mode !== 'open') return undefined;
  const head = set.queue.head();
  if (!head) return undefined;
  const isNext = (board: string): boolean =>
    nextInLine(state, board)?.ticket === head.ticket && !isWantedBefore(state, board, head.rank);
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
