// What the newer commands return. One table with that of errors (protocol/errors.ts) and with docs/command-line.md, which
// a test compares. The old words keep the codes of the old scripts. Pure.
import type { Verdict } from '../protocol/schema.ts';

export const exitCodes = {
  done: 0,
  /** Failed or refused: the same again would fail again. */
  failed: 1,
  /** The lock was not had, or what was typed makes no sense. */
  notHad: 2,
  /** The lab's fault, not the image's. */
  labFault: 3,
  /** No server, or one that can't write now. */
  serverAway: 4,
  timedOut: 5,
} as const;

/** Of `mq run`, by how its job ended. */
export const exitOfVerdict: Readonly<Record<Verdict, number>> = {
  completed: exitCodes.done,
  'error-text': exitCodes.failed,
  'boot-failed': exitCodes.failed,
  cancelled: exitCodes.failed,
  'lab-fault': exitCodes.labFault,
  'timed-out': exitCodes.timedOut,
};
