// A set of boards that tickets ask for, with its queue and two indexes over its boards: which are free, and
// whose holders have outstayed their time. Pools, single boards and ad-hoc sets are all the same here.
import { IndexedHeap } from './indexed-heap.ts';
import { SeveralLine } from './several-line.ts';
import { TicketQueue } from './ticket-queue.ts';

/** How a board stands; `free`: for whoever is next in line. Times are scheduler milliseconds. */
export type BoardStanding =
  | { readonly state: 'unusable' | 'kept' | 'granted' | 'ending' }
  | { readonly state: 'free'; readonly isSuspect: boolean; readonly since: number }
  | { readonly state: 'held'; readonly endsAt: number | undefined };

const none: readonly string[] = [];

type Index = IndexedHeap | Set<string>;

interface Member {
  readonly listed: number;
  index: Index | undefined;
}

export class TargetSet {
  /** `b:NAME`, `p:NAME`, or the id of a queue record. */
  readonly key: string;
  /** In listed order. */
  readonly boards: readonly string[];
  readonly spread: boolean;
  readonly queue: TicketQueue;
  /** Where each board is listed, and which of the indexes has it. */
  readonly #members = new Map<string, Member>();
  readonly #free = new IndexedHeap();
  // Made when first needed: a lab may have thousands of sets, and most need none of these.
  #holds: IndexedHeap | undefined;
  #ending: Set<string> | undefined;
  #kept: Set<string> | undefined;
  readonly #turnOf: (set: string, arrival: number) => number;
  #several: SeveralLine | undefined;
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
    this.#turnOf = options.turnOf;
    for (const [listed, board] of boards.entries()) this.#members.set(board, { listed, index: undefined });
  }

  /** Keeps the indexes; called whenever a board or its lock changes. */
  noteBoard(board: string, standing: BoardStanding): void {
    const member = this.#members.get(board);
    if (!member) return;
    const index = this.#indexFor(standing);
    if (member.index !== index) member.index?.delete(board);
    member.index = index;
    const { listed } = member;
    if (standing.state === 'free')
      this.#free.set(board, standing.isSuspect ? 1 : 0, this.spread ? standing.since : listed, listed);
    else if (standing.state === 'held' && standing.endsAt !== undefined)
      this.#holds?.set(board, standing.endsAt, listed);
    else if (index instanceof Set) index.add(board);
  }

  /** A board is in one index at most. */
  #indexFor(standing: BoardStanding): Index | undefined {
    switch (standing.state) {
      case 'free':
        return this.#free;
      case 'held':
        if (standing.endsAt === undefined) return undefined;
        this.#holds ??= new IndexedHeap();
        return this.#holds;
      case 'ending':
        this.#ending ??= new Set();
        return this.#ending;
      case 'kept':
        this.#kept ??= new Set();
        return this.#kept;
      default:
        return undefined;
    }
  }

  /** Waiting tickets for several boards, of which some may be of this set. */
  get several(): SeveralLine {
    this.#several ??= new SeveralLine(this.#turnOf);
    return this.#several;
  }

  /** Whether there are any; asked often, and of most sets answered at once. */
  get hasSeveral(): boolean {
    return this.#several !== undefined && this.#several.size > 0;
  }

  /** As in TicketQueue. */
  refreshSeveral(set: string): void {
    this.#several?.refreshSet(set);
  }

  keptBoards(): Iterable<string> {
    return this.#kept ?? none;
  }

  endingBoards(): Iterable<string> {
    return this.#ending ?? none;
  }

  /** Free boards as the set ranks them: listed order (or most rested), suspect ones last. */
  firstFree(): string | undefined {
    return this.#free.peek();
  }

  /** Tickets that wait for it. */
  get waiting(): number {
    return this.queue.size + (this.#several?.size ?? 0);
  }

  get freeCount(): number {
    return this.#free.size;
  }

  /** The same, one after the other, each found when it is asked for. Not to be changed meanwhile. */
  freeBoards(): Generator<string> {
    return this.#free.upTo(Number.POSITIVE_INFINITY);
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
    const rank = this.#holds?.peekRank();
    return rank !== undefined && rank[0] <= now;
  }

  /** Boards whose lock has an end or is ending: about the most that a look for a reclaim must go through. */
  get holdCount(): number {
    return (this.#holds?.size ?? 0) + (this.#ending?.size ?? 0);
  }

  has(board: string): boolean {
    return this.#members.has(board);
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
  overdueBoards(now: number): Iterable<string> {
    if (!this.#holds) return none;
    return this.#holds.upTo(now);
  }
}
