// What all console drivers share: a console that outlasts its lines. One that drops is connected again within a limit, and
// the bytes go on as if nothing had been: nothing is put between them.

import { setTimeout as sleep } from 'node:timers/promises';
import type { BoardExit, BoardHooks, BoardSession } from '../board/contract.ts';
import type { ConsoleDriver, ConsoleLine } from './contract.ts';

export interface ConsoleLimits {
  /** Until there is a first line. */
  readonly connectSeconds: number;
  /** Until there is a line again, from when the last steady one dropped. */
  readonly reconnectSeconds: number;
}

/** A line that lives so long is steady. Some servers take a connection only to say that the port is in use. */
const steadyMilliseconds = 1_000;
/** Between two tries; doubled each time. */
const pauseMilliseconds = 100;
const pauseMillisecondsMax = 2_000;
/** Input that waits for a line; more is dropped, as a serial port does. */
const waitingBytesMax = 64 * 1024;

/**
 * Resolves when there is a line. Rejects with an Error whose message says why none came within the limit, or with the
 * signal's reason. The session's exit is a fault where the console did not come back.
 */
export async function openLastingConsole(
  driver: ConsoleDriver,
  limits: ConsoleLimits,
  call: { readonly hooks: BoardHooks; readonly signal: AbortSignal },
): Promise<BoardSession> {
  const console = new LastingConsole(driver, limits, call.hooks);
  const stop = () => void console.stop();
  call.signal.addEventListener('abort', stop);
  try {
    call.signal.throwIfAborted();
    await console.open();
  } catch (error) {
    call.signal.removeEventListener('abort', stop);
    throw call.signal.aborted ? call.signal.reason : error;
  }
  void console.exit.then(() => call.signal.removeEventListener('abort', stop));
  return console;
}

class LastingConsole implements BoardSession {
  readonly #driver: ConsoleDriver;
  readonly #limits: ConsoleLimits;
  readonly #hooks: BoardHooks;
  readonly #stopping = new AbortController();
  readonly #exit = Promise.withResolvers<BoardExit>();
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #line: ConsoleLine | undefined;
  #isOpen = false;

  constructor(driver: ConsoleDriver, limits: ConsoleLimits, hooks: BoardHooks) {
    this.#driver = driver;
    this.#limits = limits;
    this.#hooks = hooks;
  }

  get exit(): Promise<BoardExit> {
    return this.#exit.promise;
  }

  async open(): Promise<void> {
    const { connectSeconds } = this.#limits;
    const deadline = performance.now() + connectSeconds * 1000;
    const line = await this.#connect({ deadline, pauseMs: 0 }).catch((error: Error) => {
      const message = `${this.#driver.name} can't be reached, tried for ${connectSeconds} s: ${error.message}`;
      throw new Error(message, { cause: error });
    });
    this.#isOpen = true;
    void this.#keep(line).then(this.#exit.resolve);
  }

  write(bytes: Uint8Array): void {
    if (this.#line) return this.#line.write(bytes);
    if (this.#stopping.signal.aborted || this.#waitingBytes + bytes.length > waitingBytesMax) return;
    this.#waiting.push(Uint8Array.from(bytes));
    this.#waitingBytes += bytes.length;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the console was given up'));
    if (this.#isOpen) await this.#exit.promise;
  }

  /** Follows one line after the other until it is stopped or none comes any more. */
  async #keep(first: ConsoleLine): Promise<BoardExit> {
    const { reconnectSeconds } = this.#limits;
    let lostAt: number | undefined;
    let pauseMs = 0;
    for (let line = first; ; ) {
      const upAt = performance.now();
      this.#use(line);
      const why = await line.down;
      this.#line = undefined;
      if (this.#stopping.signal.aborted) return { kind: 'stopped' };
      const now = performance.now();
      const wasSteady = now - upAt >= steadyMilliseconds;
      if (wasSteady) pauseMs = 0;
      if (wasSteady || lostAt === undefined) lostAt = now;
      try {
        line = await this.#connect({ deadline: lostAt + reconnectSeconds * 1000, pauseMs, why });
      } catch (error) {
        if (this.#stopping.signal.aborted) return { kind: 'stopped' };
        const message = `${this.#driver.name} dropped and was not back within ${reconnectSeconds} s`;
        return { kind: 'fault', message: `${message}: ${(error as Error).message}` };
      }
      pauseMs = nextPause(pauseMs);
    }
  }

  #use(line: ConsoleLine): void {
    this.#line = line;
    for (const bytes of this.#waiting.splice(0)) line.write(bytes);
    this.#waitingBytes = 0;
  }

  /** Tries until the deadline, then rejects with what the last try said; or with `why` where there was none. */
  async #connect(until: { deadline: number; pauseMs: number; why?: string }): Promise<ConsoleLine> {
    let { pauseMs, why = 'no answer' } = until;
    const { signal } = this.#stopping;
    while (true) {
      const leftMs = until.deadline - performance.now();
      if (leftMs <= pauseMs) throw new Error(why);
      if (pauseMs > 0) await sleep(pauseMs, undefined, { signal });
      pauseMs = nextPause(pauseMs);
      try {
        return await this.#tryOnce(until.deadline);
      } catch (error) {
        signal.throwIfAborted();
        why = (error as Error).message;
      }
    }
  }

  /** The deadline ends only the try; to stop ends the line too. */
  async #tryOnce(deadline: number): Promise<ConsoleLine> {
    const trying = new AbortController();
    const { signal } = this.#stopping;
    const abort = () => trying.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const leftMs = Math.max(deadline - performance.now(), 1);
    const late = setTimeout(() => trying.abort(new Error('no answer')), leftMs);
    try {
      signal.throwIfAborted();
      const line = await this.#driver.connect(this.#hooks, { signal: trying.signal });
      void line.down.then(() => signal.removeEventListener('abort', abort));
      return line;
    } catch (error) {
      signal.removeEventListener('abort', abort);
      throw error;
    } finally {
      clearTimeout(late);
    }
  }
}

function nextPause(pauseMs: number): number {
  return Math.min(Math.max(pauseMs * 2, pauseMilliseconds), pauseMillisecondsMax);
}
