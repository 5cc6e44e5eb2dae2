// Whether some order of operations explains what was observed: each takes effect at one moment between its beginning and
// its end, and may then do what it did. After Wing and Gong, with configurations remembered as by Lowe ("Testing for
// linearizability", 2017): goes through the record in order of time and puts an operation in place only when one that has
// ended needs it. Pure.

export interface Operation<S> {
  /** It takes effect no sooner than this … */
  readonly at: number;
  /** … and by then; Infinity: perhaps never. */
  readonly by: number;
  /** The state afterwards: the same object where nothing changes, undefined where it can't be in this state. */
  readonly apply: (state: S) => S | undefined;
  /** It never changes anything. */
  readonly observes?: true;
  /** Whether it can't be in this state nor in any that may follow. */
  readonly isOver?: (state: S) => boolean;
  /** For people. */
  readonly text: string;
}

export interface Contradiction<S> {
  /** The operation for which no order has a place. */
  readonly operation: Operation<S>;
  /** What the state may have been before it. */
  readonly states: readonly S[];
  /** Operations that were under way then, and those that had ended last, in order of their ends. */
  readonly underWay: readonly Operation<S>[];
  readonly before: readonly Operation<S>[];
}

/** The record can't be judged in the time that there is: it says too little, or the model too much. */
export class TooManyOrders extends Error {}

interface Configuration<S> {
  readonly state: S;
  /** Those under way that have taken effect. */
  readonly done: ReadonlySet<number>;
}

const shownBefore = 12;
/** Beyond so many the record says too little, or the model too much: better to hear of it than to wait. */
const configurationsMax = 200_000;

/**
 * Undefined: there is such an order. Operations that only observe are put in place as soon as they fit, which loses no
 * order: they change nothing. Throws TooManyOrders.
 */
export function linearize<S>(
  operations: readonly Operation<S>[],
  { initial, keyOf }: { readonly initial: S; readonly keyOf: (state: S) => string },
): Contradiction<S> | undefined {
  const search = new Search(operations, initial, keyOf);
  for (const { id, isEnd } of inOrder(operations)) {
    if (!isEnd) search.begin(id);
    else if (!search.end(id)) return search.describe(id);
  }
  return undefined;
}

/** Beginnings come before ends of the same moment: two that touch may be in either order. */
function inOrder<S>(operations: readonly Operation<S>[]): { at: number; id: number; isEnd: boolean }[] {
  const moments = operations.flatMap(({ at, by }, id) => [
    { at, id, isEnd: false },
    ...(Number.isFinite(by) ? [{ at: by, id, isEnd: true }] : []),
  ]);
  return moments.sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd) || a.id - b.id);
}

class Search<S> {
  readonly #operations: readonly Operation<S>[];
  readonly #keyOf: (state: S) => string;
  readonly #underWay = new Set<number>();
  readonly #ended: number[] = [];
  #configurations: Configuration<S>[];

  constructor(operations: readonly Operation<S>[], initial: S, keyOf: (state: S) => string) {
    this.#operations = operations;
    this.#keyOf = keyOf;
    this.#configurations = [{ state: initial, done: new Set() }];
  }

  begin(id: number): void {
    this.#underWay.add(id);
    const { apply, observes } = this.#operation(id);
    if (!observes) return;
    this.#configurations = this.#configurations.map((one) =>
      apply(one.state) === undefined ? one : { ...one, done: new Set(one.done).add(id) },
    );
  }

  /** False where nothing explains it. */
  end(id: number): boolean {
    const found = new Map<string, Configuration<S>>();
    const seen = new Set<string>();
    const open = [...this.#configurations];
    for (let one = open.pop(); one; one = open.pop()) {
      const key = this.#key(one);
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > configurationsMax)
        throw new TooManyOrders('too many orders are possible to try them all');
      if (one.done.has(id)) found.set(key, one);
      else open.push(...this.#next(one));
    }
    if (found.size === 0) return false;
    this.#underWay.delete(id);
    this.#ended.push(id);
    if (this.#ended.length > shownBefore) this.#ended.shift();
    this.#configurations = this.#forget([...found.values()], id);
    return true;
  }

  describe(id: number): Contradiction<S> {
    const states = new Map(this.#configurations.map(({ state }) => [this.#keyOf(state), state]));
    const others = [...this.#underWay].filter((other) => other !== id);
    return {
      operation: this.#operation(id),
      states: [...states.values()],
      underWay: others.map((other) => this.#operation(other)),
      before: this.#ended.map((other) => this.#operation(other)),
    };
  }

  *#next({ state, done }: Configuration<S>): Generator<Configuration<S>> {
    for (const id of this.#underWay) {
      const { apply, observes } = this.#operation(id);
      const after = observes || done.has(id) ? undefined : apply(state);
      if (after !== undefined) yield this.#observe(after, new Set(done).add(id));
    }
  }

  #observe(state: S, done: Set<number>): Configuration<S> {
    for (const id of this.#underWay) {
      const { apply, observes } = this.#operation(id);
      if (observes && !done.has(id) && apply(state) !== undefined) done.add(id);
    }
    return { state, done };
  }

  /** Drops the one that has ended, and those that matter no more in any configuration. */
  #forget(configurations: readonly Configuration<S>[], ended: number): Configuration<S>[] {
    const isOver = (id: number, state: S): boolean => {
      const operation = this.#operation(id);
      return operation.by === Number.POSITIVE_INFINITY && (operation.isOver?.(state) ?? false);
    };
    for (const id of this.#underWay) {
      if (configurations.every(({ state }) => isOver(id, state))) this.#underWay.delete(id);
    }
    const kept = new Map<string, Configuration<S>>();
    for (const { state, done } of configurations) {
      const left = [...done].filter((id) => id !== ended && this.#underWay.has(id) && !isOver(id, state));
      const one = { state, done: new Set(left) };
      kept.set(this.#key(one), one);
    }
    return [...kept.values()];
  }

  #key({ state, done }: Configuration<S>): string {
    return `${this.#keyOf(state)}|${[...done].sort((a, b) => a - b).join()}`;
  }

  #operation(id: number): Operation<S> {
    const operation = this.#operations[id];
    if (!operation) throw new Error(`no operation ${id}`);
    return operation;
  }
}
