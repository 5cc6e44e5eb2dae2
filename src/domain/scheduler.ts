// The scheduler's one entry: a command and the time go in; changes, audit, a reply and effects come out. Pure and
// deterministic: the same commands at the same times give the same change sets.
import { agentAway, agentPresent, boardFailed, service } from './boards.ts';
import { alive, attach, detach } from './clients.ts';
import type {
  AuditEvent,
  Command,
  CommandName,
  CommandOf,
  CommandTypes,
  Effect,
  ReplyOf,
} from './commands.ts';
import { configure } from './configure.ts';
import { cancelJob, finishJob, jobEnded, jobStarted, poweredOff } from './jobs.ts';
import { lockFileFault, lockFileMade, lockFileSeen } from './lock-files.ts';
import { extend, give, release, steal, touch } from './locks.ts';
import { closeStep } from './match.ts';
import { power, powered } from './power.ts';
import type { Change } from './records.ts';
import { drain, restart } from './restart.ts';
import type { State } from './state.ts';
import { type Moment, Step } from './step.ts';
import { cancelWaiting, confirm, submit, withdraw } from './tickets.ts';
import { fireTimers } from './timers.ts';
import type { Timing } from './timing.ts';

export interface StepResult<N extends CommandName = CommandName> {
  readonly changes: readonly Change[];
  readonly audit: readonly AuditEvent[];
  readonly effects: readonly Effect[];
  readonly reply: ReplyOf<N>;
}

type Handlers = { [N in CommandName]: (step: Step, body: CommandTypes[N]['body']) => ReplyOf<N> };

const handlers: Handlers = {
  restart,
  configure,
  drain,
  submit,
  confirm,
  withdraw,
  release,
  extend,
  give,
  steal,
  cancelWaiting,
  cancelJob,
  finishJob,
  attach,
  detach,
  alive,
  agentPresent,
  agentAway,
  jobStarted,
  jobEnded,
  poweredOff,
  boardFailed,
  power,
  powered,
  touch,
  service,
  lockFileMade,
  lockFileSeen,
  lockFileFault,
  tick: () => undefined,
};

/**
 * Takes one command. What is due by then happens first, so that an order of events does not depend on how late a
 * timer is. If the command is a programmer error, the state is as before and the error is thrown.
 */
export function step<C extends Command>(
  state: State,
  timing: Timing,
  command: C,
  moment: Moment,
): StepResult<C['name']> {
  const taken = new Step(state, timing, moment);
  try {
    // Before a start has parked the clients, no timer of the last run may fire.
    if (command.name !== 'restart') fireTimers(taken);
    const reply = handle(taken, command as CommandOf<C['name']>);
    closeStep(taken);
    return { changes: taken.changes, audit: taken.audit, effects: taken.effects, reply };
  } catch (error) {
    taken.rollBack();
    throw error;
  }
}

function handle<N extends CommandName>(taken: Step, command: CommandOf<N>): ReplyOf<N> {
  return handlers[command.name](taken, command.body);
}

/** Undoes a step whose commit was refused. Steps of a batch are undone last first. */
export function undo(state: State, changes: readonly Change[]): void {
  for (const change of changes.toReversed()) state.revert(change);
}

/** Replays committed changes on a state; the start from a store is a replay of puts. */
export function replay(state: State, changes: Iterable<Change>): void {
  for (const change of changes) state.apply(change);
}
