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
    steps.push({ command, result, now: moment.now });
    noted.set(process, steps);
  }
  return result;
}

/** The steps of a process since the last call. */
export function takeSteps(process: object): NotedStep[] {
  const steps = noted.get(process) ?? [];
  noted.delete(process);
  return steps;
}
