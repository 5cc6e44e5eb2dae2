// One power off with its time limit, as a job and the end of a lock both need it.
import type { BoardDriver } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { ChildHooks } from './job.ts';
import { powerOffGraceSeconds, powerOffSeconds } from './limits.ts';

export interface PowerOutcome {
  readonly ok: boolean;
  /** What went wrong. */
  readonly detail: string;
}

/** Never rejects. Past its limit the program that does it is ended; one that does not end is left and said. */
export async function powerOff(
  context: { readonly driver: BoardDriver; readonly hooks: ChildHooks; readonly clock: Clock },
  signal: AbortSignal,
): Promise<PowerOutcome> {
  const limit = new AbortController();
  const stuck = Promise.withResolvers<PowerOutcome>();
  const cancelLimit = context.clock.setTimer(powerOffSeconds * 1000, () =>
    limit.abort(new Error(`the power off took longer than ${powerOffSeconds} s`)),
  );
  const cancelStuck = context.clock.setTimer((powerOffSeconds + powerOffGraceSeconds) * 1000, () =>
    stuck.resolve({ ok: false, detail: 'the program that powers the board off can not be ended' }),
  );
  const both = AbortSignal.any([signal, limit.signal]);
  const done = context.driver.powerOff(context.hooks, { signal: both }).then(
    () => ({ ok: true, detail: '' }),
    (error: unknown) => ({ ok: false, detail: error instanceof Error ? error.message : String(error) }),
  );
  try {
    return await Promise.race([done, stuck.promise]);
  } finally {
    cancelLimit();
    cancelStuck();
  }
}
