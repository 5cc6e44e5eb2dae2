// Timers whose clock jumps to the next one whenever nothing else is left to do, so that no test waits.
import type { Timers } from '../../src/client/link.ts';

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

export class VirtualTimers implements Timers {
  #now = 0;
  #timers: Timer[] = [];
  #isPumping = false;

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): () => void {
    const timer: Timer = { at: this.#now + ms, action };
    this.#timers.push(timer);
    this.#pump();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Timers that are still set: a test that is over should have none. */
  get pending(): number {
    return this.#timers.length;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    // Promises that are ready have run by the second immediate.
    setImmediate(() =>
      setImmediate(() => {
        this.#isPumping = false;
        const next = this.#timers.reduce<Timer | undefined>(
          (first, timer) => (first === undefined || timer.at < first.at ? timer : first),
          undefined,
        );
        if (!next) return;
        this.#timers = this.#timers.filter((other) => other !== next);
        this.#now = Math.max(this.#now, next.at);
        next.action();
        if (this.#timers.length > 0) this.#pump();
      }),
    );
  }
}
