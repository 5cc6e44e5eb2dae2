// All target sets of a lab: the pools, single boards that were asked for, and ad-hoc sets, found by key, by board and by
// what they contain. An index: state.ts tells it what changes, and it asks back how a board stands.
import type { PoolDefinition, QueueRecord } from './records.ts';
import { setName } from './set-name.ts';
import type { ResolvedTarget } from './target.ts';
import { type BoardStanding, TargetSet } from './target-set.ts';

export interface TargetSetsSource {
  readonly turnOf: (queue: string, set: string, arrival: number) => number;
  readonly standingOf: (board: string) => BoardStanding;
  readonly hasBoard: (board: string) => boolean;
}

export class TargetSets {
  readonly #source: TargetSetsSource;
  readonly #sets = new Map<string, TargetSet>();
  readonly #setsOfBoard = new Map<string, TargetSet[]>();
  readonly #setByName = new Map<string, string>();

  constructor(source: TargetSetsSource) {
    this.#source = source;
  }

  setsOf(board: string): readonly TargetSet[] {
    return this.#setsOfBoard.get(board) ?? [];
  }

  /** Single boards get their set when first asked for: a lab has many boards that only pools name. */
  find(key: string): TargetSet | undefined {
    const found = this.#sets.get(key);
    if (found || !key.startsWith('b:')) return found;
    const board = key.slice(2);
    return this.#source.hasBoard(board) ? this.add(key, [board], false) : undefined;
  }

  /** As `find`, and makes none. */
  peek(key: string): TargetSet | undefined {
    return this.#sets.get(key);
  }

  all(): Iterable<TargetSet> {
    return this.#sets.values();
  }

  /** The key under which these boards already have a queue, whatever their order. */
  findKey(target: ResolvedTarget): string | undefined {
    const only = target.boards[0];
    if (target.boards.length === 1 && only !== undefined) return `b:${only}`;
    return this.#setByName.get(target.name);
  }

  /** A new configuration: every set is made anew. Tickets must have left the queues before. */
  load(pools: readonly PoolDefinition[], queues: Iterable<QueueRecord>): void {
    for (const set of this.#sets.values()) {
      if (set.waiting > 0) throw new Error(`a configuration was loaded over the queue ${set.key}`);
    }
    this.#sets.clear();
    this.#setsOfBoard.clear();
    this.#setByName.clear();
    for (const pool of pools) {
      if (pool.boards.length < 2) continue;
      if (!this.#setByName.has(setName(pool.boards))) this.add(`p:${pool.name}`, pool.boards, pool.spread);
    }
    for (const queue of queues) this.add(queue.id, queue.boards, false);
  }

  add(key: string, boards: readonly string[], spread: boolean): TargetSet {
    const set = new TargetSet(key, boards, {
      spread,
      turnOf: (name, arrival) => this.#source.turnOf(key, name, arrival),
    });
    this.#sets.set(key, set);
    const name = setName(boards);
    if (boards.length !== 1 && !this.#setByName.has(name)) this.#setByName.set(name, key);
    for (const board of boards) {
      const list = this.#setsOfBoard.get(board);
      if (list) list.push(set);
      else this.#setsOfBoard.set(board, [set]);
      set.noteBoard(board, this.#source.standingOf(board));
    }
    return set;
  }

  drop(key: string): void {
    const set = this.#sets.get(key);
    if (!set) return;
    this.#sets.delete(key);
    const name = setName(set.boards);
    if (this.#setByName.get(name) === key) this.#setByName.delete(name);
    for (const board of set.boards) {
      const left = (this.#setsOfBoard.get(board) ?? []).filter((other) => other !== set);
      this.#setsOfBoard.set(board, left);
    }
  }

  noteBoard(name: string): void {
    const sets = this.setsOf(name);
    if (sets.length === 0) return;
    const standing = this.#source.standingOf(name);
    for (const set of sets) set.noteBoard(name, standing);
  }
}
