// The scheduler's state: records, and indexes derived from them. `apply` is the only writer; it keeps every
// index, so undoing a change is applying its inverse, and loading or replaying is applying puts.
import { IndexedHeap } from './indexed-heap.ts';
import { boardTimer, jobTimer, lockTimer, ticketTimer } from './record-timers.ts';
import type {
  BoardRecord,
  Change,
  EntityName,
  JobRecord,
  LabDefinition,
  LockRecord,
  MetaRecord,
  QueueRecord,
  TicketRecord,
  TurnRecord,
} from './records.ts';
import { LabIndex, type ResolvedTarget } from './target.ts';
import type { BoardStanding, TargetSet } from './target-set.ts';
import { TargetSets } from './target-sets.ts';
import { queuesOf, turnFloorIn } from './ticket-parts.ts';

const emptyLab: LabDefinition = {
  boards: [],
  pools: [],
  discipline: 'turns',
  gatherSeconds: 600,
  limits: { ticketsPerUser: 1000, queueLength: 20_000, adHocQueuesPerBoard: 64, boardsPerTicket: 32 },
};

export const initialMeta: MetaRecord = { sequence: 0, token: { generation: 1, number: 0 }, mode: 'open' };

export class State {
  meta: MetaRecord = initialMeta;
  lab: LabDefinition = emptyLab;
  labIndex = new LabIndex(emptyLab);
  readonly boards = new Map<string, BoardRecord>();
  readonly locks = new Map<string, LockRecord>();
  /** Live ones only: an ended ticket or job leaves memory and stays in the store. */
  readonly tickets = new Map<number, TicketRecord>();
  readonly jobs = new Map<number, JobRecord>();
  readonly queues = new Map<string, QueueRecord>();
  readonly turns = new Map<string, TurnRecord>();

  /** Live tickets of a user. */
  readonly ticketsByUser = new Map<string, Set<number>>();
  /** Live tickets of a queue, and of a set within one. */
  readonly ticketsInQueue = new Map<string, number>();
  readonly ticketsInTurn = new Map<string, number>();
  /** Waiting slot tickets by user and key, in order of arrival. */
  readonly slotTickets = new Map<string, IndexedHeap>();
  /** All live slot tickets by user and key, those of clients that are away too. */
  readonly slotsByHolder = new Map<string, Set<number>>();
  /** Boards held (confirmed) by user and key. */
  readonly heldBy = new Map<string, Set<string>>();
  /** When each record wants to be looked at; the second rank puts `meta` first. */
  readonly timers = new IndexedHeap();
  /** The boards that a ticket was granted and still has; not once their locks have changed hands. */
  readonly boardsByTicket = new Map<number, Set<string>>();
  /** Waiting tickets for several boards. */
  readonly severalTickets = new Set<number>();
  /** Boards that are kept for such a ticket, and for which. */
  readonly kept = new Map<string, number>();
  readonly keptBy = new Map<number, Set<string>>();
  /** Tickets that settling waits for. */
  settlingTickets = 0;
  /** Whether any pool prefers the board that has rested longest. */
  usesSpread = false;
  /** Target sets with waiting tickets. */
  readonly busySets = new Set<TargetSet>();

  readonly #sets = new TargetSets({
    turnOf: (queue, set, arrival) => this.turnOf(queue, set, arrival),
    standingOf: (board) => this.#standingOf(board),
    hasBoard: (board) => this.boards.has(board),
  });

  apply(change: Change): void {
    this.#write(change.entity, change.key, change.before, change.after);
  }

  revert(change: Change): void {
    this.#write(change.entity, change.key, change.after, change.before);
  }

  get nextTimerAt(): number | undefined {
    return this.timers.peekRank()?.[0];
  }

  isUsable(board: BoardRecord): boolean {
    return (
      board.agent === 'present' &&
      board.service.state === 'in' &&
      board.health.state !== 'broken' &&
      !board.removed &&
      board.succeeds === undefined &&
      !board.fileFault
    );
  }

  /** The lock on a board, also one that was given under a name which the board had before. */
  lockOn(name: string): LockRecord | undefined {
    const before = () => this.boards.get(name)?.succeeds?.map((old) => this.locks.get(old));
    return this.locks.get(name) ?? before()?.find((lock) => lock !== undefined);
  }

  /** Free for whoever is next in line; a board that is kept for a ticket is not. */
  isFree(name: string): boolean {
    const board = this.boards.get(name);
    return this.#isUnlocked(name, board) && board.keptFor === undefined;
  }

  /** Free, or kept for this ticket. */
  isFreeFor(name: string, ticket: number): boolean {
    const board = this.boards.get(name);
    return this.#isUnlocked(name, board) && (board.keptFor === undefined || board.keptFor === ticket);
  }

  #isUnlocked(name: string, board: BoardRecord | undefined): board is BoardRecord {
    return board !== undefined && !this.locks.has(name) && this.isUsable(board);
  }

  /** Sets that contain the board and have been asked for. */
  setsOf(board: string): readonly TargetSet[] {
    return this.#sets.setsOf(board);
  }

  findSet(key: string): TargetSet | undefined {
    return this.#sets.find(key);
  }

  getSet(key: string): TargetSet {
    const set = this.findSet(key);
    if (!set) throw new Error(`no target set ${key}`);
    return set;
  }

  allSets(): Iterable<TargetSet> {
    return this.#sets.all();
  }

  /** The key under which these boards already have a queue, whatever their order. */
  findSetKey(target: ResolvedTarget): string | undefined {
    return this.#sets.findKey(target);
  }

  /** A ticket's turn: the larger of its arrival, its floor, and its set's last grant in the queue. */
  turnOf(queue: string, set: string, arrival: number): number {
    if (this.lab.discipline === 'fifo') return arrival;
    const ticket = this.tickets.get(arrival);
    const floor = ticket ? turnFloorIn(ticket, queue) : 0;
    return Math.max(arrival, floor, this.turns.get(turnKey(queue, set))?.number ?? 0);
  }

  // ---- the writer ----

  #write<E extends EntityName>(entity: E, key: string, before: unknown, after: unknown): void {
    switch (entity) {
      case 'meta':
        this.#writeMeta((after as MetaRecord | undefined) ?? initialMeta);
        break;
      case 'lab':
        this.#writeLab((after as LabDefinition | undefined) ?? emptyLab);
        break;
      case 'board':
        this.#writeKept(key, before as BoardRecord | undefined, after as BoardRecord | undefined);
        writeMap(this.boards, key, after as BoardRecord | undefined);
        this.#setTimer(`b:${key}`, boardTimer(after as BoardRecord | undefined));
        this.#sets.noteBoard(key);
        break;
      case 'lock':
        this.#writeLock(key, before as LockRecord | undefined, after as LockRecord | undefined);
        break;
      case 'ticket':
        this.#writeTicket(before as TicketRecord | undefined, after as TicketRecord | undefined);
        break;
      case 'job':
        this.#writeJob(Number(key), after as JobRecord | undefined);
        break;
      case 'queue':
        this.#writeQueue(key, before as QueueRecord | undefined, after as QueueRecord | undefined);
        break;
      case 'turn': {
        writeMap(this.turns, key, after as TurnRecord | undefined);
        const turn = (after ?? before) as TurnRecord;
        this.#sets.peek(turn.queue)?.queue.refreshSet(turn.set);
        this.#sets.peek(turn.queue)?.refreshSeveral(turn.set);
        break;
      }
    }
  }

  #writeMeta(meta: MetaRecord): void {
    const until = this.meta.settleUntil;
    this.meta = meta;
    if (meta.settleUntil === until) return;
    this.#setTimer('meta', meta.settleUntil, 0);
    for (const ticket of this.tickets.values()) this.#setTicketTimer(ticket.id, ticket);
  }

  #writeKept(key: string, before: BoardRecord | undefined, after: BoardRecord | undefined): void {
    if (before?.keptFor === after?.keptFor) return;
    if (before?.keptFor !== undefined) {
      this.kept.delete(key);
      removeFrom(this.keptBy, before.keptFor, key);
    }
    if (after?.keptFor !== undefined) {
      this.kept.set(key, after.keptFor);
      addTo(this.keptBy, after.keptFor, key);
    }
  }

  #writeLock(key: string, before: LockRecord | undefined, after: LockRecord | undefined): void {
    if (before?.state === 'held') removeFrom(this.heldBy, holderKey(before.user, before.key), key);
    if (after?.state === 'held') addTo(this.heldBy, holderKey(after.user, after.key), key);
    writeMap(this.locks, key, after);
    this.#setTimer(`l:${key}`, lockTimer(after));
    if (before && isTicketsOwn(before)) removeFrom(this.boardsByTicket, before.ticket, key);
    if (after && isTicketsOwn(after)) addTo(this.boardsByTicket, after.ticket, key);
    this.#sets.noteBoard(key);
  }

  #writeTicket(before: TicketRecord | undefined, after: TicketRecord | undefined): void {
    const old = before?.state === 'ended' ? undefined : before;
    const now = after?.state === 'ended' ? undefined : after;
    if (old?.state === 'waiting') this.#leaveQueue(old);
    const id = (after ?? before)?.id ?? 0;
    if (!old && now) this.#countTicket(now, 1);
    if (old && !now) this.#countTicket(old, -1);
    if (old && now && (old.queue !== now.queue || old.parts !== now.parts)) {
      this.#countTicket(old, -1);
      this.#countTicket(now, 1);
    }
    if (now) this.tickets.set(id, now);
    else this.tickets.delete(id);
    this.settlingTickets += (now?.settling ? 1 : 0) - (old?.settling ? 1 : 0);
    if (now?.state === 'waiting') this.#joinQueue(now);
    this.#setTicketTimer(id, now);
  }

  /** Of what is due at the same instant a deadline comes last: a board that comes free then is still in time. */
  #setTicketTimer(id: number, ticket: TicketRecord | undefined): void {
    const at = ticket && ticketTimer(ticket, this.meta.settleUntil ?? 0);
    this.#setTimer(`t:${id}`, at, ticket?.state === 'offered' ? 1 : 2);
  }

  #joinQueue(ticket: TicketRecord): void {
    if (ticket.parts) {
      this.severalTickets.add(ticket.id);
      for (const queue of queuesOf(ticket)) {
        const set = this.getSet(queue);
        set.several.add(ticket, turnFloorIn(ticket, queue));
        this.busySets.add(set);
      }
      return;
    }
    if (ticket.kind !== 'slot') {
      const set = this.getSet(ticket.queue);
      set.queue.add(ticket);
      this.busySets.add(set);
      return;
    }
    const name = holderKey(ticket.user, ticket.key);
    let heap = this.slotTickets.get(name);
    if (!heap) {
      heap = new IndexedHeap();
      this.slotTickets.set(name, heap);
    }
    heap.set(String(ticket.id), ticket.id);
  }

  #leaveQueue(ticket: TicketRecord): void {
    if (ticket.parts) {
      this.severalTickets.delete(ticket.id);
      for (const queue of queuesOf(ticket)) {
        const set = this.getSet(queue);
        set.several.remove(ticket, turnFloorIn(ticket, queue));
        if (set.waiting === 0) this.busySets.delete(set);
      }
      return;
    }
    if (ticket.kind !== 'slot') {
      const set = this.getSet(ticket.queue);
      set.queue.remove(ticket);
      if (set.waiting === 0) this.busySets.delete(set);
      return;
    }
    const name = holderKey(ticket.user, ticket.key);
    const heap = this.slotTickets.get(name);
    heap?.delete(String(ticket.id));
    if (heap?.size === 0) this.slotTickets.delete(name);
  }

  #countTicket(ticket: TicketRecord, by: 1 | -1): void {
    for (const queue of queuesOf(ticket)) {
      count(this.ticketsInQueue, queue, by);
      count(this.ticketsInTurn, turnKey(queue, ticket.set), by);
    }
    const note = by > 0 ? addTo<string, number> : removeFrom<string, number>;
    note(this.ticketsByUser, ticket.user, ticket.id);
    if (ticket.kind === 'slot') note(this.slotsByHolder, holderKey(ticket.user, ticket.key), ticket.id);
  }

  #writeJob(id: number, after: JobRecord | undefined): void {
    const live = after && after.state !== 'ended' ? after : undefined;
    writeMap(this.jobs, id, live);
    this.#setTimer(`j:${id}`, live && jobTimer(live));
  }

  #writeQueue(key: string, before: QueueRecord | undefined, after: QueueRecord | undefined): void {
    writeMap(this.queues, key, after);
    if (after) this.#sets.add(key, after.boards, false);
    else if (before) this.#sets.drop(key);
  }

  /** A new configuration: every static set is made anew. Tickets must have left the queues before. */
  #writeLab(lab: LabDefinition): void {
    this.lab = lab;
    this.usesSpread = lab.pools.some((pool) => pool.spread);
    this.labIndex = new LabIndex(lab);
    this.#sets.load(lab.pools, this.queues.values());
  }

  #standingOf(name: string): BoardStanding {
    const board = this.boards.get(name);
    if (!board || !this.isUsable(board)) return { state: 'unusable' };
    const lock = this.locks.get(name);
    if (!lock) {
      if (board.keptFor !== undefined) return { state: 'kept' };
      return { state: 'free', isSuspect: board.health.state === 'suspect', since: board.freeSince };
    }
    if (lock.state === 'held') return { state: 'held', endsAt: lock.endsAt };
    return { state: lock.state };
  }

  #setTimer(key: string, at: number | undefined, rank = 1): void {
    if (at === undefined) this.timers.delete(key);
    else this.timers.set(key, at, rank);
  }
}

export function turnKey(queue: string, set: string): string {
  return `${queue}\u0000${set}`;
}

/** Names a holder: user and key. Keys are any text, users have no control characters. */
export function holderKey(user: string, key: string): string {
  return `${user}\u0000${key}`;
}

function isTicketsOwn(lock: LockRecord): boolean {
  return lock.ticket !== 0 && !lock.passedOn;
}

function writeMap<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const found = map.get(key);
  if (found) found.add(value);
  else map.set(key, new Set([value]));
}

function removeFrom<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const found = map.get(key);
  found?.delete(value);
  if (found?.size === 0) map.delete(key);
}

function count(map: Map<string, number>, key: string, by: 1 | -1): void {
  const next = (map.get(key) ?? 0) + by;
  if (next === 0) map.delete(key);
  else map.set(key, next);
}
