// Simulated time: what is to happen, in order. Nothing else moves the clock.
import { IndexedHeap } from '../../domain/indexed-heap.ts';

export class Agenda {
  readonly #heap = new IndexedHeap();
  readonly #actions = new Map<string, () => void>();
  #order = 0;
  #nowMs: number;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get size(): number {
    return this.#actions.size;
  }

  /** Actions of one instant happen in the order in which they were set. */
  in(delayMs: number, action: () => void): void {
    this.#order += 1;
    const key = String(this.#order);
    this.#heap.set(key, this.#nowMs + Math.max(0, Math.ceil(delayMs)), this.#order);
    this.#actions.set(key, action);
  }

  /** Moves on to the next action and does it; false when there is none. */
  next(): boolean {
    const key = this.#heap.peek();
    const rank = this.#heap.peekRank();
    if (key === undefined || !rank) return false;
    this.#heap.delete(key);
    const action = this.#actions.get(key);
    this.#actions.delete(key);
    this.#nowMs = rank[0];
    action?.();
    return true;
  }
}
