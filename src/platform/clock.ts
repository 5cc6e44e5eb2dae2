// Time for everything outside the domain: a monotonic clock, the wall clock and timers, behind one interface so
// that tests bring a clock of their own.

import { performance } from 'node:perf_hooks';

export interface Clock {
  /** Milliseconds that never go back; the zero means nothing. */
  nowMs(): number;
  /** Milliseconds since 1970 as the machine has it; may jump. */
  wallMs(): number;
  /**
   * Calls `action` once when `nowMs` has moved on by this much, never before; any length is fine.
   * The function that it returns calls it off, and may be called at any time.
   */
  setTimer(delayMs: number, action: () => void): () => void;
}

/** What setTimeout can take; beyond it, it fires at once. */
const timeoutMsMax = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (delayMs, action) => {
    const dueMs = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    // setTimeout rounds to whole milliseconds of a clock of its own, and may be a little early.
    const wait = (): void => {
      const leftMs = dueMs - performance.now();
      if (leftMs <= 0) action();
      else timer = setTimeout(wait, Math.min(Math.ceil(leftMs), timeoutMsMax));
    };
    timer = setTimeout(wait, Math.min(Math.ceil(Math.max(0, delayMs)), timeoutMsMax));
    return () => clearTimeout(timer);
  },
};
