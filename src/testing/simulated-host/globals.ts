// Replaces Node's timers, clocks and random ids by those of the simulated process in which they are called; everybody
// else gets the real ones. Changes this very process, and for good: import it in programs and tests of simulations only.

import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import { currentProcess, type ProcessOfHost } from './context.ts';

type Action = (...args: unknown[]) => void;

/** Stands for a Timeout and an Immediate. */
class SimulatedTimer {
  readonly #process: ProcessOfHost;
  readonly #action: () => void;
  readonly #delayMs: number;
  readonly #repeats: boolean;
  #callOff: () => void = () => undefined;

  constructor(process: ProcessOfHost, action: () => void, delayMs: number, repeats: boolean) {
    this.#process = process;
    this.#action = action;
    this.#delayMs = delayMs;
    this.#repeats = repeats;
    this.refresh();
  }

  refresh(): this {
    this.close();
    this.#callOff = this.#process.later(this.#delayMs, () => {
      if (this.#repeats) this.refresh();
      this.#action();
    });
    return this;
  }

  close(): this {
    this.#callOff();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const delayMsMax = 2 ** 31 - 1;

/** As Node reads it. */
function delayOf(ms: unknown): number {
  const delayMs = Number(ms);
  return delayMs >= 1 && delayMs <= delayMsMax ? delayMs : 1;
}

function replaceTimers(): void {
  const real = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate };
  const clear =
    (clearReal: (timer: never) => void) =>
    (timer: unknown): void =>
      timer instanceof SimulatedTimer ? void timer.close() : clearReal(timer as never);
  const replaced = {
    setTimeout(action: Action, ms?: unknown, ...args: unknown[]) {
      const process = currentProcess();
      if (!process) return real.setTimeout(action, ms as number, ...args);
      return new SimulatedTimer(process, () => action(...args), delayOf(ms), false);
    },
    setInterval(action: Action, ms?: unknown, ...args: unknown[]) {
      const process = currentProcess();
      if (!process) return real.setInterval(action, ms as number, ...args);
      return new SimulatedTimer(process, () => action(...args), delayOf(ms), true);
    },
    setImmediate(action: Action, ...args: unknown[]) {
      const process = currentProcess();
      if (!process) return real.setImmediate(action, ...args);
      return new SimulatedTimer(process, () => action(...args), 0, false);
    },
    clearTimeout: clear(real.clearTimeout),
    clearInterval: clear(real.clearInterval),
    clearImmediate: clear(real.clearImmediate),
  };
  Object.assign(globalThis, replaced);
}

function replaceClocks(): void {
  const realNow = performance.now.bind(performance);
  const realDateNow = Date.now;
  Object.defineProperty(performance, 'now', {
    value: () => currentProcess()?.host.nowMs ?? realNow(),
    configurable: true,
  });
  Date.now = () => currentProcess()?.host.wallMs ?? realDateNow();
}

function replaceIds(): void {
  const real = crypto.randomUUID;
  const randomUUID = (options?: Parameters<typeof real>[0]): string => {
    const process = currentProcess();
    if (!process) return real(options);
    const hex = (length: number): string =>
      Array.from({ length }, () => process.host.names.between(0, 15).toString(16)).join('');
    return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
  };
  Object.assign(crypto, { randomUUID });
  syncBuiltinESMExports();
}

let isDone = false;

/** Once for all; a second call changes nothing. */
export function replaceGlobals(): void {
  if (isDone) return;
  isDone = true;
  replaceTimers();
  replaceClocks();
  replaceIds();
}
