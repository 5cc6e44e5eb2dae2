// Judges every step by what locking.md promises. It keeps records of its own from the committed changes, and shares
// none of the scheduler's indexes. What it keeps from change to change is judged after each step; everything is worked out
// anew, by brute force, when `checkAll` is called.
import type { CommandName } from '../../domain/commands.ts';
import type { StepResult } from '../../domain/scheduler.ts';
import type { State } from '../../domain/state.ts';
import { AnswerModel } from './answer-model.ts';
import { DueModel } from './due-model.ts';
import { History } from './history.ts';
import { IdleModel } from './idle-model.ts';
import { readIndexes } from './index-checks.ts';
import { checkInvariants } from './invariants.ts';
import { Mirror } from './mirror.ts';
import { checkOrder } from './order-checks.ts';
import { OrderModel } from './order-model.ts';
import { type Asked, ReclaimModel } from './reclaim-model.ts';
import { TouchedRecords } from './touched-records.ts';

export class Checker {
  readonly mirror = new Mirror();
  readonly history = new History(this.mirror);
  readonly order = new OrderModel(this.mirror);
  readonly answers = new AnswerModel(this.mirror);
  readonly reclaims = new ReclaimModel(this.mirror, this.order);
  readonly #idle = new IdleModel(this.mirror, this.order);
  readonly #due = new DueModel(this.mirror);
  readonly #touched = new TouchedRecords(this.mirror);

  /** Takes in a committed step. Cheap enough for each one. */
  take(command: Asked, result: StepResult<CommandName>, now: number): string[] {
    const problems: string[] = [];
    this.answers.before(command, result, now, problems);
    for (const change of result.changes) {
      this.reclaims.note(change, command, result, now, problems);
      this.order.note(change, problems);
      this.history.note(change, result, now, problems);
      this.mirror.take(change, problems);
      this.#due.take(change);
      this.#touched.note(change);
    }
    this.answers.after(command, result, now, problems);
    if (result.changes.length > 0) {
      this.#idle.check(problems);
      this.#touched.check(problems);
    }
    this.reclaims.check(result, now, problems);
    this.#due.check(command, now, problems);
    return problems;
  }

  /** When all that was stepped is committed: the scheduler wants to be woken for what is due first. */
  checkAlarm(state: State): string[] {
    const [is, should] = [state.nextTimerAt ?? Number.POSITIVE_INFINITY, this.#due.firstAt];
    return is === should ? [] : [`the scheduler is to be woken at ${is}, and something is due at ${should}`];
  }

  /** After a commit that was refused: every record is as it was. */
  checkUndone(state: State): string[] {
    const { mirror } = this;
    const problems = this.checkAlarm(state);
    for (const name of ['boards', 'locks', 'tickets', 'jobs', 'queues', 'turns'] as const) {
      const [found, kept] = [state[name], mirror[name]] as Map<unknown, unknown>[];
      const isAll = found?.size === kept?.size;
      for (const [key, record] of kept ?? []) {
        if (!isAll || !isSame(found?.get(key), record))
          problems.push(`${name} are not as they were before a commit that was refused: ${key}`);
      }
    }
    if (!isSame(state.meta, mirror.meta)) problems.push('the numbers are not as they were before a refusal');
    return problems;
  }

  /** Everything, by brute force; and that records alone give this very state. */
  checkAll(state: State): string[] {
    return [...checkInvariants(state), ...checkOrder(this.order, this.mirror), ...this.checkRebuilt(state)];
  }

  checkRebuilt(state: State): string[] {
    return compareStates(state, this.mirror.rebuild(), 'the state that its records give');
  }
}

/** Where two states differ, in records or indexes. */
export function compareStates(found: State, expected: State, what: string): string[] {
  const parts = (state: State): Record<string, unknown> => ({
    meta: state.meta,
    lab: state.lab,
    boards: sorted(state.boards),
    locks: sorted(state.locks),
    tickets: sorted(state.tickets),
    jobs: sorted(state.jobs),
    queues: sorted(state.queues),
    turns: sorted(state.turns),
    ...readIndexes(state),
  });
  const other = parts(expected);
  return Object.entries(parts(found)).flatMap(([name, value]) => {
    if (isSame(value, other[name])) return [];
    const [is, should] = [JSON.stringify(value), JSON.stringify(other[name])];
    return [`${name} is not as in ${what}:\n  ${is}\n  ${should}`];
  });
}

/** As JSON would show them: a field that is undefined is not there. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((one, at) => isSame(one, b[at]))
    );
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const name in x) if (!isSame(x[name], y[name])) return false;
  for (const name in y) if (y[name] !== undefined && x[name] === undefined) return false;
  return true;
}

function sorted<K extends string | number>(records: ReadonlyMap<K, unknown>): [K, unknown][] {
  return [...records].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
