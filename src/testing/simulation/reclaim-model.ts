// When a holder past its end must make room, from locking.md "Time" and nothing else: only for the ticket next in line
// that no free board and no board already ending would serve, whose client has just answered, from the holder who is
// longest past its end, and not while the board's agent is away.

import type { Change, LockRecord } from '../../domain/records.ts';
import type { StepResult } from '../../domain/scheduler.ts';
import type { Mirror } from './mirror.ts';
import type { OrderModel, Wish } from './order-model.ts';
import { countServed } from './several-needs.ts';
import type { Spot } from './spots.ts';

export interface Asked {
  readonly name: string;
  readonly body: object;
}

export class ReclaimModel {
  readonly #mirror: Mirror;
  readonly #order: OrderModel;
  /** Tickets for which a holder must make room, as of the last step. */
  #due = new Set<number>();
  /** When the next hold ends: until then, and without a change, the same are due. */
  #nextEndAt = Number.NEGATIVE_INFINITY;
  /** Locks reclaimed so far. */
  reclaimed = 0;

  constructor(mirror: Mirror, order: OrderModel) {
    this.#mirror = mirror;
    this.#order = order;
  }

  /** The server has started anew, and asks again. */
  restart(): void {
    this.#due.clear();
    this.#nextEndAt = Number.NEGATIVE_INFINITY;
  }

  /** Judges a change before anything else takes it in. */
  note(change: Change, command: Asked, result: StepResult, now: number, problems: string[]): void {
    if (change.entity !== 'lock') return;
    const before = change.before as LockRecord | undefined;
    const after = change.after as LockRecord | undefined;
    if (before?.state !== 'held' || after?.state === 'held') return;
    const reason = result.effects.find(
      (effect) =>
        effect.kind === 'lock-ended' &&
        effect.lock.board === before.board &&
        effect.lock.token === before.token,
    );
    if (reason?.kind !== 'lock-ended' || reason.reason !== 'reclaimed') return;
    this.reclaimed += 1;
    this.#judge(before, command, now, problems);
  }

  #judge(lock: LockRecord, command: Asked, now: number, problems: string[]): void {
    const about = `${lock.board} was reclaimed`;
    const spot = this.#order.spots.get(lock.board);
    const asked = 'ticket' in command.body ? Number(command.body.ticket) : undefined;
    const client = asked === undefined ? undefined : this.#order.findWish(asked);
    if (command.name === 'alive' && client?.ticket.parts) {
      if (!this.#reclaimableForSeveral(client, now).includes(spot))
        problems.push(`${about} for ticket ${asked}, which could not have all its boards by that`);
      return;
    }
    const next = this.#order.nextFor(spot);
    if (!next) return void problems.push(`${about} while nobody is next in line`);
    if (command.name !== 'alive' || asked !== next.id)
      problems.push(`${about} for ticket ${next.id}, whose client has not just answered`);
    const all = this.#reclaimable(next.id, now);
    const [best] = all;
    // Boards that were granted together are past their end at one instant: any of them will do.
    if (!all.includes(spot) || best?.lock?.endsAt !== lock.endsAt)
      problems.push(`${about}, but ${best?.name ?? 'no board'} is to make room`);
  }

  /** After a step: whoever has become next in line for such a board must have been asked for a sign of life. */
  check(result: StepResult, now: number, problems: string[]): void {
    if (result.changes.length === 0 && now < this.#nextEndAt) return;
    const overdue = this.#findOverdue(now);
    const due = this.#findDue(overdue, now);
    for (const id of due) {
      if (this.#due.has(id)) continue;
      const isAsked = result.effects.some((effect) => effect.kind === 'ping' && effect.ticket === id);
      if (!isAsked)
        problems.push(`ticket ${id} is next in line for a board past its hold, and nobody asked its client`);
    }
    this.#due = due;
    for (const spot of overdue) this.#checkWithheld(spot, problems);
  }

  /** Boards past their hold, of which somebody may get one now. */
  #findOverdue(now: number): readonly Spot[] {
    const overdue: Spot[] = [];
    this.#nextEndAt = Number.POSITIVE_INFINITY;
    for (const spot of this.#order.spots.all) {
      const endsAt = spot.lock?.state === 'held' ? spot.lock.endsAt : undefined;
      if (endsAt === undefined) continue;
      if (endsAt <= now) overdue.push(spot);
      else this.#nextEndAt = Math.min(this.#nextEndAt, endsAt);
    }
    return this.#mirror.meta.mode === 'open' ? overdue : [];
  }

  #findDue(overdue: readonly Spot[], now: number): Set<number> {
    const due = new Set<number>();
    if (overdue.length === 0) return due;
    for (const wish of this.#order.severals)
      if (this.#reclaimableForSeveral(wish, now).length > 0) due.add(wish.ticket.id);
    for (const spot of overdue) {
      const next = this.#order.nextFor(spot);
      if (next && !due.has(next.id) && this.#reclaimable(next.id, now).length > 0) due.add(next.id);
    }
    return due;
  }

  /** Whoever waits for such a board behind a ticket that gathers waits only as long as that may gather. */
  #checkWithheld(spot: Spot, problems: string[]): void {
    const next = spot.isUsable ? this.#order.nextFor(spot) : undefined;
    const wish = next && this.#order.findWish(next.id);
    const before = wish ? [...this.#order.allSeveralBefore(spot, wish)] : [];
    const [first] = before;
    if (!first || before.some(({ gather }) => gather?.state === 'gathering')) return;
    problems.push(
      `ticket ${next?.id} waits for ${spot.name} behind ticket ${first.id}, whose time does not run`,
    );
  }

  /**
   * Boards past their hold that a ticket for several may have, where with them, with what is free or kept and with what ends
   * it would have all; none where it has all without them.
   */
  #reclaimableForSeveral(wish: Wish, now: number): Spot[] {
    const { ticket, parts } = wish;
    if (ticket.state !== 'waiting') return [];
    const had: Spot[] = [];
    const overdue: Spot[] = [];
    for (const spot of this.#order.spots.all) {
      // One that is kept for another behind it can be had too; who keeps it before it is before it in the line.
      if (!spot.isUsable) continue;
      const isOverdue = spot.isOverdue(now);
      if (!isOverdue && spot.lock && spot.lock.state !== 'ending') continue;
      if (this.#order.isNextFor(spot, wish)) (isOverdue ? overdue : had).push(spot);
    }
    const wanted = parts.reduce((sum, { count }) => sum + count, 0);
    if (overdue.length === 0 || countServed(parts, had) === wanted) return [];
    return countServed(parts, [...had, ...overdue]) === wanted ? overdue : [];
  }

  /** Boards that may be reclaimed for a ticket, the longest past its end first. */
  #reclaimable(id: number, now: number): Spot[] {
    const wish = this.#order.findWish(id);
    if (wish?.ticket.state !== 'waiting') return [];
    const spots = (wish.parts[0]?.spots ?? []).filter(
      (spot) => spot.isUsable && spot.board?.keptFor === undefined,
    );
    if (spots.some(({ lock }) => !lock)) return [];
    const isNext = (spot: Spot): boolean =>
      this.#order.nextFor(spot)?.id === id && !this.#order.severalBefore(spot, wish);
    if (spots.some((spot) => spot.lock?.state === 'ending' && isNext(spot))) return [];
    return spots
      .filter((spot) => spot.isOverdue(now) && isNext(spot))
      .sort((a, b) => (a.lock?.endsAt ?? 0) - (b.lock?.endsAt ?? 0));
  }
}
