// The state's indexes as plain data, and the same worked out from the records by brute force: for invariants.ts and for
// tests that compare a state with one that was rebuilt. Pure.

import type { BoardRecord, TicketRecord } from '../../domain/records.ts';
import { holderKey, type State, turnKey } from '../../domain/state.ts';
import type { TargetSet } from '../../domain/target-set.ts';
import type { Rank } from '../../domain/ticket-queue.ts';
import { boardDueAt, jobDueAt, lockDueAt, ticketDueAt } from './due-model.ts';
import { isUsable } from './record-checks.ts';

type Plain = Record<string, unknown>;

/** Every index of the state. Sets of single boards that nobody waits for may exist or not, and are left out. */
export function readIndexes(state: State): Plain {
  const sets = [...state.allSets()].filter((set) => !set.key.startsWith('b:') || set.waiting > 0);
  return {
    ticketsByUser: sorted([...state.ticketsByUser].map(([user, ids]) => [user, numbers(ids)])),
    ticketsInQueue: sorted([...state.ticketsInQueue]),
    ticketsInTurn: sorted([...state.ticketsInTurn]),
    slotTickets: sorted([...state.slotTickets].map(([name, heap]) => [name, heap.sorted().map(Number)])),
    slotsByHolder: sorted([...state.slotsByHolder].map(([name, ids]) => [name, numbers(ids)])),
    heldBy: sorted([...state.heldBy].map(([name, boards]) => [name, [...boards].sort()])),
    timers: state.timers.entries().map(([key, at, rank]) => [key, at, rank]),
    boardsByTicket: sorted([...state.boardsByTicket].map(([id, boards]) => [id, [...boards].sort()])),
    severalTickets: numbers(state.severalTickets),
    kept: sorted([...state.kept]),
    keptBy: sorted([...state.keptBy].map(([id, boards]) => [String(id), [...boards].sort()])),
    settlingTickets: state.settlingTickets,
    busySets: [...state.busySets].map((set) => set.key).sort(),
    sets: sorted(sets.map((set) => [set.key, readSet(set)])),
    setsOf: sorted([...state.boards.keys()].map((board) => [board, setKeys(state, board, sets)])),
  };
}

/** Every index that is not what the records say. */
export function checkIndexes(state: State): string[] {
  const problems: string[] = [];
  const compare = (name: string, found: unknown, expected: unknown): void => {
    const [is, should] = [JSON.stringify(found), JSON.stringify(expected)];
    if (is !== should) problems.push(`index ${name} is ${is}, not ${should}`);
  };
  const found = readIndexes(state);
  for (const [name, expected] of Object.entries(deriveIndexes(state))) compare(name, found[name], expected);
  for (const set of state.allSets()) compare(`set ${set.key}`, readSet(set), deriveSet(state, set));
  for (const ticket of state.tickets.values()) {
    for (const queue of ticket.offer ? [] : queueNames(ticket)) {
      if (!state.findSet(queue))
        problems.push(`ticket ${ticket.id} is in queue ${queue}, which is not there`);
    }
  }
  return problems;
}

function deriveIndexes(state: State): Plain {
  const tickets = [...state.tickets.values()];
  const waiting = tickets.filter((ticket) => ticket.state === 'waiting');
  const held = [...state.locks.values()].filter((lock) => lock.state === 'held');
  const slots = waiting.filter((ticket) => ticket.kind === 'slot');
  const queued = waiting.filter((ticket) => ticket.kind !== 'slot');
  const own = [...state.locks.values()].filter((lock) => lock.ticket > 0 && !lock.passedOn);
  return {
    ticketsByUser: grouped(tickets, (ticket) => ticket.user, idOf).map(([user, ids]) => [user, numbers(ids)]),
    ticketsInQueue: counted(tickets.flatMap(queueNames)),
    ticketsInTurn: counted(
      tickets.flatMap((ticket) => queueNames(ticket).map((queue) => turnKey(queue, ticket.set))),
    ),
    slotTickets: grouped(slots, (ticket) => holderKey(ticket.user, ticket.key), idOf).map(([name, ids]) => [
      name,
      numbers(ids),
    ]),
    slotsByHolder: grouped(
      tickets.filter((ticket) => ticket.kind === 'slot'),
      (ticket) => holderKey(ticket.user, ticket.key),
      idOf,
    ).map(([name, ids]) => [name, numbers(ids)]),
    heldBy: grouped(
      held,
      (lock) => holderKey(lock.user, lock.key),
      (lock) => lock.board,
    ).map(([name, boards]) => [name, boards.sort()]),
    timers: deriveTimers(state),
    boardsByTicket: grouped(
      own,
      (lock) => lock.ticket,
      (lock) => lock.board,
    ).map(([id, boards]) => [id, boards.sort()]),
    severalTickets: numbers(waiting.filter((ticket) => ticket.parts).map(idOf)),
    kept: sorted([...state.boards.values()].flatMap(keptEntry)),
    keptBy: grouped(
      [...state.boards.values()].filter((board) => board.keptFor !== undefined),
      (board) => String(board.keptFor),
      (board) => board.name,
    ).map(([id, boards]) => [id, boards.sort()]),
    settlingTickets: tickets.filter((ticket) => ticket.settling).length,
    busySets: [...new Set(queued.flatMap(queueNames))].sort(),
  };
}

function deriveTimers(state: State): [string, number, number][] {
  const timers: [string, number | undefined, number][] = [['meta', state.meta.settleUntil, 0]];
  for (const lock of state.locks.values()) timers.push([`l:${lock.board}`, lockDueAt(lock), 1]);
  for (const job of state.jobs.values()) timers.push([`j:${job.id}`, jobDueAt(job), 1]);
  for (const board of state.boards.values()) {
    timers.push([`b:${board.name}`, boardDueAt(board), 1]);
  }
  for (const ticket of state.tickets.values()) {
    const rank = ticket.state === 'offered' ? 1 : 2;
    timers.push([`t:${ticket.id}`, ticketDueAt(ticket, state.meta.settleUntil), rank]);
  }
  const set = timers.filter((timer): timer is [string, number, number] => timer[1] !== undefined);
  return set.sort((a, b) => a[1] - b[1] || a[2] - b[2] || (a[0] < b[0] ? -1 : 1));
}

function readSet(set: TargetSet): Plain {
  return {
    boards: set.boards,
    spread: set.spread,
    size: set.queue.size,
    several: numbers(set.several),
    severalRanks: [...set.several.inOrder()],
    ranks: set.queue.ranks(),
    free: [...set.freeBoards()],
    holds: [...set.overdueBoards(Number.POSITIVE_INFINITY)],
    ending: [...set.endingBoards()].sort(),
    kept: [...set.keptBoards()].sort(),
  };
}

function deriveSet(state: State, set: TargetSet): Plain {
  const all = [...state.tickets.values()].filter(
    (ticket) => ticket.state === 'waiting' && queueNames(ticket).includes(set.key),
  );
  const waiting = all.filter((ticket) => !ticket.parts);
  const several = all.filter((ticket) => ticket.parts);
  const heads = grouped(waiting, (ticket) => `${ticket.priority} ${ticket.set}`, idOf).map(([, ids]) =>
    Math.min(...ids),
  );
  const ranks = heads.flatMap((id) => rankOf(state, id, set.key) ?? []);
  const severalRanks = several.flatMap(({ id }) => rankOf(state, id, set.key) ?? []);
  const usable = set.boards.flatMap((name, at) => {
    const board = state.boards.get(name);
    return board && isUsable(board) ? [{ name, at, board, lock: state.locks.get(name) }] : [];
  });
  const free = usable
    .filter(({ lock, board }) => !lock && board.keptFor === undefined)
    .map(({ name, at, board }) => {
      const first = set.spread ? board.freeSince : at;
      return { name, rank: [board.health.state === 'suspect' ? 1 : 0, first, at] };
    });
  const holds = usable.flatMap(({ name, at, lock }) =>
    lock?.state === 'held' && lock.endsAt !== undefined ? [{ name, rank: [lock.endsAt, at] }] : [],
  );
  return {
    boards: set.boards,
    spread: set.spread,
    size: waiting.length,
    several: numbers(several.map(idOf)),
    severalRanks: severalRanks.sort(byTicketRank),
    ranks: ranks.sort(byTicketRank),
    free: free.sort((a, b) => byRank(a.rank, b.rank)).map(({ name }) => name),
    holds: holds.sort((a, b) => byRank(a.rank, b.rank)).map(({ name }) => name),
    ending: usable.flatMap(({ name, lock }) => (lock?.state === 'ending' ? [name] : [])).sort(),
    kept: usable
      .flatMap(({ name, lock, board }) => (!lock && board.keptFor !== undefined ? [name] : []))
      .sort(),
  };
}

function rankOf(state: State, id: number, queue: string): Rank | undefined {
  const ticket = state.tickets.get(id);
  if (!ticket) return undefined;
  const granted = state.turns.get(turnKey(queue, ticket.set))?.number ?? 0;
  const { turnFloor } = ticket.parts?.find((part) => part.queue === queue) ?? ticket;
  const turn = state.lab.discipline === 'fifo' ? id : Math.max(id, turnFloor, granted);
  return { priority: ticket.priority, turn, arrival: id };
}

function byTicketRank(a: Rank, b: Rank): number {
  return byRank([a.priority, a.turn, a.arrival], [b.priority, b.turn, b.arrival]);
}

/** Each queue in which the ticket counts, once; of a slot ticket none. */
function queueNames(ticket: TicketRecord): string[] {
  if (ticket.parts) return [...new Set(ticket.parts.map(({ queue }) => queue))];
  return ticket.kind === 'slot' ? [] : [ticket.queue];
}

function keptEntry({ name, keptFor }: BoardRecord): [string, number][] {
  return keptFor === undefined ? [] : [[name, keptFor]];
}

function counted(names: readonly string[]): [string, number][] {
  return grouped(
    names,
    (name) => name,
    (name) => name,
  ).map(([name, all]) => [name, all.length]);
}

function setKeys(state: State, board: string, sets: readonly TargetSet[]): string[] {
  return state
    .setsOf(board)
    .filter((set) => sets.includes(set))
    .map((set) => set.key)
    .sort();
}

function byRank(a: readonly number[], b: readonly number[]): number {
  return a.map((one, at) => one - (b[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function idOf(ticket: TicketRecord): number {
  return ticket.id;
}

function numbers(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

function grouped<T, V, K extends string | number>(
  items: readonly T[],
  nameOf: (item: T) => K,
  valueIn: (item: T) => V,
): [K, V[]][] {
  const groups = Map.groupBy(items, nameOf);
  return sorted([...groups].map(([name, members]) => [name, members.map(valueIn)]));
}

function sorted<K extends string | number, V>(entries: [K, V][]): [K, V][] {
  return entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
