// What all power drivers share: a limit of time for each try, and further tries, since power switches are moody.

import type { PowerAction, PowerDriver } from './contract.ts';

export interface TryLimits {
  /** One try. */
  readonly seconds: number;
  /** After the first try. */
  readonly retries: number;
}

/** The same contract: each action rejects only when its last try has failed, with what that one said. */
export function withTries(power: PowerDriver, limits: TryLimits): PowerDriver {
  const { status } = power;
  return {
    powerOn: tryAgain('power on', power.powerOn, limits),
    powerOff: tryAgain('power off', power.powerOff, limits),
    ...(status && { status: tryAgain('power status', status, limits) }),
  };
}

function tryAgain<Result>(
  what: string,
  action: PowerAction<Result>,
  { seconds, retries }: TryLimits,
): PowerAction<Result> {
  return async (hooks, { signal }) => {
    for (let left = retries; ; left -= 1) {
      signal.throwIfAborted();
      const limit = AbortSignal.timeout(seconds * 1000);
      try {
        return await action(hooks, { signal: AbortSignal.any([signal, limit]) });
      } catch (cause) {
        const why = (cause as Error).message;
        if (signal.aborted) throw new Error(`${what} was given up: ${why}`, { cause });
        if (left > 0) continue;
        const late = limit.aborted ? ` (limit ${seconds} s)` : '';
        const tries = retries === 0 ? '' : ` ${retries + 1} times`;
        throw new Error(`${what} failed${tries}: ${why}${late}`, { cause });
      }
    }
  };
}
