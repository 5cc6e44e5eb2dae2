// Tickets for several boards by brute force, from the records alone: what they need, how much of it a list of boards
// covers, and what must hold while boards are kept for them. Pure.
import type { LabDefinition, TicketRecord } from '../../domain/records.ts';
import type { Records } from './mirror.ts';
import { boardsFor, isUsable } from './record-checks.ts';

export interface NeedBoards {
  readonly boards: readonly string[];
  readonly count: number;
}

export function needsFor(lab: LabDefinition, ticket: TicketRecord): NeedBoards[] {
  if (!ticket.parts) return [{ boards: boardsFor(lab, ticket), count: 1 }];
  return ticket.parts.map(({ target, count }) => ({
    boards: boardsFor(lab, { kind: 'lock', target }),
    count,
  }));
}

/** How many of the boards can be used at once, each for one need. Tries everything. */
export function countMatched(needs: readonly NeedBoards[], boards: readonly string[]): number {
  const [board, ...rest] = boards;
  if (board === undefined) return 0;
  let best = countMatched(needs, rest);
  for (const [at, need] of needs.entries()) {
    if (need.count === 0 || !need.boards.includes(board)) continue;
    const left = needs.map((other, index) => (index === at ? { ...other, count: other.count - 1 } : other));
    best = Math.max(best, 1 + countMatched(left, rest));
  }
  return best;
}

/**
 * The same in another way, for each step: by the theorem of Hall, in the form of the smallest cut. For every choice of
 * needs, what the others want and the given boards that would do for a chosen one are a limit; the least is reached.
 */
export function countServed<B>(
  needs: readonly { readonly spots: readonly B[]; readonly count: number }[],
  given: readonly B[],
): number {
  let least = Number.POSITIVE_INFINITY;
  for (let chosen = 0; chosen < 1 << needs.length; chosen += 1) {
    let limit = 0;
    for (let at = 0; at < needs.length; at += 1)
      if (((chosen >> at) & 1) === 0) limit += needs[at]?.count ?? 0;
    for (const board of given) if (isIn(board, needs, chosen)) limit += 1;
    least = Math.min(least, limit);
  }
  return least;
}

function isIn<B>(board: B, needs: readonly { readonly spots: readonly B[] }[], chosen: number): boolean {
  for (let at = 0; at < needs.length; at += 1)
    if (((chosen >> at) & 1) === 1 && needs[at]?.spots.includes(board)) return true;
  return false;
}

/** Whether boards may be kept for it: not while it rests, and never in a lab that gives that no time. */
export function mayGather(lab: LabDefinition, ticket: TicketRecord): boolean {
  return lab.gatherSeconds > 0 && ticket.gather?.state !== 'resting';
}

/** The number of each grant of the ticket's offer, and for which of its needs it is. */
export function grantNumbers(ticket: TicketRecord): [part: number, number: number][] {
  const { offer, parts } = ticket;
  if (!offer) return [];
  if (!offer.all || !parts) return [[0, offer.grantNumber]];
  const partOf = parts.flatMap(({ count }, part) => Array.from({ length: count }, () => part));
  return offer.all.map(({ grantNumber }, at) => [partOf[at] ?? 0, grantNumber]);
}

/**
 * All or none: of what is kept nothing is more than a ticket lacks, and it is kept for one that waits and gathers. No
 * board is free that a gathering ticket lacks, nor boards that together are all that any of them wants.
 */
export function checkGathering(state: Records): string[] {
  const problems: string[] = [];
  const boards = [...state.boards.values()].filter(
    (board) => isUsable(board) && !state.locks.has(board.name),
  );
  for (const board of state.boards.values()) {
    if (board.keptFor === undefined) continue;
    const ticket = state.tickets.get(board.keptFor);
    const about = `${board.name} is kept for ticket ${board.keptFor}`;
    if (!boards.includes(board)) problems.push(`${about} and is not free`);
    if (ticket?.state !== 'waiting') problems.push(`${about}, which is ${ticket?.state ?? 'over'}`);
    else if (ticket.gather?.state !== 'gathering') problems.push(`${about}, which does not gather`);
  }
  const free = boards.filter((board) => board.keptFor === undefined).map(({ name }) => name);
  for (const ticket of state.tickets.values()) {
    if (!ticket.parts) continue;
    const needs = needsFor(state.lab, ticket);
    const kept = boards.filter((board) => board.keptFor === ticket.id).map(({ name }) => name);
    const had = countMatched(needs, kept);
    if (had !== kept.length) problems.push(`more is kept for ticket ${ticket.id} than it lacks`);
    if (ticket.state !== 'waiting' || state.meta.mode !== 'open') continue;
    const most = countMatched(needs, [...kept, ...free]);
    const wanted = needs.reduce((sum, { count }) => sum + count, 0);
    if (most === wanted) problems.push(`ticket ${ticket.id} waits while all its boards are free`);
    if (mayGather(state.lab, ticket) && most > had)
      problems.push(`ticket ${ticket.id} waits while a board that it lacks is free`);
  }
  return problems;
}
