// The scheduler as the server's core sees it in a simulation: the real one, whose steps are noted for the judge until the
// store has their commit. See hooks.ts.

import type { Command } from '../../domain/commands.ts';
import { step as realStep, type StepResult, undo } from '../../domain/scheduler.ts';
import type { State } from '../../domain/state.ts';
import type { Moment } from '../../domain/step.ts';
import type { Timing } from '../../domain/timing.ts';
import { currentProcess } from '../simulated-host/context.ts';

export { undo };

export interface NotedStep {
  readonly command: Command;
  readonly result: StepResult;
  readonly now: number;
  /** One object for all steps of a batch. */
  readonly moment: Moment;
}

const noted = new WeakMap<object, NotedStep[]>();

export function step<C extends Command>(
  state: State,
  timing: Timing,
  command: C,
  moment: Moment,
): StepResult<C['name']> {
  const result = realStep(state, timing, command, moment);
  const process = currentProcess();
  if (process) {
    const steps = noted.get(process) ?? [];
    steps.push({ command, result, now: moment.now, moment });
    noted.set(process, steps);
  }
  return result;
}

/**
 * The steps of a process since the last call: those of the batch that is being committed, and before them those of
 * batches that changed nothing, of which the store does not hear.
 */
export function takeSteps(process: object): { before: NotedStep[]; batch: NotedStep[] } {
  const steps = noted.get(process) ?? [];
  noted.delete(process);
  const last = steps.at(-1)?.moment;
  const first = steps.findIndex(({ moment }) => moment === last);
  return { before: steps.slice(0, Math.max(0, first)), batch: steps.slice(Math.max(0, first)) };
}
