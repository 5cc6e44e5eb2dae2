// A computer of a simulation: its clock, its events and the processes on it. Time moves only from one event to the next,
// and whatever the events of one instant set off in promises is done before the next one. Uses the real clock for nothing.

import { IndexedHeap } from '../../domain/indexed-heap.ts';
import { Random } from '../simulation/random.ts';
import { inProcess, type ProcessOfHost, realSetImmediate } from './context.ts';

/** A wall clock of no day in particular. */
const wallAtStart = Date.UTC(2030, 0, 1);

export interface HostOptions {
  readonly random: Random;
  /** A real folder, empty: what the processes write is there. */
  readonly folder: string;
}

export class SimulatedHost {
  readonly random: Random;
  /** For what only names things, so that it does not shift the rest. */
  readonly names: Random;
  readonly folder: string;
  /** Nothing more can be written. */
  isDiskFull = false;
  /** Of so many writes one fails by itself; 0: none. */
  writeFailsOneIn = 0;
  /** How far the wall clock was set forward or back. */
  wallOffsetMs = 0;
  readonly #heap = new IndexedHeap();
  readonly #actions = new Map<string, () => void>();
  #nowMs = 1_000_000;
  #order = 0;

  constructor({ random, folder }: HostOptions) {
    this.random = random;
    this.names = new Random(random.between(0, 2 ** 31));
    this.folder = folder;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get wallMs(): number {
    return wallAtStart + this.#nowMs + this.wallOffsetMs;
  }

  /** Whether a write that is tried now finds room. */
  get canWrite(): boolean {
    return !this.isDiskFull && !(this.writeFailsOneIn > 0 && this.random.chance(1 / this.writeFailsOneIn));
  }

  /** Does something later; what is due at one instant happens in the order in which it was set. Answers how to call it off. */
  in(delayMs: number, action: () => void): () => void {
    this.#order += 1;
    const key = String(this.#order);
    this.#heap.set(key, this.#nowMs + Math.max(0, Math.ceil(delayMs)), this.#order);
    this.#actions.set(key, action);
    return () => {
      if (this.#actions.delete(key)) this.#heap.delete(key);
    };
  }

  /** Moves on to the next event and lets it take effect; false where nothing is to come. */
  async next(): Promise<boolean> {
    const key = this.#heap.peek();
    const rank = this.#heap.peekRank();
    if (key === undefined || !rank) return false;
    const action = this.#actions.get(key);
    this.#heap.delete(key);
    this.#actions.delete(key);
    this.#nowMs = rank[0];
    action?.();
    // One turn of the real loop: every promise and tick that this has set off is through.
    await new Promise<void>((resolve) => realSetImmediate(resolve));
    return true;
  }
}

/** What a process that is no more would have gone on with. */
export class ProcessEnded extends Error {
  constructor() {
    super('this process has ended');
    this.name = 'ProcessEnded';
  }
}

/**
 * A process on the host. Code that it runs, and all that follows from it, finds this host's time, timers and disk. Once
 * killed it changes nothing any more: its timers do not fire, its disk refuses, its connections are cut.
 */
export class SimulatedProcess implements ProcessOfHost {
  readonly host: SimulatedHost;
  readonly name: string;
  #isAlive = true;
  #frozenUntil = 0;
  readonly #ends = new Set<() => void>();

  constructor(host: SimulatedHost, name: string) {
    this.host = host;
    this.name = name;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isFrozen(): boolean {
    return this.#frozenUntil > this.host.nowMs;
  }

  run<T>(work: () => T): T {
    return inProcess(this, work);
  }

  /** As `run`, later; not at all where it has ended by then, and not before it runs again where it is stopped. */
  later(delayMs: number, action: () => void): () => void {
    let isOff = false;
    let callOff = (): void => undefined;
    const wait = (ms: number): void => {
      callOff = this.host.in(ms, () => {
        if (isOff || !this.#isAlive) return;
        if (this.isFrozen) return wait(this.#frozenUntil - this.host.nowMs);
        this.run(action);
      });
    };
    wait(delayMs);
    return () => {
      isOff = true;
      callOff();
    };
  }

  /** Rejects with ProcessEnded where the process ends first. */
  sleep(ms: number): Promise<void> {
    if (!this.#isAlive) return Promise.reject(new ProcessEnded());
    return new Promise((resolve, reject) => {
      const onEnd = (): void => reject(new ProcessEnded());
      this.#ends.add(onEnd);
      this.later(ms, () => {
        this.#ends.delete(onEnd);
        resolve();
      });
    });
  }

  /** As SIGSTOP, and SIGCONT after so long. */
  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.host.nowMs + ms);
  }

  thaw(): void {
    this.#frozenUntil = 0;
  }

  /** As SIGKILL. */
  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    for (const onEnd of [...this.#ends]) this.run(onEnd);
    this.#ends.clear();
  }

  /** Called when it ends; the function it returns forgets that. */
  onEnd(action: () => void): () => void {
    this.#ends.add(action);
    return () => this.#ends.delete(action);
  }
}
