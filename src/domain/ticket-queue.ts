// The waiting tickets of one target set, in the order of locking.md "Order": class, then the turns of sets,
// then arrival within a set. An index: it holds ticket numbers only and is rebuilt from records at any time.
import { IndexedHeap } from './indexed-heap.ts';
import type { PriorityClass, TicketRecord } from './records.ts';

const priorities = [0, 1, 2] as const;

export interface Rank {
  readonly priority: PriorityClass;
  readonly turn: number;
  readonly arrival: number;
}

/** Smaller is served first; arrivals are unique, so the order is total. */
export function compareRanks(x: Rank, y: Rank): number {
  return x.priority - y.priority || x.turn - y.turn || x.arrival - y.arrival;
}

type Groups = [IndexedHeap | undefined, IndexedHeap | undefined, IndexedHeap | undefined];

export class TicketQueue {
  /** Of each set, one heap of arrivals for each class. */
  readonly #groups = new Map<string, Groups>();
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
    let groups = this.#groups.get(ticket.set);
    if (!groups) {
      groups = [undefined, undefined, undefined];
      this.#groups.set(ticket.set, groups);
    }
    const group = groups[ticket.priority] ?? new IndexedHeap();
    groups[ticket.priority] = group;
    group.set(String(ticket.id), ticket.id);
    this.#size += 1;
    this.#rankGroup(ticket.priority, ticket.set, groups);
  }

  remove(ticket: TicketRecord): void {
    const groups = this.#groups.get(ticket.set);
    const group = groups?.[ticket.priority];
    if (!groups || !group?.has(String(ticket.id))) throw new Error(`ticket ${ticket.id} is not in its queue`);
    group.delete(String(ticket.id));
    this.#size -= 1;
    this.#rankGroup(ticket.priority, ticket.set, groups);
  }

  /** The set's turn has changed: rank its groups again. */
  refreshSet(set: string): void {
    const groups = this.#groups.get(set);
    if (!groups) return;
    for (const priority of priorities) if (groups[priority]) this.#rankGroup(priority, set, groups);
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
    for (const [set, groups] of this.#groups) {
      for (const priority of priorities) {
        const arrivals = groups[priority]?.sorted().map(Number) ?? [];
        const first = arrivals[0];
        if (first !== undefined) yield { priority, set, turn: this.#turnOf(set, first), arrivals };
      }
    }
  }

  /** The rank of each group's first ticket, by rank; for checks. */
  ranks(): Rank[] {
    return this.#heads.entries().map(([, priority, turn, arrival]) => {
      return { priority: priority as PriorityClass, turn, arrival };
    });
  }

  #rankGroup(priority: PriorityClass, set: string, groups: Groups): void {
    const name = groupName(priority, set);
    const first = groups[priority]?.peekRank();
    if (first) return this.#heads.set(name, priority, this.#turnOf(set, first[0]), first[0]);
    this.#heads.delete(name);
    groups[priority] = undefined;
    if (groups.every((group) => !group)) this.#groups.delete(set);
  }
}

function groupName(priority: PriorityClass, set: string): string {
  return `${priority}${set}`;
}
