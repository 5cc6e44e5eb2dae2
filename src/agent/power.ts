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

export interface PowerOff {
  /** Never rejects, and comes within the limit. */
  readonly outcome: Promise<PowerOutcome>;
  /** Never rejects. Resolves when nothing of it runs any more, which may be never. */
  readonly released: Promise<unknown>;
}

/** Past its limit the program that does it is ended; one that does not end is left, and said. */
export function powerOff(
  context: { readonly driver: BoardDriver; readonly hooks: ChildHooks; readonly clock: Clock },
  signal: AbortSignal,
): PowerOff {
  const limit = new AbortController();
  const stuck = Promise.withResolvers<PowerOutcome>();
  const cancelLimit = context.clock.setTimer(powerOffSeconds * 1000, () =>
    limit.abort(new Error(`the power off took longer than ${powerOffSeconds} s`)),
  );
  const cancelStuck = context.clock.setTimer((powerOffSeconds + powerOffGraceSeconds) * 1000, () =>
    stuck.resolve({ ok: false, detail: 'the program that powers the board off can not be ended' }),
  );
  const both = AbortSignal.any([signal, limit.signal]);
  // A driver that throws at once rejects too.
  const done = Promise.resolve()
    .then(() => context.driver.powerOff(context.hooks, { signal: both }))
    .then(
      () => ({ ok: true, detail: '' }),
      (error: unknown) => ({ ok: false, detail: describePowerError(error, limit.signal) }),
    )
    .finally(() => {
      cancelLimit();
      cancelStuck();
    });
  return { outcome: Promise.race([done, stuck.promise]), released: done };
}

function describePowerError(error: unknown, limit: AbortSignal): string {
  const text = error instanceof Error ? error.message : String(error);
  return limit.aborted ? `${(limit.reason as Error).message}: ${text}` : text;
}
