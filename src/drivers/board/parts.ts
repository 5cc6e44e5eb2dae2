// Driver parts: a board put together from a power switch, a console and a way to boot. Here is the order of things, the
// same for all of them: off, files into place, console open, and only then on, so that the first byte is seen.

import type { BootDriver } from '../boot/contract.ts';
import type { ConsoleDriver } from '../console/contract.ts';
import { type ConsoleLimits, openLastingConsole } from '../console/lasting-console.ts';
import type { PowerAction, PowerDriver } from '../power/contract.ts';
import { type TryLimits, withTries } from '../power/tries.ts';
import type { BoardDriver, BoardHooks, BoardJob, BoardSession } from './contract.ts';
import { endedSession } from './ended-session.ts';

export interface BoardParts {
  readonly power: PowerDriver;
  readonly powerLimits: TryLimits;
  readonly console: ConsoleDriver;
  readonly consoleLimits: ConsoleLimits;
  readonly boot: BootDriver;
}

interface Call {
  readonly hooks: BoardHooks;
  readonly signal: AbortSignal;
}

/** A driver for one board. It has one session at a time: a job's, or a console's without a job. */
export function createPartsDriver(parts: BoardParts): BoardDriver {
  const power = withTries(parts.power, parts.powerLimits);
  const openConsole = (call: Call) => openLastingConsole(parts.console, parts.consoleLimits, call);
  const { status } = power;
  let ofJob: BoardSession | undefined;
  let alone: BoardSession | undefined;
  let mayBeOn = true;

  const switchOff: PowerAction = async (hooks, options) => {
    await power.powerOff(hooks, options);
    mayBeOn = false;
  };
  const switchOn: PowerAction = async (hooks, options) => {
    mayBeOn = true;
    await power.powerOn(hooks, options);
  };
  const run = async (job: BoardJob, { hooks, signal }: Call): Promise<BoardSession> => {
    signal.throwIfAborted();
    // Whoever calls has done so as a rule, but not with this driver where the configuration has changed.
    if (mayBeOn) await switchOff(hooks, { signal });
    await parts.boot.place(job, { signal });
    const session = await openConsole({ hooks, signal });
    try {
      await switchOn(hooks, { signal });
    } catch (error) {
      await session.stop();
      throw error;
    }
    return session;
  };
  return {
    watches: false,
    async start(job, hooks, { signal }) {
      await Promise.all([ofJob?.stop(), alone?.stop()]);
      const unfit = parts.boot.findUnfit(job);
      if (unfit !== undefined) return endedSession({ kind: 'boot-failed', message: unfit });
      ofJob = await run(job, { hooks, signal }).catch((error: Error) => failedSession(error, signal));
      return ofJob;
    },
    async powerOff(hooks, { signal, besideJob = false }) {
      if (!besideJob) await ofJob?.stop();
      await switchOff(hooks, { signal });
    },
    powerOn: switchOn,
    ...(status && { powerStatus: status }),
    async openConsole(hooks, { signal }) {
      await Promise.all([ofJob?.stop(), alone?.stop()]);
      alone = await openConsole({ hooks, signal }).catch((error: Error) => failedSession(error, signal));
      return alone;
    },
  };
}

function failedSession(error: Error, signal: AbortSignal): BoardSession {
  return endedSession(signal.aborted ? { kind: 'stopped' } : { kind: 'fault', message: error.message });
}
