// Tickets for several boards: all of them in one step or none. As long as it lacks some, boards that come free are kept
// for such a ticket: those for which it is next in line, and that bring it nearer to having all. After gatherSeconds
// they go to the next tickets, and it rests: it keeps its place, and takes nothing unless it can have everything at
// once. Then it may gather again; each rest is twice as long as the one before, up to a limit.
//
// Of two such tickets that one step could complete, the one goes first that is next in line for the board that the step
// looks at first.
import { grantBoard, makeOffer } from './grants.ts';
import { matchBoards } from './matching.ts';
import type { Gather, Granted } from './offer.ts';
import type { LockRecord, TicketRecord } from './records.ts';
import { inOrderOf } from './several-line.ts';
import type { State } from './state.ts';
import type { Step } from './step.ts';
import type { TargetSet } from './target-set.ts';
import { queuesOf, wantedQueues } from './ticket-parts.ts';
import { compareRanks, type Rank } from './ticket-queue.ts';

interface InLine {
  readonly ticket: TicketRecord;
  readonly rank: Rank;
}

/**
 * Serves the first of those that come before `head`, whoever is next of the others, who has a use for what is free.
 * Returns whether one had: then the board may be taken or kept, and whoever is next in line may be somebody else.
 */
export function serveSeveral(step: Step, board: string, head: Rank | undefined): boolean {
  const before = step.changes.length;
  for (const { ticket, rank } of severalInLine(step.state, board)) {
    if (head && compareRanks(head, rank) < 0) break;
    gather(step, ticket);
    if (step.changes.length > before) return true;
  }
  return false;
}

/** Whether a ticket for several comes before this rank in the line for the board, and would have it kept. */
export function isWantedBefore(state: State, board: string, rank: Rank): boolean {
  if (state.severalTickets.size === 0) return false;
  for (const other of severalInLine(state, board)) {
    if (compareRanks(other.rank, rank) >= 0) return false;
    if (isShortOf(state, other.ticket, board)) return true;
  }
  return false;
}

/** Grants the waiting ticket all of its boards, if they can be had; else keeps what brings it nearer. */
export function gather(step: Step, ticket: TicketRecord): void {
  const kept = keptFor(step.state, ticket).filter((board) => isNextFor(step.state, board, ticket));
  const plan = planFor(step.state, ticket, [...kept, ...openTo(step.state, ticket)]);
  if (isComplete(plan)) return grantAll(step, ticket, plan);
  if (!mayGather(step.state, ticket)) return;
  const more = plan.filter((board) => board !== undefined && step.state.isFree(board));
  if (more.length === 0) return;
  for (const name of more) keep(step, name ?? '', ticket.id);
  beginGather(step, ticket);
}

/** Nothing is ever kept in a lab that gives it no time. */
function mayGather(state: State, ticket: TicketRecord): boolean {
  return state.lab.gatherSeconds > 0 && ticket.gather?.state !== 'resting';
}

function beginGather(step: Step, ticket: TicketRecord): void {
  if (ticket.gather?.state === 'gathering') return;
  const gatherMs = step.state.lab.gatherSeconds * 1000;
  const restMs = ticket.gather?.restMs ?? gatherMs;
  step.putTicket({ ...ticket, gather: { state: 'gathering', until: step.now + gatherMs, restMs } });
}

/** The time to gather, or to rest, is over. */
export function endGather(
  step: Step,
  ticket: TicketRecord,
  ended: Exclude<Gather, { state: 'rested' }>,
): void {
  const { restMs } = ended;
  // While its client was away, whatever was kept has gone on already.
  if (ended.state === 'resting' || ticket.state === 'parked')
    return step.putTicket({ ...ticket, gather: { state: 'rested', restMs } });
  const kept = [...(step.state.keptBy.get(ticket.id) ?? [])];
  const nextMs = Math.max(restMs, Math.min(2 * restMs, step.timing.gatherRestMsMax));
  const rest: Gather = { state: 'resting', until: step.now + restMs, restMs: nextMs };
  step.putTicket({ ...ticket, gather: rest });
  for (const other of othersOfSet(step.state, ticket)) step.putTicket({ ...other, gather: rest });
  for (const board of kept) letGo(step, board);
}

/**
 * Tickets of the same set that could gather some of the same boards next. They rest with it: else a set with many tickets
 * would have boards kept for one after the other, and nobody behind them would have a turn.
 */
function othersOfSet(state: State, ticket: TicketRecord): TicketRecord[] {
  const queues = queuesOf(ticket);
  return [...(state.ticketsByUser.get(ticket.user) ?? [])].flatMap((id) => {
    const other = state.tickets.get(id);
    if (!other?.parts || other.id === ticket.id || other.set !== ticket.set) return [];
    const isIdle = other.state !== 'offered' && (other.gather ?? { state: 'rested' }).state === 'rested';
    return isIdle && queuesOf(other).some((queue) => queues.includes(queue)) ? [other] : [];
  });
}

/** It is about to have everything: what comes free meanwhile is kept for it. */
export function endRest(step: Step, ticket: TicketRecord): void {
  const { gather } = ticket;
  if (gather?.state === 'resting')
    step.putTicket({ ...ticket, gather: { state: 'rested', restMs: gather.restMs } });
}

/**
 * Boards stay kept only for a ticket that waits, gathers, and is still next in line for them. Looks at those that the
 * step changed, and those in whose sets something changed: nobody else can have come before a ticket for another.
 * Returns whether one was let go: then there is somebody to match it with.
 */
export function reviewKept(step: Step): boolean {
  const boards = new Set(step.keptToReview);
  for (const set of step.setsToReview) {
    for (const board of step.state.findSet(set)?.keptBoards() ?? []) boards.add(board);
  }
  let hasChanged = false;
  for (const board of boards) {
    const id = step.state.kept.get(board);
    if (id === undefined) continue;
    const ticket = step.state.tickets.get(id);
    if (ticket && mayKeep(step.state, board, ticket)) continue;
    hasChanged = true;
    letGo(step, board);
    if (ticket?.state === 'waiting') step.ticketsToMatch.add(id);
  }
  return hasChanged;
}

/**
 * A board past the end of its hold is left to its holder as long as a ticket for several comes first for it and lacks
 * others. Where somebody waits behind that ticket, its time to gather runs as if the board were kept for it.
 */
export function countWithheld(step: Step, set: TargetSet): void {
  if (!set.hasSeveral || !set.hasOverdue(step.now)) return;
  for (const board of [...set.overdueBoards(step.now)]) {
    const first = findWithAnyoneBehind(step.state, board);
    if (first) beginGather(step, first);
  }
}

/** The first in the board's line that is short of it, where somebody waits behind. */
function findWithAnyoneBehind(state: State, board: string): TicketRecord | undefined {
  let first: InLine | undefined;
  for (const next of severalInLine(state, board)) {
    if (first) return first.ticket;
    if (isShortOf(state, next.ticket, board)) first = next;
  }
  const heads = state.setsOf(board).map((set) => set.queue.head());
  return heads.some((head) => first && head && compareRanks(first.rank, head.rank) < 0)
    ? first?.ticket
    : undefined;
}

/** All kept boards, at once: a start, or another configuration, has everybody begin anew. */
export function letAllGo(step: Step): void {
  for (const board of [...step.state.kept.keys()]) letGo(step, board);
}

/**
 * Holds past their end that the ticket needs, where it could have everything else now or as soon as what ends has
 * ended. Nobody is made to leave for a ticket that would still lack something.
 */
export function findReclaims(step: Step, ticket: TicketRecord): LockRecord[] {
  const { state } = step;
  if (ticket.state !== 'waiting' || state.meta.mode !== 'open') return [];
  const sets = queuesOf(ticket).map((queue) => state.getSet(queue));
  if (!sets.some((set) => set.hasOverdue(step.now))) return [];
  const isNext = (board: string): boolean => isNextFor(state, board, ticket);
  const countMax = wantedQueues(ticket).length;
  const ending = sets.flatMap((set) => firstOf(set.endingBoards(), isNext, countMax));
  const overdue = [...new Set(sets.flatMap((set) => firstOf(set.overdueBoards(step.now), isNext, countMax)))];
  const kept = keptFor(state, ticket).filter(isNext);
  const had = [...kept, ...openTo(state, ticket), ...new Set(ending)];
  const plan = planFor(state, ticket, [...had, ...overdue]);
  if (!isComplete(plan)) return [];
  const needed = new Set(plan);
  return overdue.flatMap((board) => (needed.has(board) ? (state.locks.get(board) ?? []) : []));
}

/** Of the tickets that wait for boards of this set and others, those that may be next in line for one: the first few. */
export function* firstOfSeveral(state: State, set: TargetSet): Generator<number> {
  for (const { arrival } of set.several.inOrder()) {
    yield arrival;
    const ticket = state.tickets.get(arrival);
    if (ticket && isShortOfAny(state, ticket, set.key)) return;
  }
}

/** Whether the lab, as configured now, has enough boards for the ticket, were they all free. */
export function canEverHave(state: State, ticket: Pick<TicketRecord, 'kind' | 'target' | 'needs'>): boolean {
  const { target, needs } = ticket;
  if (target.kind !== 'several') return state.labIndex.resolveTicket(ticket).boards.length > 0;
  const wanted = target.needs.flatMap((need) => Array.from({ length: need.count }, () => need.target));
  const partsOf = new Map<string, number[]>();
  for (const [part, one] of wanted.entries()) {
    // A longer list has one left whatever the others take.
    for (const board of state.labIndex.resolve(one, needs).boards.slice(0, wanted.length)) {
      const parts = partsOf.get(board);
      if (parts) parts.push(part);
      else partsOf.set(board, [part]);
    }
  }
  return isComplete(matchBoards([...partsOf.keys()], (board) => partsOf.get(board) ?? [], wanted.length));
}

/** Waiting tickets for several boards in whose line this board is, by their rank for it. Ends where the state changes. */
function* severalInLine(state: State, board: string): Generator<InLine> {
  const lines = state.setsOf(board).flatMap((set) => (set.hasSeveral ? [set.several] : []));
  for (const rank of inOrderOf(lines)) {
    const ticket = state.tickets.get(rank.arrival);
    if (ticket) yield { ticket, rank };
  }
}

/** The ticket's best rank in those of its queues that have the board. */
function rankFor(state: State, board: string, ticket: TicketRecord): Rank | undefined {
  const queues = queuesOf(ticket).filter((queue) => state.getSet(queue).has(board));
  if (queues.length === 0) return undefined;
  const turn = Math.min(...queues.map((queue) => state.turnOf(queue, ticket.set, ticket.id)));
  return { priority: ticket.priority, turn, arrival: ticket.id };
}

/** Whether nobody else comes before the ticket for this board: neither one that wants just it, nor one that gathers. */
function isNextFor(state: State, board: string, ticket: TicketRecord): boolean {
  const rank = rankFor(state, board, ticket);
  if (!rank) return false;
  for (const set of state.setsOf(board)) {
    const head = set.queue.head();
    if (head && compareRanks(head.rank, rank) < 0) return false;
  }
  return !isWantedBefore(state, board, rank);
}

/** Whether the board, kept for the gathering ticket, would bring it nearer to having all. */
function isShortOf(state: State, ticket: TicketRecord, board: string): boolean {
  if (!mayGather(state, ticket)) return false;
  const kept = keptFor(state, ticket).filter((other) => other !== board);
  return planFor(state, ticket, [...kept, board]).includes(board);
}

/** Whether each board of the queue, kept for the gathering ticket, would bring it nearer to having all. */
function isShortOfAny(state: State, ticket: TicketRecord, queue: string): boolean {
  if (!mayGather(state, ticket)) return false;
  const plan = planFor(state, ticket, keptFor(state, ticket));
  return wantedQueues(ticket).some((wanted, part) => wanted === queue && plan[part] === undefined);
}

function mayKeep(state: State, board: string, ticket: TicketRecord): boolean {
  if (ticket.state !== 'waiting' || ticket.gather?.state !== 'gathering') return false;
  return state.isFreeFor(board, ticket.id) && isNextFor(state, board, ticket);
}

/** Boards kept for the ticket that can still be granted, in the lab's order. */
function keptFor(state: State, ticket: TicketRecord): string[] {
  const mine = [...(state.keptBy.get(ticket.id) ?? [])];
  return inLabOrder(
    state,
    mine.filter((board) => state.isFreeFor(board, ticket.id)),
  );
}

export function inLabOrder(state: State, boards: string[]): string[] {
  const { ordinal } = state.labIndex;
  return boards.sort((a, b) => (ordinal.get(a) ?? 0) - (ordinal.get(b) ?? 0));
}

/**
 * Free boards that the ticket may have, of each set as many as it could use at most, in the set's order. For one that rests
 * also those that are kept for somebody behind it: nobody else would have them let go.
 */
function openTo(state: State, ticket: TicketRecord): string[] {
  const countMax = wantedQueues(ticket).length;
  const found = new Set<string>();
  const isNext = (board: string): boolean => isNextFor(state, board, ticket);
  for (const queue of queuesOf(ticket)) {
    for (const board of firstOf(state.getSet(queue).freeBoards(), isNext, countMax)) found.add(board);
  }
  if (ticket.gather?.state !== 'resting') return [...found];
  const kept = new Set(queuesOf(ticket).flatMap((queue) => [...state.getSet(queue).keptBoards()]));
  const others = [...kept].filter((board) => state.kept.get(board) !== ticket.id && isNext(board));
  return [...found, ...inLabOrder(state, others)];
}

function firstOf(boards: Iterable<string>, isFit: (board: string) => boolean, countMax: number): string[] {
  const found: string[] = [];
  for (const board of boards) {
    if (found.length === countMax) break;
    if (isFit(board)) found.push(board);
  }
  return found;
}

/** For each board that the ticket asks for the one that it would get. */
function planFor(state: State, ticket: TicketRecord, boards: readonly string[]): (string | undefined)[] {
  const sets = wantedQueues(ticket).map((queue) => state.getSet(queue));
  const partsFor = (board: string): number[] => sets.flatMap((set, part) => (set.has(board) ? [part] : []));
  return matchBoards(boards, partsFor, sets.length);
}

function isComplete(plan: readonly (string | undefined)[]): plan is readonly string[] {
  return !plan.includes(undefined);
}

function grantAll(step: Step, ticket: TicketRecord, plan: readonly string[]): void {
  const queues = wantedQueues(ticket);
  const all: Granted[] = inListedOrder(step.state, ticket, plan).map((board, part) => {
    const keeper = step.state.boards.get(board)?.keptFor;
    if (keeper !== undefined) unkeep(step, board);
    // Whoever has lost it to us may do with another that is free.
    if (keeper !== undefined && keeper !== ticket.id) step.ticketsToMatch.add(keeper);
    return grantBoard(step, ticket, { board, queue: queues[part] ?? '' });
  });
  const [first] = all;
  if (!first) throw new Error(`ticket ${ticket.id} asks for several boards and names none`);
  const { board, token, grantNumber } = first;
  makeOffer(step, ticket, { board, token, grantNumber, all });
}

/** The boards of each need in the order in which its target lists them. */
function inListedOrder(state: State, ticket: TicketRecord, plan: readonly string[]): string[] {
  let from = 0;
  return (ticket.parts ?? []).flatMap(({ target, count }) => {
    const { boards } = state.labIndex.resolve(target, ticket.needs);
    const mine = plan.slice(from, from + count);
    from += count;
    return mine.sort((a, b) => boards.indexOf(a) - boards.indexOf(b));
  });
}

function keep(step: Step, name: string, ticket: number): void {
  const board = step.state.boards.get(name);
  if (board) step.put('board', name, { ...board, keptFor: ticket });
}

function letGo(step: Step, name: string): void {
  unkeep(step, name);
  step.boardsToMatch.add(name);
}

/** Without it the ticket may want another board, which is kept for somebody behind it. */
function unkeep(step: Step, name: string): void {
  const board = step.state.boards.get(name);
  if (!board) return;
  const { keptFor, ...rest } = board;
  step.put('board', name, rest);
  const ticket = keptFor === undefined ? undefined : step.state.tickets.get(keptFor);
  for (const queue of ticket ? queuesOf(ticket) : []) step.setsToReview.add(queue);
}
