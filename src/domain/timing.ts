// Every span of time the scheduler itself decides on, in milliseconds, with the promise it comes from.

export interface Timing {
  /** A grant that is not confirmed by then is taken back. */
  readonly confirmMs: number;
  /** How long the lock file of a grant may take to be made. */
  readonly lockFileMs: number;
  /** How long the client of a ticket or job may be away. */
  readonly graceMs: number;
  /** How long a board may take to stop its job and power off before it counts as broken. */
  readonly endingMs: number;
  /** Lab faults in a row after which a board is broken. */
  readonly faultsMax: number;
  /** The longest that a ticket for several boards rests between two gatherings. */
  readonly gatherRestMsMax: number;
}

export const standardTiming: Timing = {
  confirmMs: 3_000,
  lockFileMs: 20_000,
  graceMs: 15_000,
  endingMs: 180_000,
  faultsMax: 3,
  gatherRestMsMax: 4 * 3_600_000,
};
