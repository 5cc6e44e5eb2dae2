// The waiting tickets for several boards that may want boards of one target set, in the order of TicketQueue. Unlike
// there, whoever looks for a ticket goes on to the next one where the first has no use for a board now, so the order
// is walked as far as is asked for. An index: it holds ticket numbers only.
import { IndexedHeap } from './indexed-heap.ts';
import type { PriorityClass, TicketRecord } from './records.ts';
import { compareRanks, type Rank } from './ticket-queue.ts';

/** Tickets of one class, set and floor: their turn is the same, or their own arrival, so that earlier ones rank first. */
interface Group {
  readonly name: string;
  readonly priority: PriorityClass;
  readonly set: string;
  readonly arrivals: IndexedHeap;
}

/** A group on the way through the line: its next ticket, and those after it. */
interface Open {
  readonly group: Group;
  readonly rank: Rank;
  readonly rest: Generator<string>;
  readonly isFirst: boolean;
}

export class SeveralLine {
  readonly #groups = new Map<string, Group>();
  readonly #groupsOfSet = new Map<string, Set<Group>>();
  /** The groups by the rank of their first ticket. */
  readonly #heads = new IndexedHeap();
  readonly #tickets = new Set<number>();
  readonly #turnOf: (set: string, arrival: number) => number;

  /** `turnOf` as for TicketQueue. */
  constructor(turnOf: (set: string, arrival: number) => number) {
    this.#turnOf = turnOf;
  }

  get size(): number {
    return this.#tickets.size;
  }

  /** The tickets' numbers, in no order. */
  [Symbol.iterator](): Iterator<number> {
    return this.#tickets.values();
  }

  /** `floor`: the turn below which the ticket does not fall in this queue. */
  add(ticket: TicketRecord, floor: number): void {
    const name = groupName(ticket, floor);
    let group = this.#groups.get(name);
    if (!group) {
      const { priority, set } = ticket;
      group = { name, priority, set, arrivals: new IndexedHeap() };
      this.#groups.set(name, group);
      const others = this.#groupsOfSet.get(set);
      if (others) others.add(group);
      else this.#groupsOfSet.set(set, new Set([group]));
    }
    group.arrivals.set(String(ticket.id), ticket.id);
    this.#tickets.add(ticket.id);
    this.#rankGroup(group);
  }

  remove(ticket: TicketRecord, floor: number): void {
    const group = this.#groups.get(groupName(ticket, floor));
    if (!group?.arrivals.has(String(ticket.id))) throw new Error(`ticket ${ticket.id} is not in its line`);
    group.arrivals.delete(String(ticket.id));
    this.#tickets.delete(ticket.id);
    this.#rankGroup(group);
  }

  /** The set's turn has changed: rank its groups again. */
  refreshSet(set: string): void {
    for (const group of this.#groupsOfSet.get(set) ?? []) this.#rankGroup(group);
  }

  /** The tickets' ranks, the smallest first, each found when it is asked for. Not to be changed meanwhile. */
  *inOrder(): Generator<Rank> {
    const firsts = this.#heads.upTo(Number.POSITIVE_INFINITY);
    // The smallest last. Of the groups that nothing was taken from yet it has the first one only.
    const open: Open[] = [];
    const openNext = (): void => {
      const { value: name } = firsts.next();
      const group = name === undefined ? undefined : this.#groups.get(name);
      if (group)
        this.#insert(open, group, { rest: group.arrivals.upTo(Number.POSITIVE_INFINITY), isFirst: true });
    };
    openNext();
    for (let next = open.pop(); next; next = open.pop()) {
      yield next.rank;
      this.#insert(open, next.group, { rest: next.rest, isFirst: false });
      if (next.isFirst) openNext();
    }
  }

  #insert(
    open: Open[],
    group: Group,
    { rest, isFirst }: { rest: Generator<string>; isFirst: boolean },
  ): void {
    const { value: id } = rest.next();
    if (id === undefined) return;
    const rank = this.#rankOf(group, Number(id));
    let from = 0;
    for (let to = open.length; from < to; ) {
      const middle = (from + to) >> 1;
      const other = open[middle];
      if (other && compareRanks(other.rank, rank) > 0) from = middle + 1;
      else to = middle;
    }
    open.splice(from, 0, { group, rank, rest, isFirst });
  }

  #rankGroup(group: Group): void {
    const first = group.arrivals.peekRank();
    if (first) {
      const { priority, turn, arrival } = this.#rankOf(group, first[0]);
      return this.#heads.set(group.name, priority, turn, arrival);
    }
    this.#groups.delete(group.name);
    this.#heads.delete(group.name);
    const others = this.#groupsOfSet.get(group.set);
    others?.delete(group);
    if (others?.size === 0) this.#groupsOfSet.delete(group.set);
  }

  #rankOf({ priority, set }: Group, arrival: number): Rank {
    return { priority, turn: this.#turnOf(set, arrival), arrival };
  }
}

/** Several lines as one; a ticket that is in more than one of them has its smallest rank. */
export function* inOrderOf(lines: readonly SeveralLine[]): Generator<Rank> {
  const [first, second] = lines;
  if (!first) return;
  if (!second) return yield* first.inOrder();
  const seen = new Set<number>();
  const walks = lines.map((line) => {
    const ranks = line.inOrder();
    return { ranks, next: ranks.next().value as Rank | undefined };
  });
  for (;;) {
    let best: (typeof walks)[number] | undefined;
    for (const walk of walks) {
      if (walk.next && (!best?.next || compareRanks(walk.next, best.next) < 0)) best = walk;
    }
    if (!best?.next) return;
    if (!seen.has(best.next.arrival)) yield best.next;
    seen.add(best.next.arrival);
    best.next = best.ranks.next().value as Rank | undefined;
  }
}

function groupName({ priority, set, id }: TicketRecord, floor: number): string {
  return `${priority}${floor > id ? floor : ''}\u0000${set}`;
}
