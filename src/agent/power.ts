// Switching a board's power with a time limit: the power off of a job's or a lock's end, and what the holder asks for.
import type { BoardDriver, PowerStatus } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { ChildHooks } from './job.ts';
import { cycleOffSeconds, powerOffGraceSeconds, powerOffSeconds } from './limits.ts';

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

/** What the holder of a board may ask for. */
export type SwitchAction = 'on' | 'off' | 'cycle' | 'status';

/** `refused`: nothing was done. `failed`: nobody knows how far it came. `unknown`: this process never heard of it. */
export interface SwitchOutcome {
  readonly outcome: 'done' | 'failed' | 'refused' | 'unknown';
  /** With `status`. */
  readonly power?: PowerStatus;
  readonly detail: string;
}

export interface PowerSwitch {
  readonly outcome: Promise<SwitchOutcome>;
  /** As of a PowerOff. */
  readonly released: Promise<unknown>;
}

export interface PowerContext {
  readonly driver: BoardDriver;
  readonly hooks: ChildHooks;
  readonly clock: Clock;
}

/** Past its limit the program that does it is ended; one that does not end is left, and said. */
export function powerOff(context: PowerContext, signal: AbortSignal): PowerOff {
  const act = (both: AbortSignal) => context.driver.powerOff(context.hooks, { signal: both });
  const limits = { what: 'the power off', seconds: powerOffSeconds, signal };
  const { outcome, released } = limited(context.clock, act, limits);
  return { outcome: outcome.then(({ ok, detail }) => ({ ok, detail })), released };
}

/** The same for what the holder asks for. The driver must be able to, see `findUnable`. */
export function switchPower(context: PowerContext, action: SwitchAction, signal: AbortSignal): PowerSwitch {
  const seconds = action === 'cycle' ? 2 * powerOffSeconds + cycleOffSeconds : powerOffSeconds;
  const act = (both: AbortSignal) => carryOut(context, action, both);
  const { outcome, released } = limited(context.clock, act, { what: 'switching the power', seconds, signal });
  const told = outcome.then(({ ok, detail, value }): SwitchOutcome => {
    if (!ok) return { outcome: 'failed', detail };
    return { outcome: 'done', detail, ...(value ? { power: value } : {}) };
  });
  return { outcome: told, released };
}

/** Why the driver can't do this at all; undefined where it can. */
export function findUnable(driver: BoardDriver, action: SwitchAction): string | undefined {
  if (action === 'status') return driver.powerStatus ? undefined : 'nobody can tell whether this board is on';
  if (action === 'off' || driver.powerOn) return undefined;
  return 'this board is switched on only by a job';
}

async function carryOut(
  { driver, hooks, clock }: PowerContext,
  action: SwitchAction,
  signal: AbortSignal,
): Promise<PowerStatus | undefined> {
  signal.throwIfAborted();
  const options = { signal };
  if (action === 'status') return driver.powerStatus?.(hooks, options);
  if (action !== 'on') await driver.powerOff(hooks, { ...options, besideJob: true });
  // Long enough for what a power supply still holds.
  if (action === 'cycle') await pause(clock, cycleOffSeconds, signal);
  if (action !== 'off') await driver.powerOn?.(hooks, options);
  return undefined;
}

function pause(clock: Clock, seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.setTimer(seconds * 1000, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

interface Limited<T> {
  readonly outcome: Promise<PowerOutcome & { readonly value?: T }>;
  readonly released: Promise<unknown>;
}

function limited<T>(
  clock: Clock,
  act: (signal: AbortSignal) => Promise<T>,
  { what, signal, seconds }: { what: string; signal: AbortSignal; seconds: number },
): Limited<T> {
  const limit = new AbortController();
  const stuck = Promise.withResolvers<PowerOutcome>();
  const cancelLimit = clock.setTimer(seconds * 1000, () =>
    limit.abort(new Error(`${what} took longer than ${seconds} s`)),
  );
  const cancelStuck = clock.setTimer((seconds + powerOffGraceSeconds) * 1000, () =>
    stuck.resolve({ ok: false, detail: 'the program that switches the power can not be ended' }),
  );
  const both = AbortSignal.any([signal, limit.signal]);
  // A driver that throws at once rejects too.
  const done = Promise.resolve()
    .then(() => act(both))
    .then(
      (value) => ({ ok: true, detail: '', value }),
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
