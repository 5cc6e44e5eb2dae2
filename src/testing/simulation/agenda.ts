// Simulated time: what is to happen, in order. Nothing else moves the clock.

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** A binary heap, the next to happen first. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #order = 0;
  #nowMs: number;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Actions of one instant happen in the order in which they were set. */
  in(delayMs: number, action: () => void): void {
    this.#order += 1;
    const entry = { atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), order: this.#order, action };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || isBefore(parent, entry)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  /** Moves on to the next action and does it; false when there is none. */
  next(): boolean {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (!first || !last) return false;
    if (last !== first) this.#sink(last);
    this.#nowMs = first.atMs;
    first.action();
    return true;
  }

  /** Puts an entry in the place of the first one, and where it belongs. */
  #sink(entry: Entry): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = heap[below];
      if (!child) break;
      const right = heap[below + 1];
      if (right && isBefore(right, child)) {
        child = right;
        below += 1;
      }
      if (isBefore(entry, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = entry;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
