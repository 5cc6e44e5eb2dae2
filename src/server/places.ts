// Places: how many tickets would be served before one if nothing else arrived. An estimate for people, worked out
// from committed state, in the ticket's shortest queue; never on the path of a grant.

import type { TicketRecord } from '../domain/records.ts';
import type { State } from '../domain/state.ts';
import type { TargetSet } from '../domain/target-set.ts';
import { queuesOf } from '../domain/ticket-parts.ts';
import type { TicketQueue } from '../domain/ticket-queue.ts';

/** Boards of a set that are looked at; a longer list would cost more than the estimate is worth. */
const boardsLookedAtMax = 32;

/** The place of a waiting ticket: 0 is next. Undefined where it does not wait in a board's queue. */
export function placeOf(state: State, ticket: TicketRecord): number | undefined {
  if (ticket.state !== 'waiting' || ticket.kind === 'slot') return undefined;
  if (ticket.parts) {
    // It needs a board of each: the worst of its places is its own.
    const places = queuesOf(ticket).map((queue) => placeIn(state, ticket, queue) ?? 0);
    return Math.max(...places);
  }
  return placeIn(state, ticket, ticket.queue);
}

function placeIn(state: State, ticket: TicketRecord, queue: string): number | undefined {
  const own = state.getSet(queue);
  const rounds = roundsBefore(own.queue, ticket);
  const turn = state.turnOf(queue, ticket.set, ticket.id);
  let best: number | undefined;
  for (const board of own.boards.slice(0, boardsLookedAtMax)) {
    let ahead = 0;
    for (const set of state.setsOf(board)) {
      ahead += countAhead(set.queue, ticket, { rounds, turn });
      ahead += countSeveral(state, set, { ticket, turn });
    }
    if (best === undefined || ahead < best) best = ahead;
  }
  return best;
}

/** Tickets for several boards that come before it. */
function countSeveral(state: State, set: TargetSet, about: { ticket: TicketRecord; turn: number }): number {
  const { ticket, turn } = about;
  let ahead = 0;
  for (const id of set.several) {
    const other = id === ticket.id ? undefined : state.tickets.get(id);
    if (!other) continue;
    const theirs = state.turnOf(set.key, other.set, id);
    const difference = other.priority - ticket.priority || theirs - turn || id - ticket.id;
    if (difference < 0) ahead += 1;
  }
  return ahead;
}

/** How many tickets of its own set and class come before it. */
function roundsBefore(queue: TicketQueue, ticket: TicketRecord): number {
  for (const group of queue.groups()) {
    if (group.priority === ticket.priority && group.set === ticket.set)
      return Math.max(0, group.arrivals.indexOf(ticket.id));
  }
  return 0;
}

/**
 * Tickets of a queue served before the ticket. Sets take turns, so when its set has had `rounds` grants, each other
 * set has had as many, and one more if its turn comes before.
 */
function countAhead(queue: TicketQueue, ticket: TicketRecord, at: { rounds: number; turn: number }): number {
  let ahead = 0;
  for (const group of queue.groups()) {
    if (group.priority > ticket.priority) continue;
    if (group.priority < ticket.priority) ahead += group.arrivals.length;
    else if (group.set === ticket.set)
      ahead += group.arrivals.filter((arrival) => arrival < ticket.id).length;
    else ahead += Math.min(group.arrivals.length, at.rounds + (group.turn < at.turn ? 1 : 0));
  }
  return ahead;
}
