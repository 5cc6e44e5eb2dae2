// Who must be served next, from locking.md "Order" and nothing else: plain lists, searched whole each time. It follows
// committed changes one by one and judges each grant at the moment it was made.

import type { BoardRecord, Change, MetaRecord, TicketRecord } from '../../domain/records.ts';
import type { Mirror } from './mirror.ts';
import { isUsable } from './record-checks.ts';
import { countMatched, grantNumbers, type NeedBoards, needsFor } from './several-needs.ts';

/** A grant that stands, of one set in one queue; `isPending` until its ticket has ended with it. */
interface Grant {
  readonly number: number;
  readonly ticket: TicketRecord;
  readonly part: number;
  isPending: boolean;
}

interface Standing {
  readonly ticket: TicketRecord;
  readonly turn: number;
}

export class OrderModel {
  readonly #mirror: Mirror;
  readonly #grants = new Map<string, Grant[]>();
  /** Pending ones while the lab's definition changes under them. */
  #moving: Grant[] = [];
  /** Turns that tickets had reached when the lab's definition changed. */
  readonly #floors = new Map<number, number[]>();
  readonly #needs = new Map<number, readonly NeedBoards[]>();
  /** Grants judged so far. */
  judged = 0;

  /** `mirror`: the records as they were before the change that is told next. */
  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  /** Judges a change and takes it in, before the mirror does. Problems come back as sentences. */
  note(change: Change): string[] {
    if (this.#moving.length > 0) this.#settle();
    if (change.entity === 'lab') this.#floorAll();
    if (change.entity === 'lock' && !change.before && change.after) {
      const lock = change.after as { ticket: number; board: string };
      return lock.ticket === 0 ? [] : this.#judge(lock.ticket, lock.board);
    }
    if (change.entity === 'ticket')
      this.#noteTicket(change.before as TicketRecord | undefined, change.after as TicketRecord);
    return [];
  }

  /** The ticket that is next in line for a board. */
  nextFor(board: string): TicketRecord | undefined {
    const candidates = this.#standing().filter(({ ticket }) => this.boardsOf(ticket).includes(board));
    return candidates.sort(compare)[0]?.ticket;
  }

  boardsOf(ticket: TicketRecord): readonly string[] {
    return this.needsOf(ticket)[0]?.boards ?? [];
  }

  /** What the ticket asks for: one board, or several. */
  needsOf(ticket: TicketRecord): readonly NeedBoards[] {
    let needs = this.#needs.get(ticket.id);
    if (!needs) {
      needs = needsFor(this.#mirror.lab, ticket);
      this.#needs.set(ticket.id, needs);
    }
    return needs;
  }

  /** A ticket that gathers, comes before this one in the line for the board, and would be nearer to all with it. */
  severalBefore(board: string, ticket: TicketRecord): TicketRecord | undefined {
    const rank = this.#rankFor(board, ticket);
    return this.#mirror.all('ticket').find((other) => {
      if (!other.parts || other.state !== 'waiting' || other.id === ticket.id) return false;
      if (other.gather?.state === 'resting') return false;
      const theirs = this.#rankFor(board, other);
      return rank && theirs && compare(theirs, rank) < 0 && this.#isShortOf(other, board);
    });
  }

  #isShortOf(ticket: TicketRecord, board: string): boolean {
    const kept = this.#mirror
      .all('board')
      .filter((one) => one.keptFor === ticket.id && one.name !== board && isUsable(one))
      .map(({ name }) => name);
    const needs = this.needsOf(ticket);
    return countMatched(needs, [...kept, board]) > countMatched(needs, kept);
  }

  #rankFor(board: string, ticket: TicketRecord): Standing | undefined {
    const turns = this.needsOf(ticket).flatMap((need, part) =>
      need.boards.includes(board) ? [this.#turnOf(ticket, part)] : [],
    );
    return turns.length === 0 ? undefined : { ticket, turn: Math.min(...turns) };
  }

  #isFree(board: BoardRecord): boolean {
    return isUsable(board) && !this.#mirror.get('lock', board.name) && board.keptFor === undefined;
  }

  /** Whether nobody comes before this ticket for several in the line for a board that it could use. */
  isNextFor(board: string, ticket: TicketRecord): boolean {
    const rank = this.#rankFor(board, ticket);
    if (!rank || this.severalBefore(board, ticket)) return false;
    return !this.#standing().some(
      (other) => this.boardsOf(other.ticket).includes(board) && compare(other, rank) < 0,
    );
  }

  /** One of the boards that a ticket for several is granted at once. */
  #judgeSeveral(ticket: TicketRecord, board: string): string[] {
    const about = `${board} was granted to ticket ${ticket.id}`;
    const rank = this.#rankFor(board, ticket);
    if (!rank) return [`${about}, which did not ask for it`];
    const problems: string[] = [];
    const next = this.#standing()
      .filter((other) => this.boardsOf(other.ticket).includes(board))
      .find((other) => compare(other, rank) < 0);
    if (next) problems.push(`${about}, but ticket ${next.ticket.id} is next in line`);
    const ahead = this.severalBefore(board, ticket);
    if (ahead) problems.push(`${about}, but ticket ${ahead.id} gathers it`);
    return problems;
  }

  /** The free board that a ticket should get: as its own target lists them, suspect ones last, most rested if so asked. */
  choiceOf(ticket: TicketRecord): string | undefined {
    const { lab } = this.#mirror;
    const spread =
      ticket.target.kind === 'pool' &&
      lab.pools.some((pool) => pool.name === targetName(ticket) && pool.spread);
    const free = this.boardsOf(ticket).flatMap((name, at) => {
      const board = this.#mirror.get('board', name);
      if (!board || !this.#isFree(board)) return [];
      const suspect = board.health.state === 'suspect' ? 1 : 0;
      return [{ name, rank: [suspect, spread ? board.freeSince : 0, at] }];
    });
    return free.sort((a, b) => compareLists(a.rank, b.rank))[0]?.name;
  }

  #judge(id: number, board: string): string[] {
    this.judged += 1;
    const problems: string[] = [];
    const ticket = this.#mirror.get('ticket', String(id));
    const meta: MetaRecord | undefined = this.#mirror.get('meta', '');
    if (meta && meta.mode !== 'open') problems.push(`${board} was granted while the server is ${meta.mode}`);
    if (ticket?.state !== 'waiting') {
      problems.push(`${board} was granted to ticket ${id}, which is ${ticket?.state ?? 'not there'}`);
      return problems;
    }
    if (ticket.parts) return [...problems, ...this.#judgeSeveral(ticket, board)];
    const ahead = this.severalBefore(board, ticket);
    if (ahead) problems.push(`${board} was granted to ticket ${id}, but ticket ${ahead.id} gathers it`);
    const next = this.nextFor(board);
    if (next?.id !== id)
      problems.push(`${board} was granted to ticket ${id}, but ticket ${next?.id} is next in line`);
    const choice = this.choiceOf(ticket);
    if (choice !== board)
      problems.push(`ticket ${id} was granted ${board}, but ${choice} comes first for it`);
    return problems;
  }

  /** In each set and class the first to come; between those the smallest (class, turn, arrival). */
  #standing(): Standing[] {
    const waiting = this.#mirror
      .all('ticket')
      .filter((ticket) => ticket.state === 'waiting' && ticket.kind !== 'slot' && !ticket.parts);
    const groups = Map.groupBy(waiting, (ticket) => `${ticket.priority} ${this.#turnName(ticket)}`);
    return [...groups.values()].map((group) => {
      const ticket = group.reduce((first, other) => (other.id < first.id ? other : first));
      return { ticket, turn: this.#turnOf(ticket) };
    });
  }

  /** `part`: of a ticket for several boards, which of its needs. */
  #turnOf(ticket: TicketRecord, part = 0): number {
    if (this.#mirror.lab.discipline === 'fifo') return ticket.id;
    const grants = this.#grants.get(this.#turnName(ticket, part)) ?? [];
    const floor = this.#floors.get(ticket.id)?.[part] ?? 0;
    return Math.max(ticket.id, floor, ...grants.map((grant) => grant.number));
  }

  /** A set in a queue; equal sets of boards are one queue. */
  #turnName(ticket: TicketRecord, part = 0): string {
    return `${[...(this.needsOf(ticket)[part]?.boards ?? [])].sort().join(',')} ${ticket.set}`;
  }

  #noteTicket(before: TicketRecord | undefined, after: TicketRecord | undefined): void {
    const ticket = after ?? before;
    if (!ticket || ticket.kind === 'slot') return;
    if (!before?.offer && after?.offer) {
      for (const [part, number] of grantNumbers(after))
        this.#add({ number, ticket: after, part, isPending: true });
    }
    if (before?.offer && !after?.offer) {
      const stands = after?.outcome?.kind === 'confirmed' || after?.outcome?.kind === 'started';
      for (const name of this.needsOf(ticket).map((_, part) => this.#turnName(ticket, part))) {
        const left = (this.#grants.get(name) ?? []).filter(
          (grant) => grant.ticket.id !== ticket.id || stands,
        );
        for (const grant of left) if (grant.ticket.id === ticket.id) grant.isPending = false;
        this.#grants.set(name, left);
      }
    }
    if (after?.state === 'ended') {
      this.#floors.delete(ticket.id);
      this.#needs.delete(ticket.id);
    }
  }

  /** The lab's definition is about to change: everybody keeps the turn they have reached. */
  #floorAll(): void {
    const pending = [...this.#grants.values()].flat().filter((grant) => grant.isPending);
    for (const [name, grants] of this.#grants)
      this.#grants.set(
        name,
        grants.filter((grant) => !grant.isPending),
      );
    for (const ticket of this.#mirror.all('ticket')) {
      if (ticket.kind === 'slot') continue;
      const before = this.#floors.get(ticket.id) ?? [];
      const floors = this.needsOf(ticket).map((_, part) =>
        Math.max(before[part] ?? 0, this.#turnOf(ticket, part)),
      );
      this.#floors.set(ticket.id, floors);
    }
    this.#moving = pending;
    this.#grants.clear();
    this.#needs.clear();
  }

  /** Grants that are not confirmed yet count in the queues in which their tickets are now. */
  #settle(): void {
    for (const grant of this.#moving.splice(0)) this.#add(grant);
  }

  #add(grant: Grant): void {
    const name = this.#turnName(grant.ticket, grant.part);
    const grants = this.#grants.get(name);
    if (grants) grants.push(grant);
    else this.#grants.set(name, [grant]);
  }
}

function compare(a: Standing, b: Standing): number {
  return a.ticket.priority - b.ticket.priority || a.turn - b.turn || a.ticket.id - b.ticket.id;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  return a.map((one, at) => one - (b[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function targetName(ticket: TicketRecord): string {
  return ticket.target.kind === 'pool' ? ticket.target.name : '';
}
