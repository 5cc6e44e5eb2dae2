// A binary min-heap whose entries can be found by key, so that one can be moved or removed in O(log n).
// Every ordered index of the scheduler (queues, free boards, timers) is one of these.

interface Entry {
  readonly key: string;
  a: number;
  b: number;
  c: number;
  at: number;
}

/** Ordered by (a, b, c), then by key: the order never depends on how the heap came to be. */
export class IndexedHeap {
  readonly #heap: Entry[] = [];
  readonly #byKey = new Map<string, Entry>();

  get size(): number {
    return this.#heap.length;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Adds the key or moves it to a new rank. */
  set(key: string, a: number, b = 0, c = 0): void {
    const found = this.#byKey.get(key);
    if (found) {
      if (found.a === a && found.b === b && found.c === c) return;
      found.a = a;
      found.b = b;
      found.c = c;
      this.#up(found);
      this.#down(found);
      return;
    }
    const entry: Entry = { key, a, b, c, at: this.#heap.length };
    this.#byKey.set(key, entry);
    this.#heap.push(entry);
    this.#up(entry);
  }

  /** Removes the key if it is there. */
  delete(key: string): void {
    const entry = this.#byKey.get(key);
    if (!entry) return;
    this.#byKey.delete(key);
    const last = this.#heap.pop();
    if (!last || last === entry) return;
    last.at = entry.at;
    this.#heap[entry.at] = last;
    this.#up(last);
    this.#down(last);
  }

  /** The smallest key, or undefined when empty. */
  peek(): string | undefined {
    return this.#heap[0]?.key;
  }

  /** The smallest rank's three numbers. */
  peekRank(): readonly [number, number, number] | undefined {
    const top = this.#heap[0];
    return top && [top.a, top.b, top.c];
  }

  /** Keys whose first rank is at most `limit`, by rank. O(k log k) for k such keys. */
  upTo(limit: number): string[] {
    const found: Entry[] = [];
    const look = (at: number): void => {
      const entry = this.#heap[at];
      if (!entry || entry.a > limit) return;
      found.push(entry);
      look(2 * at + 1);
      look(2 * at + 2);
    };
    look(0);
    return found.sort(compare).map((entry) => entry.key);
  }

  /** Keys by rank; O(n log n), for reports and checks only. */
  sorted(): string[] {
    return this.upTo(Number.POSITIVE_INFINITY);
  }

  /** Keys and their ranks, by rank; for checks only. */
  entries(): [key: string, a: number, b: number, c: number][] {
    return [...this.#heap].sort(compare).map(({ key, a, b, c }) => [key, a, b, c]);
  }

  #up(entry: Entry): void {
    while (entry.at > 0) {
      const parent = this.#heap[(entry.at - 1) >> 1];
      if (!parent || compare(parent, entry) <= 0) return;
      this.#swap(parent, entry);
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.at + 1];
      const right = this.#heap[2 * entry.at + 2];
      const smaller = left && right && compare(right, left) < 0 ? right : left;
      if (!smaller || compare(entry, smaller) <= 0) return;
      this.#swap(entry, smaller);
    }
  }

  #swap(x: Entry, y: Entry): void {
    const at = x.at;
    x.at = y.at;
    y.at = at;
    this.#heap[x.at] = x;
    this.#heap[y.at] = y;
  }
}

function compare(x: Entry, y: Entry): number {
  return x.a - y.a || x.b - y.b || x.c - y.c || (x.key < y.key ? -1 : x.key > y.key ? 1 : 0);
}
