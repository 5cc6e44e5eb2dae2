// The waiting tickets of one target set, in the order of locking.md "Order": class, then the turns of sets,
// then arrival within a set. An index: it holds ticket numbers only and is rebuilt from records at any time.
import { IndexedHeap } from './indexed-heap.ts';
import type { PriorityClass, TicketRecord } from './records.ts';

export interface Rank {
  readonly priority: PriorityClass;
  readonly turn: number;
  readonly arrival: number;
}

/** Smaller is served first; arrivals are unique, so the order is total. */
export function compareRanks(x: Rank, y: Rank): number {
  return x.priority - y.priority || x.turn - y.turn || x.arrival - y.arrival;
}

export class TicketQueue {
  /** One heap of arrivals for each (class, set). */
  readonly #groups = new Map<string, IndexedHeap>();
  /** The groups by the rank of their first ticket. */
  readonly #heads = new IndexedHeap();
  readonly #turnOf: (set: string, arrival: number) => number;
  #size = 0;

  /** `turnOf` gives the turn of a waiting ticket; it may only rise, and `refreshSet` must be called when it did. */
  constructor(turnOf: (set: string, arrival: number) => number) {
    this.#turnOf = turnOf;
  }

  get size(): number {
    return this.#size;
  }

  add(ticket: TicketRecord): void {
    const name = groupName(ticket.priority, ticket.set);
    let group = this.#groups.get(name);
    if (!group) {
      group = new IndexedHeap();
      this.#groups.set(name, group);
    }
    group.set(String(ticket.id), ticket.id);
    this.#size += 1;
    this.#rankGroup(name, ticket.priority, ticket.set, group);
  }

  remove(ticket: TicketRecord): void {
    const name = groupName(ticket.priority, ticket.set);
    const group = this.#groups.get(name);
    if (!group?.has(String(ticket.id))) throw new Error(`ticket ${ticket.id} is not in its queue`);
    group.delete(String(ticket.id));
    this.#size -= 1;
    this.#rankGroup(name, ticket.priority, ticket.set, group);
  }

  /** The set's turn has changed: rank its groups again. */
  refreshSet(set: string): void {
    for (const priority of [0, 1, 2] as const) {
      const name = groupName(priority, set);
      const group = this.#groups.get(name);
      if (group) this.#rankGroup(name, priority, set, group);
    }
  }

  /** The next ticket's number and rank. */
  head(): { readonly ticket: number; readonly rank: Rank } | undefined {
    const rank = this.#heads.peekRank();
    if (!rank) return undefined;
    const [priority, turn, arrival] = rank;
    return { ticket: arrival, rank: { priority: priority as PriorityClass, turn, arrival } };
  }

  /** Every group's class, turn of its first ticket, and arrivals in order; for places and checks. */
  *groups(): Generator<{ priority: PriorityClass; set: string; turn: number; arrivals: number[] }> {
    for (const [name, heap] of this.#groups) {
      const priority = Number(name[0]) as PriorityClass;
      const set = name.slice(1);
      const arrivals = heap.sorted().map(Number);
      const first = arrivals[0];
      if (first !== undefined) yield { priority, set, turn: this.#turnOf(set, first), arrivals };
    }
  }

  /** The rank of each group's first ticket, by rank; for checks. */
  ranks(): Rank[] {
    return this.#heads.entries().map(([, priority, turn, arrival]) => {
      return { priority: priority as PriorityClass, turn, arrival };
    });
  }

  #rankGroup(name: string, priority: PriorityClass, set: string, group: IndexedHeap): void {
    const first = group.peekRank();
    if (!first) {
      this.#groups.delete(name);
      this.#heads.delete(name);
      return;
    }
    this.#heads.set(name, priority, this.#turnOf(set, first[0]), first[0]);
  }
}

function groupName(priority: PriorityClass, set: string): string {
  return `${priority}${set}`;
}
