// What happens to a job, as a pure function: (state, input) → state and effects. The process around it (job.ts)
// turns the world's events into inputs and carries out the effects; nothing is decided there.
//
// A job is `waiting` until its board has ended what it did before. Then it is `preparing`: the board goes off
// and the files come, at the same time. When both are done it is `running`: the board was told to start, and its
// console is watched. The end text makes a keepOn job `open`: its client may go on using the console. Whatever
// decides the verdict makes the job `stopping`: it waits until nothing of it is in flight any more; then it is
// `powering-off`, and then `ended`, which never changes again. A reservation is `open` as soon as it is its turn, and so is
// a console, which leaves the power alone.
//
// - The first decision holds: what comes after it changes neither verdict nor detail. Trouble with the clean-up
//   is reported beside the verdict (`trouble`), and the board counts as possibly on.
// - A job that a newer token supersedes does nothing more with the board's power; it only ends what is its own.
// - A board whose program watches by itself (`watches`) is not powered off beforehand: such a program brings its
//   board up from any state, as it always has, and is called once for a job. Its exit code is the verdict.
// - A board that stops by itself before a text has booted: that is `error-text` (the image's fault), not
//   `boot-failed`, which clients take for a fault of the lab that may be tried again.
import type { BoardExit } from '../drivers/board/contract.ts';
import type { ServerToAgent } from '../protocol/agent-messages.ts';
import {
  boardOutcome,
  type Outcome,
  openOutcome,
  programOutcome,
  supersededOutcome,
  timeUpOutcome,
} from './job-outcome.ts';

/** What of a job stays the same. */
export interface JobPlan {
  /** `reserve`: nothing is done to the board. `console`: its console is followed, and its power left as it is. */
  readonly kind: 'image' | 'reserve' | 'console';
  /** See BoardDriver.watches. */
  readonly watches: boolean;
  readonly keepOn: boolean;
  /** False where the end text is empty and so never comes: then a keepOn job may be finished at any time. */
  readonly hasEndText: boolean;
  readonly leaveOn: boolean;
  readonly timeoutSeconds: number;
  readonly jobMaxSeconds: number;
}

/** Whether the board has power, as far as this job knows; `failed`: a power off was tried and did not work. */
type Power = 'unknown' | 'off' | 'on' | 'failed';

interface Common {
  readonly power: Power;
  /** The client has said that it is done (keepOn, reserve). */
  readonly finishing: boolean;
  readonly superseded: boolean;
}

export type JobState = Common &
  (
    | { readonly phase: 'waiting' }
    | { readonly phase: 'preparing'; readonly filesReady: boolean }
    | { readonly phase: 'running' }
    | { readonly phase: 'open'; readonly matchEnd?: number }
    | { readonly phase: 'stopping'; readonly outcome: Outcome }
    | { readonly phase: 'powering-off'; readonly outcome: Outcome }
    | { readonly phase: 'ended'; readonly outcome: Outcome; readonly trouble?: string }
  );

export type JobInput =
  /** The board is this job's. */
  | { readonly kind: 'turn' }
  /** What the board did before has not ended within its limit. */
  | { readonly kind: 'blocked'; readonly why: string }
  /** Answer to `power-off-first` and `power-off-last`. */
  | { readonly kind: 'powered-off'; readonly ok: boolean; readonly why: string }
  | { readonly kind: 'files'; readonly ok: boolean; readonly why: string }
  | { readonly kind: 'matched'; readonly text: 'end' | 'error'; readonly matchEnd: number }
  | { readonly kind: 'exited'; readonly exit: BoardExit }
  /** `own`: the job's -d. `policy`: the lab's job_max. */
  | { readonly kind: 'time-up'; readonly limit: 'own' | 'policy' }
  | { readonly kind: 'finish' }
  | { readonly kind: 'cancel'; readonly why: string }
  | { readonly kind: 'superseded'; readonly by: string }
  | { readonly kind: 'spool-failed'; readonly why: string }
  /** Answer to `stop`: nothing is in flight any more, or (not ok) something still is past its limit. */
  | { readonly kind: 'quiet'; readonly ok: boolean; readonly why: string };

export type JobEffect =
  | { readonly kind: 'power-off-first' }
  | { readonly kind: 'fetch-files' }
  /** Tell the server, then start the board and, for image jobs, the clocks of its limits. */
  | { readonly kind: 'start' }
  | { readonly kind: 'tell-started' }
  /** End session and file transfer, wait for them and for a power off in flight, then answer `quiet`. */
  | { readonly kind: 'stop' }
  /** Abort the power off in flight, if there is one. */
  | { readonly kind: 'abort-power' }
  | { readonly kind: 'power-off-last' }
  | { readonly kind: 'conclude' };

export interface Step {
  readonly state: JobState;
  readonly effects: readonly JobEffect[];
}

export const firstState: JobState = {
  phase: 'waiting',
  power: 'unknown',
  finishing: false,
  superseded: false,
};

/** `watches`: see BoardDriver. */
export function planOf(start: Extract<ServerToAgent, { type: 'start' }>, watches: boolean): JobPlan {
  const { spec, leaveOn, jobMaxSeconds } = start;
  const { kind, keepOn, timeoutSeconds } = spec;
  return { kind, watches, keepOn, hasEndText: spec.endText !== '', leaveOn, timeoutSeconds, jobMaxSeconds };
}

/** Seconds that a board's own program gets beyond the job's limit before it is taken to hang. */
export const backstopSeconds = 30;

/** Seconds from power on at which the job's own limit acts, or undefined where only the lab's policy does. */
export function ownLimitSeconds(plan: JobPlan): number | undefined {
  if (plan.timeoutSeconds < 0) return undefined;
  // Such a program stays with its client after the end text for as long as that likes.
  if (plan.watches && plan.keepOn) return undefined;
  const seconds = plan.watches ? plan.timeoutSeconds + backstopSeconds : plan.timeoutSeconds;
  return seconds <= plan.jobMaxSeconds ? seconds : undefined;
}

/** False only after a power off that worked. */
export function mayBeOn(state: JobState): boolean {
  return state.power !== 'off';
}

export function step(plan: JobPlan, state: JobState, input: JobInput): Step {
  switch (state.phase) {
    case 'waiting':
      return stepWaiting(plan, state, input);
    case 'preparing':
      return stepPreparing(plan, state, input);
    case 'running':
      return stepRunning(plan, state, input);
    case 'open':
      return stepOpen(plan, state, input);
    case 'stopping':
      return stepStopping(plan, state, input);
    case 'powering-off':
      return stepPoweringOff(state, input);
    case 'ended':
      return stay(state);
  }
}

type In<P extends JobState['phase']> = JobState & { phase: P };

function stepWaiting(plan: JobPlan, state: In<'waiting'>, input: JobInput): Step {
  switch (input.kind) {
    case 'turn':
      if (plan.kind !== 'image') {
        const start = plan.kind === 'console' ? [{ kind: 'start' } as const] : [];
        const open: Step = {
          state: { ...common(state), phase: 'open' },
          effects: [{ kind: 'tell-started' }, ...start],
        };
        return state.finishing
          ? then(open, (now) => decide(now, { verdict: 'completed', detail: '' }))
          : open;
      }
      if (plan.watches) {
        return {
          state: { ...common(state), phase: 'preparing', filesReady: false },
          effects: [{ kind: 'fetch-files' }],
        };
      }
      return {
        state: { ...common(state), phase: 'preparing', filesReady: false },
        effects: [{ kind: 'power-off-first' }, { kind: 'fetch-files' }],
      };
    case 'finish':
      return stay({ ...state, finishing: true });
    case 'time-up':
      return concludeAtOnce(state, notStartedInTime(plan));
    case 'blocked':
      return concludeAtOnce(state, { verdict: 'lab-fault', detail: input.why });
    case 'cancel':
      return concludeAtOnce(state, { verdict: 'cancelled', detail: input.why });
    case 'superseded':
      return concludeAtOnce({ ...state, superseded: true }, supersededOutcome(input.by));
    default:
      return stay(state);
  }
}

function stepPreparing(plan: JobPlan, state: In<'preparing'>, input: JobInput): Step {
  switch (input.kind) {
    case 'powered-off':
      if (!input.ok)
        return decide({ ...state, power: 'failed' }, { verdict: 'lab-fault', detail: input.why });
      return startWhenReady(plan, { ...state, power: 'off' });
    case 'files':
      if (!input.ok) return decide(state, { verdict: 'lab-fault', detail: input.why });
      return startWhenReady(plan, { ...state, filesReady: true });
    case 'time-up':
      return decide(state, notStartedInTime(plan));
    default:
      return stepLive(state, input);
  }
}

function startWhenReady(plan: JobPlan, state: In<'preparing'>): Step {
  if (!state.filesReady || (!plan.watches && state.power !== 'off')) return stay(state);
  const running: Step = {
    state: { ...common(state), phase: 'running', power: 'on' },
    effects: [{ kind: 'tell-started' }, { kind: 'start' }],
  };
  // Its client has left, and no text will come: it may be left on, so it was started all the same.
  return state.finishing && endsByFinish(plan)
    ? then(running, (now) => decide(now, { verdict: 'completed', detail: '' }))
    : running;
}

/** A job that is kept on for its client and has no end text to wait for. */
function endsByFinish(plan: JobPlan): boolean {
  return plan.keepOn && !plan.hasEndText;
}

function notStartedInTime(plan: JobPlan): Outcome {
  return {
    verdict: 'lab-fault',
    detail: `the job could not be started within ${plan.jobMaxSeconds} s`,
  };
}

function stepRunning(plan: JobPlan, state: In<'running'>, input: JobInput): Step {
  switch (input.kind) {
    case 'matched':
      return onMatch(plan, state, input);
    case 'exited':
      return decide(state, plan.watches ? programOutcome(input.exit) : boardOutcome(input.exit));
    case 'time-up':
      return decide(state, timeUp(plan, input.limit));
    case 'finish':
      if (endsByFinish(plan)) return decide(state, { verdict: 'completed', detail: '' });
      return stay({ ...state, finishing: true });
    default:
      return stepLive(state, input);
  }
}

function onMatch(
  plan: JobPlan,
  state: In<'running'>,
  match: { text: 'end' | 'error'; matchEnd: number },
): Step {
  const { matchEnd } = match;
  if (match.text === 'error') return decide(state, { verdict: 'error-text', detail: '', matchEnd });
  if (!plan.keepOn) return decide(state, { verdict: 'completed', detail: '', matchEnd });
  const open: Step = { state: { ...common(state), phase: 'open', matchEnd }, effects: [] };
  return state.finishing
    ? then(open, (now) => decide(now, { verdict: 'completed', detail: '', matchEnd }))
    : open;
}

function stepOpen(plan: JobPlan, state: In<'open'>, input: JobInput): Step {
  const match = state.matchEnd === undefined ? {} : { matchEnd: state.matchEnd };
  switch (input.kind) {
    case 'finish':
      return decide(state, { verdict: 'completed', detail: '', ...match });
    case 'exited':
      return decide(state, { ...openOutcome(plan.watches, input.exit), ...match });
    case 'time-up':
      // The job's own limit is the time to the end text, which has come.
      if (input.limit === 'own') return stay(state);
      return decide(state, { ...timeUp(plan, 'policy'), ...match });
    default:
      return stepLive(state, input);
  }
}

/** What means the same wherever the job has not been decided yet. */
function stepLive(state: JobState, input: JobInput): Step {
  switch (input.kind) {
    case 'finish':
      return stay({ ...state, finishing: true });
    case 'cancel':
      return decide(state, { verdict: 'cancelled', detail: input.why });
    case 'spool-failed':
      return decide(state, { verdict: 'lab-fault', detail: input.why });
    case 'superseded': {
      const decided = decide({ ...state, superseded: true }, supersededOutcome(input.by));
      return { ...decided, effects: [{ kind: 'abort-power' }, ...decided.effects] };
    }
    default:
      return stay(state);
  }
}

function stepStopping(plan: JobPlan, state: In<'stopping'>, input: JobInput): Step {
  switch (input.kind) {
    case 'powered-off':
      // The one that was in flight when the job was decided; nothing was started after it.
      return stay({ ...state, power: input.ok ? 'off' : 'failed' });
    case 'superseded':
      return { state: { ...state, superseded: true }, effects: [{ kind: 'abort-power' }] };
    case 'quiet':
      if (!input.ok) return conclude(state, state.outcome, input.why);
      if (state.superseded || state.power === 'off' || state.power === 'failed')
        return conclude(state, state.outcome);
      if (plan.kind === 'console') return conclude(state, state.outcome);
      if (plan.leaveOn && state.outcome.verdict === 'completed') return conclude(state, state.outcome);
      return {
        state: { ...common(state), phase: 'powering-off', outcome: state.outcome },
        effects: [{ kind: 'power-off-last' }],
      };
    default:
      return stay(state);
  }
}

function stepPoweringOff(state: In<'powering-off'>, input: JobInput): Step {
  switch (input.kind) {
    case 'powered-off':
      if (input.ok) return conclude({ ...state, power: 'off' }, state.outcome);
      return conclude({ ...state, power: 'failed' }, state.outcome, state.superseded ? undefined : input.why);
    case 'superseded':
      return { state: { ...state, superseded: true }, effects: [{ kind: 'abort-power' }] };
    default:
      return stay(state);
  }
}

function timeUp(plan: JobPlan, limit: 'own' | 'policy'): Outcome {
  return timeUpOutcome(limit, limit === 'own' ? plan.timeoutSeconds : plan.jobMaxSeconds);
}

function decide(state: JobState, outcome: Outcome): Step {
  return { state: { ...common(state), phase: 'stopping', outcome }, effects: [{ kind: 'stop' }] };
}

/** For a job that has not touched its board: there is nothing to stop and nothing to power off. */
function concludeAtOnce(state: In<'waiting'>, outcome: Outcome): Step {
  return conclude(state, outcome);
}

function conclude(state: JobState, outcome: Outcome, trouble?: string): Step {
  const ended: JobState = { ...common(state), phase: 'ended', outcome };
  return {
    state: trouble === undefined ? ended : { ...ended, trouble },
    effects: [{ kind: 'conclude' }],
  };
}

function common(state: JobState): Common {
  return { power: state.power, finishing: state.finishing, superseded: state.superseded };
}

function stay(state: JobState): Step {
  return { state, effects: [] };
}

function then(first: Step, next: (state: JobState) => Step): Step {
  const second = next(first.state);
  return { state: second.state, effects: [...first.effects, ...second.effects] };
}
