// Places: how many tickets would be served before one if nothing else arrived. An estimate for people, worked out
// from committed state, in the ticket's shortest queue; never on the path of a grant.

import type { TicketRecord } from '../domain/records.ts';
import type { State } from '../domain/state.ts';
import type { TicketQueue } from '../domain/ticket-queue.ts';

/** Boards of a set that are looked at; a longer list would cost more than the estimate is worth. */
const boardsLookedAtMax = 32;

/** The place of a waiting ticket: 0 is next. Undefined where it does not wait in a board's queue. */
export function placeOf(state: State, ticket: TicketRecord): number | undefined {
  if (ticket.state !== 'waiting' || ticket.kind === 'slot') return undefined;
  const own = state.getSet(ticket.queue);
  const rounds = roundsBefore(own.queue, ticket);
  const turn = state.turnOf(ticket.queue, ticket.set, ticket.id);
  let best: number | undefined;
  for (const board of own.boards.slice(0, boardsLookedAtMax)) {
    let ahead = 0;
    for (const set of state.setsOf(board)) ahead += countAhead(set.queue, ticket, { rounds, turn });
    if (best === undefined || ahead < best) best = ahead;
  }
  return best;
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
