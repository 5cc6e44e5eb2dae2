// What a board by parts knows of how it boots: where an image has to be before the power comes on. Types only.

import type { BoardJob } from '../board/contract.ts';

export interface BootDriver {
  /** Why this job can't be booted whatever the lab does, the user's fault; undefined where it can. */
  findUnfit(job: BoardJob): string | undefined;
  /**
   * Puts the job's files into place, and takes away what an earlier job put there and this one does not bring. Rejects
   * with an Error whose message says what went wrong, the lab's fault.
   */
  place(job: BoardJob, options: { readonly signal: AbortSignal }): Promise<void>;
}
