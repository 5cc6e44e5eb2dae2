// Tickets for one board and for several, looked at in the same way: their queues, and what an offer granted. Pure.
import type { Effect } from './commands.ts';
import type { Granted, Offer } from './offer.ts';
import type { TicketRecord } from './records.ts';

const none: readonly string[] = [];

/** The queues in which a ticket waits, each once; of a slot ticket none. */
export function queuesOf(ticket: TicketRecord): readonly string[] {
  if (ticket.parts) return ticket.parts.map((part) => part.queue).filter(isFirst);
  return ticket.kind === 'slot' ? none : [ticket.queue];
}

/** The turn below which it does not fall in one of its queues. */
export function turnFloorIn(ticket: TicketRecord, queue: string): number {
  if (!ticket.parts) return ticket.turnFloor;
  return ticket.parts.find((part) => part.queue === queue)?.turnFloor ?? 0;
}

/** Each board of an offer; not for slot tickets, whose offer grants none. */
export function grantedBy(ticket: TicketRecord, offer: Offer): readonly Granted[] {
  if (offer.all) return offer.all;
  const { board, token, grantNumber, turnBefore } = offer;
  const before = turnBefore === undefined ? {} : { turnBefore };
  return [{ board, token, queue: ticket.queue, grantNumber, ...before }];
}

/** What the ticket's client is told of it. */
export function offerEffect(ticket: number, offer: Pick<Offer, 'board' | 'token' | 'all'>): Effect {
  const { board, token, all } = offer;
  const boards = all ? { boards: all.map((granted) => granted.board) } : {};
  return { kind: 'offer', ticket, board, token, ...boards };
}

/** One queue for each board that it asks for, in the order in which it names them. */
export function wantedQueues(ticket: TicketRecord): readonly string[] {
  const queues: string[] = [];
  for (const { queue, count } of ticket.parts ?? [])
    for (let left = count; left > 0; left -= 1) queues.push(queue);
  return queues;
}

function isFirst(queue: string, at: number, queues: readonly string[]): boolean {
  return queues.indexOf(queue) === at;
}
