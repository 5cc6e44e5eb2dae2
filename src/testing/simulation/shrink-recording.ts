// Makes the recording of a run that broke a promise short: chunks of its commands are left out, ever smaller ones, as long
// as the rest still breaks a promise of the same kind (delta debugging, Zeller and Hildebrandt 2002). Where that leaves
// many, as long as it breaks any promise.
import type { Timing } from '../../domain/timing.ts';
import { promiseKind } from './promise-kind.ts';
import type { Recorded } from './recording.ts';
import { type DrawnNames, type Replayed, replayCommands } from './replay.ts';

export interface ShrinkOptions {
  readonly timing: Timing;
  /** What was broken in the run. */
  readonly problem: string;
  /** Real time after which the shortest so far is taken. */
  readonly forMs: number;
}

/** So many commands can be read. */
const fewMax = 30;

interface Shrinking {
  best: Replayed;
  readonly timing: Timing;
  readonly origin: DrawnNames;
  readonly endAt: number;
  readonly isBroken: (replayed: Replayed) => boolean;
}

/** The shortest that was found; undefined where it takes the rest of the world to break that promise. */
export function shrinkRecording(
  all: readonly Recorded[],
  { timing, problem, forMs }: ShrinkOptions,
): Replayed | undefined {
  const beginAt = performance.now();
  const kind = promiseKind(problem);
  const isSame = ({ problems }: Replayed): boolean => problems.some((one) => promiseKind(one) === kind);
  const whole = replayCommands(all, { timing });
  if (!isSame(whole)) return undefined;
  const origin = whole.names;
  const endAt = beginAt + forMs / 2;
  const same = leaveOut({ best: whole, timing, origin, endAt, isBroken: isSame });
  if (same.done.length <= fewMax) return same;
  const isAny = ({ problems }: Replayed): boolean => problems.length > 0;
  return leaveOut({ best: same, timing, origin, endAt: beginAt + forMs, isBroken: isAny });
}

function leaveOut(shrinking: Shrinking): Replayed {
  for (let size = shrinking.best.done.length >> 1; size >= 1; ) {
    const { length } = shrinking.best.done;
    if (!leaveOutChunks(shrinking, size)) break;
    // The smallest are tried until none of them can be left out.
    if (size > 1) size >>= 1;
    else if (shrinking.best.done.length === length) break;
  }
  return shrinking.best;
}

/** Tries without each chunk of this size; false where the time is over. */
function leaveOutChunks(shrinking: Shrinking, size: number): boolean {
  const { timing, origin, endAt, isBroken } = shrinking;
  // From the end: what is done last has the least that hangs on it.
  for (let to = shrinking.best.done.length; to > 0; to -= size) {
    if (performance.now() > endAt) return false;
    const { done } = shrinking.best;
    const left = done.filter((_, at) => at < to - size || at >= to);
    const shorter = replayCommands(left, { timing, origin });
    if (isBroken(shorter) && shorter.done.length < done.length) shrinking.best = shorter;
  }
  return true;
}
