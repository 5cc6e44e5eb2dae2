// What a run gave its scheduler: every command and when, and what became of the commit that it was in. Enough to do the
// same again without the rest of the world; see replay.ts.
import type { Command } from '../../domain/commands.ts';

export interface Recorded {
  readonly atMs: number;
  readonly command: Command;
  /** Those of one batch are committed together, or refused: also when the server died before the commit. */
  readonly batch: Batch;
}

export interface Batch {
  isRefused: boolean;
}

export class Recording {
  readonly all: Recorded[] = [];
  #batch: Batch = { isRefused: false };

  step(atMs: number, command: Command): void {
    this.all.push({ atMs, command, batch: this.#batch });
  }

  /** The batch is over. */
  close(isRefused: boolean): void {
    this.#batch.isRefused = isRefused;
    this.#batch = { isRefused: false };
  }
}
