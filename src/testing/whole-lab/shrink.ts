// Makes a failing run of the whole lab smaller: fewer kinds of trouble, fewer people, fewer steps, as long as the same
// kind of promise is broken. Another set of troubles is another run, so each is tried under a few seeds.

import { promiseKind } from '../simulation/promise-kind.ts';
import { simulateWhole, type WholeOptions, type WholeReport } from './simulate.ts';

export interface ShrinkOptions {
  /** Real time after which the best so far is taken. */
  readonly forMs: number;
  readonly seedsEach: number;
}

/** Returns the smallest failing run that was found, which may be the one that it is given. */
export async function shrinkWhole(
  failed: WholeReport,
  { forMs, seedsEach }: ShrinkOptions,
): Promise<WholeReport> {
  const endAt = performance.now() + forMs;
  const promise = promiseOf(failed);
  let best = failed;
  /** Takes a smaller run that fails in the same way, if there is one. */
  const tryOne = async (change: Partial<WholeOptions>): Promise<boolean> => {
    for (let seed = best.seed; seed < best.seed + seedsEach; seed += 1) {
      if (performance.now() > endAt) return false;
      const { kinds, peopleMax } = best;
      const steps = Math.min(best.stepsMax, best.steps + 1);
      const report = await simulateWhole({ kinds, peopleMax, ...change, seed, steps });
      if (promiseOf(report) !== promise) continue;
      best = report;
      return true;
    }
    return false;
  };
  for (const kind of failed.kinds) await tryOne({ kinds: best.kinds.filter((one) => one !== kind) });
  for (const peopleMax of [2, 4, 8, 16])
    if (peopleMax < best.peopleMax && (await tryOne({ peopleMax }))) break;
  // Under other seeds it may come sooner.
  for (let seed = best.seed + 1; seed < best.seed + 4 * seedsEach && performance.now() < endAt; seed += 1) {
    const { kinds, peopleMax, stepsMax } = best;
    const report = await simulateWhole({ kinds, peopleMax, seed, steps: stepsMax });
    if (promiseOf(report) === promise && report.steps < best.steps) best = report;
  }
  return best;
}

function promiseOf({ problems: [first = ''] }: WholeReport): string {
  return promiseKind(first);
}
