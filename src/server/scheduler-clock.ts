// Scheduler time: the last committed time plus monotonic time since. It never goes back and does not see the
// wall clock jump while the server runs.

/** Milliseconds, from sources that the tests replace. */
export interface TimeSource {
  /** Monotonic. */
  nowMs(): number;
  /** The wall clock, since 1970. */
  wallMs(): number;
}

/** Beyond this a start asks whether the wall clock is right, if anything depends on it. */
export const clockJumpMaxMs = 24 * 60 * 60 * 1000;

export class SchedulerClock {
  readonly #source: TimeSource;
  readonly #startMs: number;
  readonly #startAt: number;

  /** `lastAt`: scheduler time of the last commit; 0 in a new lab. A start takes the wall clock if it is later. */
  constructor(source: TimeSource, lastAt: number) {
    this.#source = source;
    this.#startMs = source.nowMs();
    this.#startAt = Math.max(lastAt, source.wallMs());
  }

  now(): number {
    return Math.floor(this.#startAt + (this.#source.nowMs() - this.#startMs));
  }

  wallAt(): number {
    return this.#source.wallMs();
  }

  /** Milliseconds from now until a scheduler time; at least 0. */
  until(at: number): number {
    return Math.max(0, at - this.now());
  }
}
