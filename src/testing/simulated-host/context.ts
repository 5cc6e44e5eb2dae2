// Which simulated process the code that runs now belongs to, over promises and timers, and Node's own timers for whoever
// belongs to none.

import { AsyncLocalStorage } from 'node:async_hooks';

/** What the replaced timers, clocks and files ask of the process they are called in. */
export interface ProcessOfHost {
  readonly isAlive: boolean;
  readonly host: {
    readonly nowMs: number;
    readonly wallMs: number;
    readonly canWrite: boolean;
    readonly random: { between(from: number, to: number): number };
    readonly names: { between(from: number, to: number): number };
  };
  later(delayMs: number, action: () => void): () => void;
  sleep(ms: number): Promise<void>;
  onEnd(action: () => void): () => void;
}

const storage = new AsyncLocalStorage<ProcessOfHost>();

/** The real ones, taken before they are replaced. */
export const realSetImmediate = setImmediate;

export function inProcess<T>(process: ProcessOfHost, work: () => T): T {
  return storage.run(process, work);
}

/** Undefined outside of all simulations. */
export function currentProcess(): ProcessOfHost | undefined {
  return storage.getStore();
}
