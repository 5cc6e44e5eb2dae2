// A binary min-heap whose entries can be found by key, so that one can be moved or removed in O(log n).
// Every ordered index of the scheduler (queues, free boards, timers) is one of these.

interface Entry {
  readonly key: string;
  a: number;
  b: number;
  c: number;
  /** Its place in the heap; below zero when it is out. */
  at: number;
}

/** Entries that are out and remembered, beside as many as are in, before they are forgotten. */
const outMax = 64;
/** Up to so many entries are looked through: most heaps of a large lab are as small, and need no Map. */
const smallMax = 8;

/** Ordered by (a, b, c), then by key: the order never depends on how the heap came to be. */
export class IndexedHeap {
  readonly #heap: Entry[] = [];
  /**
   * Those that are out stay for a while: a Map from which one key is taken and put back again and again, as the first
   * free board of a large pool is, gets slower with each time. Made when the heap has first grown beyond `smallMax`.
   */
  #byKey: Map<string, Entry> | undefined;

  get size(): number {
    return this.#heap.length;
  }

  has(key: string): boolean {
    return (this.#find(key)?.at ?? -1) >= 0;
  }

  /** Adds the key or moves it to a new rank. */
  set(key: string, a: number, b = 0, c = 0): void {
    const found = this.#find(key);
    if (found && found.at >= 0) {
      if (found.a === a && found.b === b && found.c === c) return;
      found.a = a;
      found.b = b;
      found.c = c;
      this.#up(found);
      this.#down(found);
      return;
    }
    const entry: Entry = found ?? { key, a, b, c, at: 0 };
    entry.a = a;
    entry.b = b;
    entry.c = c;
    entry.at = this.#heap.length;
    this.#heap.push(entry);
    if (!found) this.#remember(entry);
    this.#up(entry);
  }

  /** Removes the key if it is there. */
  delete(key: string): void {
    const entry = this.#find(key);
    if (!entry || entry.at < 0) return;
    const { at } = entry;
    entry.at = -1;
    const last = this.#heap.pop();
    if (last && last !== entry) {
      last.at = at;
      this.#heap[at] = last;
      this.#up(last);
      this.#down(last);
    }
    if (this.#byKey && this.#byKey.size > 2 * this.#heap.length + outMax) this.#byKey = this.#index();
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

  /** Keys whose first rank is at most `limit`, by rank, each found when it is asked for. Not to be changed meanwhile. */
  *upTo(limit: number): Generator<string> {
    // The largest first; no entry below one that was not given yet is looked at.
    const next: Entry[] = [];
    const add = (at: number): void => {
      const entry = this.#heap[at];
      if (!entry || entry.a > limit) return;
      let from = 0;
      for (let to = next.length; from < to; ) {
        const middle = (from + to) >> 1;
        const other = next[middle];
        if (other && compare(other, entry) > 0) from = middle + 1;
        else to = middle;
      }
      next.splice(from, 0, entry);
    };
    add(0);
    for (let entry = next.pop(); entry; entry = next.pop()) {
      yield entry.key;
      add(2 * entry.at + 1);
      add(2 * entry.at + 2);
    }
  }

  /** Keys by rank; O(n log n), for reports and checks only. */
  sorted(): string[] {
    return [...this.upTo(Number.POSITIVE_INFINITY)];
  }

  /** Keys and their ranks, by rank; for checks only. */
  entries(): [key: string, a: number, b: number, c: number][] {
    return [...this.#heap].sort(compare).map(({ key, a, b, c }) => [key, a, b, c]);
  }

  #find(key: string): Entry | undefined {
    if (this.#byKey) return this.#byKey.get(key);
    for (const entry of this.#heap) if (entry.key === key) return entry;
    return undefined;
  }

  #remember(entry: Entry): void {
    if (this.#byKey) this.#byKey.set(entry.key, entry);
    else if (this.#heap.length > smallMax) this.#byKey = this.#index();
  }

  #index(): Map<string, Entry> {
    return new Map(this.#heap.map((entry) => [entry.key, entry]));
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
