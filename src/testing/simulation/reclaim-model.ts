// When a holder past its end must make room, from locking.md "Time" and nothing else: only for the ticket next in line
// that no free board and no board already ending would serve, whose client has just answered, from the holder who is
// longest past its end, and not while the board's agent is away.

import type { Change, LockRecord, TicketRecord } from '../../domain/records.ts';
import type { StepResult } from '../../domain/scheduler.ts';
import type { Mirror } from './mirror.ts';
import type { OrderModel } from './order-model.ts';
import { isUsable } from './record-checks.ts';
import { countMatched } from './several-needs.ts';

export interface Asked {
  readonly name: string;
  readonly body: object;
}

export class ReclaimModel {
  readonly #mirror: Mirror;
  readonly #order: OrderModel;
  /** Tickets for which a holder must make room, as of the last step. */
  #due = new Set<number>();
  /** Locks reclaimed so far. */
  reclaimed = 0;

  constructor(mirror: Mirror, order: OrderModel) {
    this.#mirror = mirror;
    this.#order = order;
  }

  /** The server has started anew, and asks again. */
  restart(): void {
    this.#due.clear();
  }

  /** Judges a change before the mirror takes it in. */
  note(change: Change, command: Asked, result: StepResult, now: number): string[] {
    if (change.entity !== 'lock') return [];
    const before = change.before as LockRecord | undefined;
    const after = change.after as LockRecord | undefined;
    if (before?.state !== 'held' || after?.state === 'held') return [];
    const reason = result.effects.find(
      (effect) =>
        effect.kind === 'lock-ended' &&
        effect.lock.board === before.board &&
        effect.lock.token === before.token,
    );
    if (reason?.kind !== 'lock-ended' || reason.reason !== 'reclaimed') return [];
    this.reclaimed += 1;
    return this.#judge(before, command, now);
  }

  #judge(lock: LockRecord, command: Asked, now: number): string[] {
    const about = `${lock.board} was reclaimed`;
    const client =
      'ticket' in command.body ? this.#mirror.get('ticket', String(command.body.ticket)) : undefined;
    if (command.name === 'alive' && client?.parts) {
      const isNeeded = this.#reclaimableForSeveral(client, now).includes(lock.board);
      return isNeeded
        ? []
        : [`${about} for ticket ${client.id}, which could not have all its boards by that`];
    }
    const next = this.#order.nextFor(lock.board);
    if (!next) return [`${about} while nobody is next in line`];
    const problems: string[] = [];
    const asked = 'ticket' in command.body ? command.body.ticket : undefined;
    if (command.name !== 'alive' || asked !== next.id)
      problems.push(`${about} for ticket ${next.id}, whose client has not just answered`);
    const all = this.#reclaimable(next.id, now);
    const [best] = all;
    // Boards that were granted together are past their end at one instant: any of them will do.
    const endsAt = best === undefined ? undefined : this.#mirror.get('lock', best)?.endsAt;
    if (!all.includes(lock.board) || endsAt !== lock.endsAt)
      problems.push(`${about}, but ${best ?? 'no board'} is to make room`);
    return problems;
  }

  /** After a step: whoever has become next in line for such a board must have been asked for a sign of life. */
  check(result: StepResult, now: number): string[] {
    const due = new Set<number>();
    const isOpen = this.#mirror.get('meta', '')?.mode === 'open';
    for (const ticket of isOpen ? this.#mirror.all('ticket') : []) {
      if (ticket.parts && this.#reclaimableForSeveral(ticket, now).length > 0) due.add(ticket.id);
    }
    for (const lock of isOpen ? this.#mirror.all('lock') : []) {
      if (lock.state !== 'held' || lock.endsAt === undefined || lock.endsAt > now) continue;
      const next = this.#order.nextFor(lock.board);
      if (next && this.#reclaimable(next.id, now).length > 0) due.add(next.id);
    }
    const asked = new Set(
      result.effects.flatMap((effect) => (effect.kind === 'ping' ? [effect.ticket] : [])),
    );
    const problems = [...due]
      .filter((id) => !this.#due.has(id) && !asked.has(id))
      .map((id) => `ticket ${id} is next in line for a board past its hold, and nobody asked its client`);
    this.#due = due;
    return problems;
  }

  /**
   * Boards past their hold that a ticket for several may have, where with them, with what is free or kept for it and with
   * what ends it would have all; none where it has all without them.
   */
  #reclaimableForSeveral(ticket: TicketRecord, now: number): string[] {
    if (ticket.state !== 'waiting' || ticket.gather?.state === 'resting') return [];
    const needs = this.#order.needsOf(ticket);
    const boards = this.#mirror.all('board').filter((board) => {
      const isFor = board.keptFor === undefined || board.keptFor === ticket.id;
      return isUsable(board) && isFor && this.#order.isNextFor(board.name, ticket);
    });
    const had: string[] = [];
    const overdue: string[] = [];
    for (const { name } of boards) {
      const lock = this.#mirror.get('lock', name);
      if (!lock || lock.state === 'ending') had.push(name);
      else if (lock.state === 'held' && (lock.endsAt ?? now + 1) <= now) overdue.push(name);
    }
    const wanted = needs.reduce((sum, { count }) => sum + count, 0);
    if (countMatched(needs, had) === wanted) return [];
    return countMatched(needs, [...had, ...overdue]) === wanted ? overdue : [];
  }

  /** Boards that may be reclaimed for a ticket, the longest past its end first. */
  #reclaimable(id: number, now: number): string[] {
    const ticket = this.#mirror.get('ticket', String(id));
    if (ticket?.state !== 'waiting') return [];
    const boards = this.#order.boardsOf(ticket).filter((name) => {
      const board = this.#mirror.get('board', name);
      return board !== undefined && isUsable(board) && board.keptFor === undefined;
    });
    const locks = boards.map((name) => this.#mirror.get('lock', name));
    if (locks.some((lock) => !lock)) return [];
    const isNext = (board: string): boolean =>
      this.#order.nextFor(board)?.id === id && !this.#order.severalBefore(board, ticket);
    if (locks.some((lock) => lock?.state === 'ending' && isNext(lock.board))) return [];
    return locks
      .filter((lock) => lock?.state === 'held' && (lock.endsAt ?? now + 1) <= now && isNext(lock.board))
      .toSorted((a, b) => (a?.endsAt ?? 0) - (b?.endsAt ?? 0))
      .flatMap((lock) => (lock ? [lock.board] : []));
  }
}
