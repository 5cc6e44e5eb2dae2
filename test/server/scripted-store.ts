// A store that does as a test says: holds commits back, and answers the next ones as scripted.
import type { Batch, CommitOutcome, Store, StoredAnswer } from '../../src/store/contract.ts';
import { MemoryStore } from '../../src/testing/memory-store.ts';

interface Held {
  readonly batch: Batch;
  readonly release: () => void;
}

/** Wraps a store in memory. Without a script every commit is carried out at once. */
export class ScriptedStore extends MemoryStore {
  /** Outcomes of the next commits; when it is empty, commits are carried out. */
  readonly outcomes: CommitOutcome['kind'][] = [];
  readonly batches: Batch[] = [];
  answersAsked = 0;
  /** True: commits wait for `releaseNext`. */
  holds = false;
  readonly #held: Held[] = [];
  #arrived = Promise.withResolvers<void>();

  override async commit(batch: Batch): Promise<CommitOutcome> {
    this.batches.push(batch);
    if (this.holds) {
      await new Promise<void>((release) => {
        this.#held.push({ batch, release });
        this.#arrived.resolve();
      });
    }
    const kind = this.outcomes.shift() ?? 'committed';
    return kind === 'committed' ? super.commit(batch) : { kind, message: 'scripted' };
  }

  override findAnswer(requestId: string): Promise<StoredAnswer | undefined> {
    this.answersAsked += 1;
    return super.findAnswer(requestId);
  }

  /** The next commit that is held; waits until one comes. */
  async arrival(): Promise<Batch> {
    if (this.#held.length === 0) await this.#arrived.promise;
    this.#arrived = Promise.withResolvers();
    const held = this.#held[0];
    if (!held) throw new Error('no commit is held');
    return held.batch;
  }

  releaseNext(): void {
    this.#held.shift()?.release();
  }

  /** The store under it, whose type the tests need as a plain store. */
  get plain(): Store {
    return this;
  }
}
