// Nobody waits beside what would serve them, after every step: no free board beside a waiting ticket for it, no idle lock
// beside a ticket for its job slot; and of boards that are kept for tickets for several, all or none. From locking.md.
import { isIdleFor } from './invariants.ts';
import type { Mirror } from './mirror.ts';
import type { OrderModel, Wish } from './order-model.ts';
import { countServed, mayGather } from './several-needs.ts';
import type { Spot } from './spots.ts';

export class IdleModel {
  readonly #mirror: Mirror;
  readonly #order: OrderModel;

  constructor(mirror: Mirror, order: OrderModel) {
    this.#mirror = mirror;
    this.#order = order;
  }

  /** After a step that changed something. */
  check(problems: string[]): void {
    let hasKept = false;
    const isOpen = this.#mirror.meta.mode === 'open';
    for (const spot of this.#order.spots.all) {
      if (spot.board?.keptFor !== undefined) {
        hasKept = true;
        this.#checkKept(spot, spot.board.keptFor, problems);
      } else if (isOpen && spot.isFree) {
        const next = this.#order.nextFor(spot);
        if (next) problems.push(`${spot.name} is free while ticket ${next.id} waits for it`);
      }
    }
    if (hasKept || isOpen)
      for (const wish of this.#order.severals) this.#checkSeveral(wish, isOpen, problems);
    if (isOpen) for (const wish of this.#order.slots) this.#checkSlot(wish, problems);
  }

  #checkKept(spot: Spot, id: number, problems: string[]): void {
    const wish = this.#order.findWish(id);
    const about = `${spot.name} is kept for ticket ${id}`;
    if (!spot.isUnlocked) problems.push(`${about} and is not free`);
    if (wish?.ticket.state !== 'waiting') problems.push(`${about}, which is ${wish?.ticket.state ?? 'over'}`);
    else if (wish.ticket.gather?.state !== 'gathering') problems.push(`${about}, which does not gather`);
    else if (this.#mirror.meta.mode === 'open' && spot.isUnlocked && !this.#order.isNextFor(spot, wish))
      problems.push(`${about}, which is not next in line`);
  }

  #checkSeveral({ ticket, parts }: Wish, isOpen: boolean, problems: string[]): void {
    const kept = this.#order.keptFor(ticket.id).filter((spot) => spot.isUnlocked);
    const had = countServed(parts, kept);
    if (had !== kept.length) problems.push(`more is kept for ticket ${ticket.id} than it lacks`);
    if (!isOpen) return;
    const free = this.#order.spots.all.filter((spot) => spot.isFree);
    const most = countServed(parts, [...kept, ...free]);
    const wanted = parts.reduce((sum, { count }) => sum + count, 0);
    if (most === wanted) problems.push(`ticket ${ticket.id} waits while all its boards are free`);
    if (mayGather(this.#mirror.lab, ticket) && most > had)
      problems.push(`ticket ${ticket.id} waits while a board that it lacks is free`);
  }

  #checkSlot({ ticket, parts }: Wish, problems: string[]): void {
    const idle = parts[0]?.spots.find(({ lock }) => isIdleFor(lock, ticket));
    if (idle) problems.push(`ticket ${ticket.id} waits for a job slot while ${idle.name} is idle`);
  }
}
