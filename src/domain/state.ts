// The scheduler's state: records, and indexes derived from them. `apply` is the only writer; it keeps every
// index, so undoing a change is applying its inverse, and loading or replaying is applying puts.
import { IndexedHeap } from './indexed-heap.ts';
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
import { setName } from './set-name.ts';
import { LabIndex, type ResolvedTarget } from './target.ts';
import { TargetSet } from './target-set.ts';

const emptyLab: LabDefinition = {
  boards: [],
  pools: [],
  discipline: 'turns',
  limits: { ticketsPerUser: 1000, queueLength: 20_000, adHocQueuesPerBoard: 64 },
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
  /** The board that a ticket was granted and still has; not once its lock has changed hands. */
  readonly boardByTicket = new Map<number, string>();
  /** Tickets that settling waits for. */
  settlingTickets = 0;
  /** Whether any pool prefers the board that has rested longest. */
  usesSpread = false;
  /** Target sets with waiting tickets. */
  readonly busySets = new Set<TargetSet>();

  readonly #sets = new Map<string, TargetSet>();
  readonly #setsOfBoard = new Map<string, TargetSet[]>();
  readonly #setByName = new Map<string, string>();

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
      board.succeeds === undefined
    );
  }

  /** The lock on a board, also one that was given under a name which the board had before. */
  lockOn(name: string): LockRecord | undefined {
    const before = () => this.boards.get(name)?.succeeds?.map((old) => this.locks.get(old));
    return this.locks.get(name) ?? before()?.find((lock) => lock !== undefined);
  }

  isFree(name: string): boolean {
    const board = this.boards.get(name);
    return board !== undefined && !this.locks.has(name) && this.isUsable(board);
  }

  /** Sets that contain the board and have been asked for. */
  setsOf(board: string): readonly TargetSet[] {
    return this.#setsOfBoard.get(board) ?? [];
  }

  findSet(key: string): TargetSet | undefined {
    return this.#sets.get(key) ?? this.#makeBoardSet(key);
  }

  getSet(key: string): TargetSet {
    const set = this.findSet(key);
    if (!set) throw new Error(`no target set ${key}`);
    return set;
  }

  allSets(): Iterable<TargetSet> {
    return this.#sets.values();
  }

  /** The key under which these boards already have a queue, whatever their order. */
  findSetKey(target: ResolvedTarget): string | undefined {
    const only = target.boards[0];
    if (target.boards.length === 1 && only !== undefined) return `b:${only}`;
    return this.#setByName.get(target.name);
  }

  /** A ticket's turn: the larger of its arrival, its floor, and its set's last grant in the queue. */
  turnOf(queue: string, set: string, arrival: number): number {
    if (this.lab.discipline === 'fifo') return arrival;
    const floor = this.tickets.get(arrival)?.turnFloor ?? 0;
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
        writeMap(this.boards, key, after as BoardRecord | undefined);
        this.#setTimer(`b:${key}`, boardTimer(after as BoardRecord | undefined));
        this.#noteBoard(key);
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
        this.#sets.get(turn.queue)?.queue.refreshSet(turn.set);
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

  #writeLock(key: string, before: LockRecord | undefined, after: LockRecord | undefined): void {
    if (before?.state === 'held') removeFrom(this.heldBy, holderKey(before.user, before.key), key);
    if (after?.state === 'held') addTo(this.heldBy, holderKey(after.user, after.key), key);
    writeMap(this.locks, key, after);
    this.#setTimer(`l:${key}`, lockTimer(after));
    if (before && isTicketsOwn(before)) this.boardByTicket.delete(before.ticket);
    if (after && isTicketsOwn(after)) this.boardByTicket.set(after.ticket, key);
    this.#noteBoard(key);
  }

  #writeTicket(before: TicketRecord | undefined, after: TicketRecord | undefined): void {
    const old = before?.state === 'ended' ? undefined : before;
    const now = after?.state === 'ended' ? undefined : after;
    if (old?.state === 'waiting') this.#leaveQueue(old);
    const id = (after ?? before)?.id ?? 0;
    if (!old && now) this.#countTicket(now, 1);
    if (old && !now) this.#countTicket(old, -1);
    if (old && now && old.queue !== now.queue) {
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
    if (ticket.kind !== 'slot') {
      const set = this.getSet(ticket.queue);
      set.queue.remove(ticket);
      if (set.queue.size === 0) this.busySets.delete(set);
      return;
    }
    const name = holderKey(ticket.user, ticket.key);
    const heap = this.slotTickets.get(name);
    heap?.delete(String(ticket.id));
    if (heap?.size === 0) this.slotTickets.delete(name);
  }

  #countTicket(ticket: TicketRecord, by: 1 | -1): void {
    count(this.ticketsInQueue, ticket.queue, by);
    count(this.ticketsInTurn, turnKey(ticket.queue, ticket.set), by);
    const note = by > 0 ? addTo<number> : removeFrom<number>;
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
    if (after) this.#addSet(key, after.boards, false);
    else if (before) this.#dropSet(key);
  }

  /** A new configuration: every static set is made anew. Tickets must have left the queues before. */
  #writeLab(lab: LabDefinition): void {
    this.lab = lab;
    this.usesSpread = lab.pools.some((pool) => pool.spread);
    this.labIndex = new LabIndex(lab);
    for (const set of this.#sets.values()) {
      if (set.queue.size > 0) throw new Error(`a configuration was loaded over the queue ${set.key}`);
    }
    this.#sets.clear();
    this.#setsOfBoard.clear();
    this.#setByName.clear();
    for (const pool of lab.pools) {
      if (pool.boards.length < 2) continue;
      if (!this.#setByName.has(setName(pool.boards)))
        this.#addSet(`p:${pool.name}`, pool.boards, pool.spread);
    }
    for (const queue of this.queues.values()) this.#addSet(queue.id, queue.boards, false);
  }

  #addSet(key: string, boards: readonly string[], spread: boolean): TargetSet {
    const set = new TargetSet(key, boards, {
      spread,
      turnOf: (name, arrival) => this.turnOf(key, name, arrival),
    });
    this.#sets.set(key, set);
    const name = setName(boards);
    if (boards.length !== 1 && !this.#setByName.has(name)) this.#setByName.set(name, key);
    for (const board of boards) {
      const list = this.#setsOfBoard.get(board);
      if (list) list.push(set);
      else this.#setsOfBoard.set(board, [set]);
      this.#noteBoardIn(set, board);
    }
    return set;
  }

  #dropSet(key: string): void {
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

  /** Single boards get their set when first asked for: a lab has many boards that only pools name. */
  #makeBoardSet(key: string): TargetSet | undefined {
    if (!key.startsWith('b:')) return undefined;
    const board = key.slice(2);
    return this.boards.has(board) ? this.#addSet(key, [board], false) : undefined;
  }

  #noteBoard(name: string): void {
    for (const set of this.setsOf(name)) this.#noteBoardIn(set, name);
  }

  #noteBoardIn(set: TargetSet, name: string): void {
    const board = this.boards.get(name);
    const lock = this.locks.get(name);
    const usable = board !== undefined && this.isUsable(board);
    const free = usable && !lock;
    set.noteBoard(
      name,
      free ? { suspect: board.health.state === 'suspect', since: board.freeSince } : undefined,
    );
    set.noteHold(name, usable && lock?.state === 'held' ? lock.endsAt : undefined);
    set.noteEnding(name, usable && lock?.state === 'ending');
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

function boardTimer(board: BoardRecord | undefined): number | undefined {
  return board && board.service.state !== 'in' ? board.service.until : undefined;
}

function lockTimer(lock: LockRecord | undefined): number | undefined {
  if (!lock) return undefined;
  if (lock.state === 'ending') return lock.ending?.limitAt;
  if (lock.state !== 'held') return undefined;
  return earliest(lock.overdue ? undefined : lock.endsAt, lock.idleAt);
}

/** `settleUntil`: deadlines run on while the server settles, but take effect after it. */
function ticketTimer(ticket: TicketRecord, settleUntil: number): number | undefined {
  const deadline = ticket.deadline === undefined ? undefined : Math.max(ticket.deadline, settleUntil);
  const own = ticket.state === 'offered' ? ticket.offer?.confirmBy : deadline;
  return earliest(own, ticket.graceUntil);
}

function jobTimer(job: JobRecord): number | undefined {
  return earliest(job.graceUntil, job.endingLimitAt);
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const set = times.filter((time) => time !== undefined);
  return set.length > 0 ? Math.min(...set) : undefined;
}

function writeMap<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function addTo<V>(map: Map<string, Set<V>>, key: string, value: V): void {
  const found = map.get(key);
  if (found) found.add(value);
  else map.set(key, new Set([value]));
}

function removeFrom<V>(map: Map<string, Set<V>>, key: string, value: V): void {
  const found = map.get(key);
  found?.delete(value);
  if (found?.size === 0) map.delete(key);
}

function count(map: Map<string, number>, key: string, by: 1 | -1): void {
  const next = (map.get(key) ?? 0) + by;
  if (next === 0) map.delete(key);
  else map.set(key, next);
}
