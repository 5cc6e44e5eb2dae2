// Judges every step by what locking.md promises. It keeps records of its own from the committed changes, and shares
// none of the scheduler's indexes.
import type { CommandName } from '../../domain/commands.ts';
import type { StepResult } from '../../domain/scheduler.ts';
import type { State } from '../../domain/state.ts';
import { AnswerModel } from './answer-model.ts';
import { History } from './history.ts';
import { readIndexes } from './index-checks.ts';
import { checkInvariants } from './invariants.ts';
import { Mirror } from './mirror.ts';
import { OrderModel } from './order-model.ts';
import { type Asked, ReclaimModel } from './reclaim-model.ts';
import { isUsable } from './record-checks.ts';

export class Checker {
  readonly mirror = new Mirror();
  readonly history = new History(this.mirror);
  readonly order = new OrderModel(this.mirror);
  readonly answers = new AnswerModel(this.mirror);
  readonly reclaims = new ReclaimModel(this.mirror, this.order);

  /** Takes in a committed step. Cheap enough for each one. */
  take(command: Asked, result: StepResult<CommandName>, now: number): string[] {
    const problems = this.answers.before(command, result, now);
    for (const change of result.changes) {
      problems.push(
        ...this.order.note(change),
        ...this.history.note(change, { result, now }),
        ...this.reclaims.note(change, command, result, now),
        ...this.mirror.take(change),
      );
    }
    problems.push(...this.answers.after(command, result, now), ...this.#checkIdle());
    return [...problems, ...this.reclaims.check(result, now)];
  }

  /** Everything, by brute force; and that records alone give this very state. */
  checkAll(state: State): string[] {
    return [...checkInvariants(state), ...this.checkRebuilt(state)];
  }

  checkRebuilt(state: State): string[] {
    const rebuilt = this.mirror.rebuild();
    return compareStates(state, rebuilt, 'the state that its records give');
  }

  #checkIdle(): string[] {
    if (this.mirror.get('meta', '')?.mode !== 'open') return [];
    const free = this.mirror
      .all('board')
      .filter((board) => isUsable(board) && !this.mirror.get('lock', board.name));
    return free.flatMap(({ name, keptFor }) => {
      const keeper = keptFor === undefined ? undefined : this.mirror.get('ticket', String(keptFor));
      if (keeper) {
        const isNext = this.order.isNextFor(name, keeper);
        return isNext ? [] : [`${name} is kept for ticket ${keptFor}, which is not next in line`];
      }
      const next = this.order.nextFor(name);
      return next ? [`${name} is free while ticket ${next.id} waits for it`] : [];
    });
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
    const [is, should] = [canonical(value), canonical(other[name])];
    return is === should ? [] : [`${name} is not as in ${what}:\n  ${is}\n  ${should}`];
  });
}

/** JSON with the fields of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function sorted<K extends string | number>(records: ReadonlyMap<K, unknown>): [K, unknown][] {
  return [...records].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}
