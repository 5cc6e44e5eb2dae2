// The store of a simulated server: keeps the contract on a disk that outlives the process, takes time, and has bad luck.
// The judge hears of every commit at the moment at which it is durable.

import type { Batch, CommitOutcome, Store } from '../../store/contract.ts';
import { MemoryStore } from '../memory-store.ts';
import type { SimulatedProcess } from '../simulated-host/host.ts';
import { type NotedStep, takeSteps } from './observed-scheduler.ts';

/** What befalls a commit. */
export type CommitFate =
  | 'stored'
  | 'refused'
  | 'killed-before'
  | 'killed-after'
  | 'unknown-stored'
  | 'unknown-not-stored';

export interface SimulatedStoreOptions {
  readonly process: SimulatedProcess;
  readonly disk: MemoryStore;
  readonly fate: () => CommitFate;
  /** Steps that changed nothing, and count already. */
  readonly onIdle: (steps: readonly NotedStep[]) => void;
  readonly onStored: (steps: readonly NotedStep[], batch: Batch) => void;
  readonly onRefused: () => void;
}

/** Milliseconds until the disk has it, and until the server knows. */
const writeMsMax = 4;
const knowMsMax = 1;

/** The store of one life of a server on a disk. */
export function openSimulatedStore(options: SimulatedStoreOptions): Store {
  return new SimulatedStore(options);
}

class SimulatedStore extends MemoryStore {
  readonly #options: SimulatedStoreOptions;

  constructor(options: SimulatedStoreOptions) {
    super(options.disk);
    this.#options = options;
  }

  override async commit(batch: Batch): Promise<CommitOutcome> {
    const { process, fate, onIdle, onStored, onRefused } = this.#options;
    const { host } = process;
    const steps = takeSteps(process);
    if (steps.before.length > 0) onIdle(steps.before);
    await process.sleep(host.random.between(0, writeMsMax));
    const what = host.isDiskFull ? 'refused' : fate();
    if (what === 'refused') {
      onRefused();
      return { kind: 'refused', message: 'simulated: the disk is full' };
    }
    if (what === 'killed-before') process.kill();
    if (what === 'unknown-not-stored') return { kind: 'unknown', message: 'simulated: it is not' };
    if (!process.isAlive) return await new Promise(() => undefined);
    const outcome = await super.commit(batch);
    if (outcome.kind !== 'committed') return outcome;
    onStored(steps.batch, batch);
    if (what === 'killed-after') process.kill();
    if (what === 'unknown-stored') return { kind: 'unknown', message: 'simulated: it is' };
    await process.sleep(host.random.between(0, knowMsMax));
    return outcome;
  }
}
