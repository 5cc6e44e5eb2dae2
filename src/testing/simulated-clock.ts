// A clock that moves only when a test says so, and then runs what is due in order.

import type { Clock } from '../platform/clock.ts';

type Timer = { dueMs: number; order: number; action: () => void };

export class SimulatedClock implements Clock {
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** `wallMs`: what the wall clock shows at the beginning. */
  constructor(options: { wallMs?: number } = {}) {
    this.#wallOffsetMs = options.wallMs ?? Date.UTC(2030, 0, 1);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  setTimer(delayMs: number, action: () => void): () => void {
    this.#order += 1;
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that are set; a test that is over should have none. */
  get timerCount(): number {
    return this.#timers.size;
  }

  /** When the next timer is due, or undefined when none is set. */
  get nextDueMs(): number | undefined {
    return this.#first()?.dueMs;
  }

  /** Moves on by this much; timers run at their own time, those of one instant in the order they were set. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (let timer = this.#first(); timer !== undefined && timer.dueMs <= endMs; timer = this.#first()) {
      this.#run(timer);
    }
    this.#nowMs = endMs;
  }

  /** Moves on to the next timer and runs it; false when none is set. */
  advanceToNext(): boolean {
    const timer = this.#first();
    if (timer !== undefined) this.#run(timer);
    return timer !== undefined;
  }

  /** Sets the wall clock forward or back, as an administrator or NTP would. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  #first(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      const isEarlier = first === undefined || timer.dueMs < first.dueMs;
      if (isEarlier) first = timer;
    }
    return first;
  }

  #run(timer: Timer): void {
    this.#timers.delete(timer);
    this.#nowMs = timer.dueMs;
    timer.action();
  }
}
