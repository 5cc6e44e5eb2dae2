// Who is next in line by brute force, from the records alone but for the numbers of grants: what the order model keeps
// from change to change is what one would work out anew. Pure.
import type { TicketRecord } from '../../domain/records.ts';
import type { Mirror } from './mirror.ts';
import type { OrderModel } from './order-model.ts';
import { boardsFor, isUsable } from './record-checks.ts';
import { compareStandings, type Standing } from './spots.ts';

/** Every breach as a sentence. */
export function checkOrder(order: OrderModel, mirror: Mirror): string[] {
  const problems: string[] = [];
  const standing = firstOfEach(order, mirror);
  for (const spot of order.spots.all) {
    const board = mirror.boards.get(spot.name);
    if (spot.isUsable !== (board !== undefined && isUsable(board)) || spot.board !== board)
      problems.push(`the order model has another ${spot.name} than the records`);
    if (spot.lock !== mirror.locks.get(spot.name))
      problems.push(`the order model has another lock on ${spot.name} than the records`);
    const candidates = standing.filter(({ boards }) => boards.includes(spot.name));
    const [next] = candidates.sort(compareStandings);
    const found = order.nextFor(spot);
    if (found !== next?.ticket)
      problems.push(`the order model has ticket ${found?.id} next for ${spot.name}, not ${next?.ticket.id}`);
  }
  const kinds = [...mirror.tickets.values()].filter((ticket) => ticket.state === 'waiting');
  const severals = kinds.filter(({ parts }) => parts);
  const slots = kinds.filter(({ kind }) => kind === 'slot');
  if (
    severals.some(({ id }) => !order.severals.has(wishOf(order, id))) ||
    severals.length !== order.severals.size
  )
    problems.push('the order model has other tickets for several boards than the records');
  if (slots.some(({ id }) => !order.slots.has(wishOf(order, id))) || slots.length !== order.slots.size)
    problems.push('the order model has other tickets for job slots than the records');
  return problems;
}

function wishOf(order: OrderModel, ticket: number) {
  const wish = order.findWish(ticket);
  if (!wish) throw new Error(`the order model does not know ticket ${ticket}`);
  return wish;
}

/** In each set and class the first to come of those that wait for one board. */
function firstOfEach(order: OrderModel, mirror: Mirror): (Standing & { boards: readonly string[] })[] {
  const waiting = [...mirror.tickets.values()].filter(
    (ticket) => ticket.state === 'waiting' && ticket.kind !== 'slot' && !ticket.parts,
  );
  const nameOf = (ticket: TicketRecord): string =>
    `${ticket.priority} ${boardsFor(mirror.lab, ticket).sort().join(',')} ${ticket.set}`;
  return [...Map.groupBy(waiting, nameOf).values()].map((group) => {
    const ticket = group.reduce((first, other) => (other.id < first.id ? other : first));
    return { ticket, turn: order.turnOf(wishOf(order, ticket.id)), boards: boardsFor(mirror.lab, ticket) };
  });
}
