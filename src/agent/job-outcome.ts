// How a job ends, by what ended it. Pure; when it counts is job-machine.ts.
import type { BoardExit } from '../drivers/board/contract.ts';
import type { Verdict } from '../protocol/schema.ts';

export interface Outcome {
  readonly verdict: Verdict;
  readonly detail: string;
  readonly exitCode?: number;
  readonly matchEnd?: number;
}

/** The exit of a program that watches by itself. */
export function programOutcome(exit: BoardExit): Outcome {
  switch (exit.kind) {
    case 'exited':
      if (exit.code === 0) return { verdict: 'completed', detail: '', exitCode: 0 };
      return {
        verdict: 'error-text',
        detail: `the board's program ended with code ${exit.code}`,
        exitCode: exit.code,
      };
    case 'signalled':
      return { verdict: 'lab-fault', detail: `the board's program was ended by ${exit.signal}` };
    case 'crashed':
    case 'fault':
      return { verdict: 'lab-fault', detail: exit.message };
    case 'boot-failed':
      return { verdict: 'boot-failed', detail: exit.message };
    case 'stopped':
      return { verdict: 'lab-fault', detail: "the board's program was stopped by somebody else" };
  }
}

/** The end of a board that the agent watches, before any text came. */
export function boardOutcome(exit: BoardExit): Outcome {
  switch (exit.kind) {
    case 'exited':
      return {
        verdict: 'error-text',
        detail: `the board ended by itself with code ${exit.code} before a text came`,
      };
    case 'crashed':
      return {
        verdict: 'error-text',
        detail: `the board stopped by itself before a text came: ${exit.message}`,
      };
    case 'signalled':
      return { verdict: 'lab-fault', detail: `the board was ended by ${exit.signal}` };
    case 'boot-failed':
      return { verdict: 'boot-failed', detail: exit.message };
    case 'fault':
      return { verdict: 'lab-fault', detail: exit.message };
    case 'stopped':
      return { verdict: 'lab-fault', detail: 'the board was stopped by somebody else' };
  }
}

/** The end of a board while its client still used the console after the end text. */
export function openOutcome(watches: boolean, exit: BoardExit): Outcome {
  if (watches) return programOutcome(exit);
  if (exit.kind === 'fault' || exit.kind === 'signalled') return boardOutcome(exit);
  return { verdict: 'completed', detail: 'the board ended by itself' };
}

/** `own`: the job's -d. `policy`: the lab's job_max. */
export function timeUpOutcome(limit: 'own' | 'policy', seconds: number): Outcome {
  const detail =
    limit === 'own'
      ? `no end text within ${seconds} s`
      : `the lab's policy ends a job after ${seconds} s (job_max)`;
  return { verdict: 'timed-out', detail };
}

/** `by`: the newer token. */
export function supersededOutcome(by: string): Outcome {
  return { verdict: 'cancelled', detail: `the board went to a newer token (${by})` };
}
