// The records that a step changed and those beside them, to be judged after it: what a change can break is a rule between
// the record and one that it names, before or after.
import type {
  BoardRecord,
  Change,
  JobRecord,
  LockRecord,
  MetaRecord,
  TicketRecord,
} from '../../domain/records.ts';
import { compareTokens } from '../../domain/records.ts';
import type { Mirror } from './mirror.ts';
import { checkBoard, checkJob, checkLock, checkRecords, checkTicket } from './record-checks.ts';

export class TouchedRecords {
  readonly #mirror: Mirror;
  readonly #boards = new Set<string>();
  readonly #tickets = new Set<number>();
  readonly #jobs = new Set<number>();
  #all = false;

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  note({ entity, key, before, after }: Change): void {
    switch (entity) {
      case 'lock':
        this.#boards.add(key);
        this.#addLock(before as LockRecord | undefined);
        return this.#addLock(after as LockRecord | undefined);
      case 'ticket':
        this.#tickets.add(Number(key));
        this.#addOffer(before as TicketRecord | undefined);
        return this.#addOffer(after as TicketRecord | undefined);
      case 'job':
        this.#jobs.add(Number(key));
        this.#boards.add(((after ?? before) as JobRecord).board);
        return;
      case 'board':
        return this.#addBoard(key, (after ?? before) as BoardRecord);
      case 'lab':
        this.#all = true;
    }
  }

  /** Judges all of them, and forgets them. */
  check(problems: string[]): void {
    const { boards, locks, tickets, jobs, meta } = this.#mirror;
    if (this.#all) problems.push(...checkRecords(this.#mirror));
    else {
      for (const name of this.#boards) {
        const [board, lock] = [boards.get(name), locks.get(name)];
        if (board) checkBoard(this.#mirror, board, problems);
        if (lock) checkLock(this.#mirror, name, lock, problems);
      }
      for (const id of this.#tickets) {
        const ticket = tickets.get(id);
        if (ticket) checkTicket(this.#mirror, ticket, problems);
        checkDrawn(meta, id, problems);
      }
      for (const id of this.#jobs) {
        const job = jobs.get(id);
        if (job) checkJob(this.#mirror, job, problems);
        if (job && compareTokens(job.token, meta.token) > 0)
          problems.push(`job ${id} has a token that was never drawn`);
      }
    }
    this.#boards.clear();
    this.#tickets.clear();
    this.#jobs.clear();
    this.#all = false;
  }

  #addLock(lock: LockRecord | undefined): void {
    if (!lock) return;
    if (lock.ticket !== 0) this.#tickets.add(lock.ticket);
    if (lock.slotTicket !== undefined) this.#tickets.add(lock.slotTicket);
    if (lock.job !== undefined) this.#jobs.add(lock.job);
  }

  #addOffer(ticket: TicketRecord | undefined): void {
    if (!ticket?.offer) return;
    for (const { board } of ticket.offer.all ?? [ticket.offer]) this.#boards.add(board);
  }

  /** Its lock and job may have no limit while its agent is away, and it may be waited for under another name. */
  #addBoard(key: string, board: BoardRecord): void {
    this.#boards.add(key);
    const job = this.#mirror.locks.get(key)?.job;
    if (job !== undefined) this.#jobs.add(job);
    for (const other of board.removed || !this.#mirror.boards.has(key) ? this.#mirror.boards.values() : [])
      if (other.succeeds) this.#boards.add(other.name);
  }
}

function checkDrawn(meta: MetaRecord, id: number, problems: string[]): void {
  if (id > meta.sequence) problems.push(`ticket ${id} has a number that was never drawn`);
}
