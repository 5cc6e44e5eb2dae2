// A set of boards that tickets ask for, with its queue and two indexes over its boards: which are free, and
// whose holders have outstayed their time. Pools, single boards and ad-hoc sets are all the same here.
import { IndexedHeap } from './indexed-heap.ts';
import { TicketQueue } from './ticket-queue.ts';

export class TargetSet {
  /** `b:NAME`, `p:NAME`, or the id of a queue record. */
  readonly key: string;
  /** In listed order. */
  readonly boards: readonly string[];
  readonly spread: boolean;
  readonly queue: TicketQueue;
  readonly #order = new Map<string, number>();
  readonly #free = new IndexedHeap();
  readonly #holds = new IndexedHeap();
  readonly #ending = new Set<string>();
  readonly #covered = new WeakMap<TargetSet, boolean>();
  readonly #listed = new WeakMap<readonly string[], boolean>();

  constructor(
    key: string,
    boards: readonly string[],
    options: { spread: boolean; turnOf: (set: string, arrival: number) => number },
  ) {
    this.key = key;
    this.boards = boards;
    this.spread = options.spread;
    this.queue = new TicketQueue(options.turnOf);
    for (const [at, board] of boards.entries()) this.#order.set(board, at);
  }

  /** Keeps the index of free boards; called whenever a board or its lock changes. */
  noteBoard(board: string, free: { readonly suspect: boolean; readonly since: number } | undefined): void {
    if (!free) this.#free.delete(board);
    else {
      const listed = this.#order.get(board) ?? 0;
      this.#free.set(board, free.suspect ? 1 : 0, this.spread ? free.since : listed, listed);
    }
  }

  /** Keeps the index of holds with an end, in scheduler milliseconds. */
  noteHold(board: string, endsAt: number | undefined): void {
    if (endsAt === undefined) this.#holds.delete(board);
    else this.#holds.set(board, endsAt, this.#order.get(board) ?? 0);
  }

  /** Keeps the index of usable boards whose lock is ending. */
  noteEnding(board: string, ending: boolean): void {
    if (ending) this.#ending.add(board);
    else this.#ending.delete(board);
  }

  endingBoards(): Iterable<string> {
    return this.#ending;
  }

  /** Free boards as the set ranks them: listed order (or most rested), suspect ones last. */
  firstFree(): string | undefined {
    return this.#free.peek();
  }

  get freeCount(): number {
    return this.#free.size;
  }

  /** The same, all of them; for checks only. */
  freeBoards(): string[] {
    return this.#free.sorted();
  }

  /** Whether these are the set's boards in the set's own order. Equal pools may list them differently. */
  isListedAs(boards: readonly string[]): boolean {
    if (boards === this.boards) return true;
    let same = this.#listed.get(boards);
    if (same === undefined) {
      same = boards.length === this.boards.length && boards.every((board, at) => board === this.boards[at]);
      this.#listed.set(boards, same);
    }
    return same;
  }

  hasOverdue(now: number): boolean {
    const rank = this.#holds.peekRank();
    return rank !== undefined && rank[0] <= now;
  }

  /** Boards whose lock has an end or is ending: about the most that a look for a reclaim must go through. */
  get holdCount(): number {
    return this.#holds.size + this.#ending.size;
  }

  has(board: string): boolean {
    return this.#order.has(board);
  }

  /** Whether every board of the other set is in this one too. */
  covers(other: TargetSet): boolean {
    let answer = this.#covered.get(other);
    if (answer === undefined) {
      answer = other.boards.every((board) => this.has(board));
      this.#covered.set(other, answer);
    }
    return answer;
  }

  /** Boards whose holders are past their end, the longest first. */
  overdueBoards(now: number): Generator<string> {
    return this.#holds.upTo(now);
  }
}
