// Who must be served next, from locking.md "Order" and nothing else. It follows committed changes one by one, keeps who
// waits and how each board stands from change to change, and judges each grant at the moment it was made. That what it
// keeps is what the records say is checked by brute force now and then: see order-checks.ts.

import type { Change, TicketRecord } from '../../domain/records.ts';
import type { Mirror } from './mirror.ts';
import { countServed, grantNumbers, mayGather, needsFor } from './several-needs.ts';
import { compareStandings, type Spot, Spots, type Standing } from './spots.ts';
import { type PendingGrant, TurnLine, type WishPart } from './turn-line.ts';

/** A live ticket, and what it asks for in the lab as it is now. */
export interface Wish {
  ticket: TicketRecord;
  readonly parts: readonly WishPart[];
}

export class OrderModel {
  readonly spots = new Spots();
  /** Waiting tickets for several boards, and for job slots. */
  readonly severals = new Set<Wish>();
  readonly slots = new Set<Wish>();
  readonly #mirror: Mirror;
  readonly #wishes = new Map<number, Wish>();
  readonly #lines = new Map<string, TurnLine>();
  /** Lines with tickets that wait for one board. */
  readonly #busy = new Set<TurnLine>();
  /** Pending grants, and turns that tickets had reached, while the lab's definition changes under them. */
  #moving: { pending: readonly PendingGrant[]; floors: ReadonlyMap<number, readonly number[]> } | undefined;
  #isRanked = true;
  /** Grants judged so far. */
  judged = 0;

  /** `mirror`: the records as they were before the change that is told next. */
  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  /** Judges a change and takes it in, before the mirror does. Problems come as sentences. */
  note(change: Change, problems: string[]): void {
    if (this.#moving) this.#resume();
    switch (change.entity) {
      case 'lab':
        return this.#pause();
      case 'lock':
        if (!change.before && change.after) {
          const lock = change.after as { ticket: number; board: string };
          if (lock.ticket !== 0) this.#judge(lock.ticket, this.spots.get(lock.board), problems);
        }
        return this.spots.take(change);
      case 'board':
        return this.spots.take(change);
      case 'ticket':
        return this.#noteTicket(change.after as TicketRecord | undefined);
    }
  }

  /** Of those that ask for one board, the ticket that is next in line for this one. */
  nextFor(spot: Spot): TicketRecord | undefined {
    return this.#nextFor(spot)?.ticket;
  }

  findWish(ticket: number): Wish | undefined {
    if (this.#moving) this.#resume();
    return this.#wishes.get(ticket);
  }

  /** A ticket that gathers, comes before this one in the line for the board, and would be nearer to all with it. */
  severalBefore(spot: Spot, wish: Wish): TicketRecord | undefined {
    return this.severals.size === 0 ? undefined : this.allSeveralBefore(spot, wish).next().value;
  }

  *allSeveralBefore(spot: Spot, wish: Wish): Generator<TicketRecord, undefined> {
    const rank = this.#rankFor(spot, wish);
    if (!rank) return;
    for (const other of this.severals) {
      if (other === wish || !mayGather(this.#mirror.lab, other.ticket)) continue;
      const theirs = this.#rankFor(spot, other);
      if (theirs && compareStandings(theirs, rank) < 0 && this.#isShortOf(other, spot)) yield other.ticket;
    }
  }

  /** Whether nobody comes before this ticket for several in the line for a board that it could use. */
  isNextFor(spot: Spot, wish: Wish): boolean {
    const rank = this.#rankFor(spot, wish);
    if (!rank || this.severalBefore(spot, wish)) return false;
    const next = this.#nextFor(spot);
    return next === undefined || compareStandings(next, rank) > 0;
  }

  /** The turn of a ticket in the line of one of its parts. */
  turnOf({ ticket, parts }: Wish, part = 0): number {
    const { line, floor } = parts[part] ?? { floor: 0 };
    if (this.#mirror.lab.discipline === 'fifo') return ticket.id;
    return Math.max(ticket.id, floor, line?.highest ?? 0);
  }

  /** The free board that a ticket should get: as its own target lists them, suspect ones last, most rested if so asked. */
  choiceOf({ ticket: { target }, parts }: Wish): Spot | undefined {
    const isSpread =
      target.kind === 'pool' &&
      this.#mirror.lab.pools.some((pool) => pool.name === target.name && pool.spread);
    let best: { spot: Spot; suspect: number; since: number } | undefined;
    for (const spot of parts[0]?.spots ?? []) {
      if (!spot.isFree || !spot.board) continue;
      const suspect = spot.board.health.state === 'suspect' ? 1 : 0;
      const since = isSpread ? spot.board.freeSince : 0;
      if (!best || suspect < best.suspect || (suspect === best.suspect && since < best.since))
        best = { spot, suspect, since };
    }
    return best?.spot;
  }

  /** Boards that are kept for a ticket for several and could be granted, but for one. */
  keptFor(ticket: number, except?: Spot): Spot[] {
    return this.spots.all.filter(
      (spot) => spot !== except && spot.board?.keptFor === ticket && spot.isUsable,
    );
  }

  #isShortOf({ ticket, parts }: Wish, spot: Spot): boolean {
    const kept = this.keptFor(ticket.id, spot);
    return countServed(parts, [...kept, spot]) > countServed(parts, kept);
  }

  #rankFor(spot: Spot, wish: Wish): Standing | undefined {
    let turn = Number.POSITIVE_INFINITY;
    for (let part = 0; part < wish.parts.length; part += 1)
      if (wish.parts[part]?.spots.includes(spot)) turn = Math.min(turn, this.turnOf(wish, part));
    return turn === Number.POSITIVE_INFINITY ? undefined : { ticket: wish.ticket, turn };
  }

  // ---- grants ----

  #judge(id: number, spot: Spot, problems: string[]): void {
    this.judged += 1;
    const { name } = spot;
    const { mode } = this.#mirror.meta;
    if (mode !== 'open') problems.push(`${name} was granted while the server is ${mode}`);
    const wish = this.#wishes.get(id);
    if (wish?.ticket.state !== 'waiting') {
      const state = wish?.ticket.state ?? 'not there';
      problems.push(`${name} was granted to ticket ${id}, which is ${state}`);
      return;
    }
    const about = `${name} was granted to ticket ${id}`;
    const ahead = this.severalBefore(spot, wish);
    if (ahead) problems.push(`${about}, but ticket ${ahead.id} gathers it`);
    const next = this.#nextFor(spot);
    if (wish.ticket.parts) {
      const rank = this.#rankFor(spot, wish);
      if (!rank) problems.push(`${about}, which did not ask for it`);
      else if (next && compareStandings(next, rank) < 0)
        problems.push(`${about}, but ticket ${next.ticket.id} is next in line`);
      return;
    }
    if (next?.ticket.id !== id) problems.push(`${about}, but ticket ${next?.ticket.id} is next in line`);
    const choice = this.choiceOf(wish);
    if (choice !== spot)
      problems.push(`ticket ${id} was granted ${name}, but ${choice?.name} comes first for it`);
  }

  // ---- lines ----

  /** In each set and class the first to come; between those the smallest (class, turn, arrival). */
  #nextFor(spot: Spot): Standing | undefined {
    if (this.#moving) this.#resume();
    if (!this.#isRanked) this.#rank();
    return spot.next;
  }

  #rank(): void {
    this.#isRanked = true;
    for (const spot of this.spots.all) spot.next = undefined;
    for (const line of this.#busy) {
      for (const id of line.heads()) {
        const wish = id === undefined ? undefined : this.#wishes.get(id);
        if (!wish) continue;
        const standing = { ticket: wish.ticket, turn: this.turnOf(wish) };
        for (const spot of wish.parts[0]?.spots ?? []) {
          if (!spot.next || compareStandings(standing, spot.next) < 0) spot.next = standing;
        }
      }
    }
  }

  #noteTicket(after: TicketRecord | undefined): void {
    if (!after) return;
    let wish = this.#wishes.get(after.id);
    const before = wish?.ticket;
    if (!wish) {
      if (after.state === 'ended') return;
      wish = this.#wishFor(after, []);
      this.#wishes.set(after.id, wish);
    }
    if (before?.state === 'waiting') this.#leave(wish);
    wish.ticket = after;
    if (after.kind !== 'slot') {
      if (!before?.offer && after.offer) this.#noteOffer(wish);
      if (before?.offer && !after.offer) {
        const stands = after.outcome?.kind === 'confirmed' || after.outcome?.kind === 'started';
        for (const { line } of wish.parts) line.settle(after.id, stands);
      }
    }
    if (after.state === 'waiting') this.#join(wish);
    if (after.state === 'ended') this.#wishes.delete(after.id);
    this.#isRanked = false;
  }

  #noteOffer({ ticket, parts }: Wish): void {
    for (const [part, number] of grantNumbers(ticket))
      parts[part]?.line.grant({ number, ticket: ticket.id, part });
  }

  #join(wish: Wish): void {
    const { ticket, parts } = wish;
    if (ticket.kind === 'slot') this.slots.add(wish);
    else if (ticket.parts) this.severals.add(wish);
    else if (parts[0]) {
      parts[0].line.join(ticket);
      this.#busy.add(parts[0].line);
    }
  }

  #leave(wish: Wish): void {
    const { ticket, parts } = wish;
    this.slots.delete(wish);
    this.severals.delete(wish);
    const line = ticket.kind === 'slot' || ticket.parts ? undefined : parts[0]?.line;
    line?.leave(ticket);
    if (line?.isEmpty) this.#busy.delete(line);
  }

  #wishFor(ticket: TicketRecord, floors: readonly number[]): Wish {
    let granted = 0;
    const parts = needsFor(this.#mirror.lab, ticket).map(({ boards, count }, part) => {
      const offered = ticket.offer?.all?.[granted] ?? ticket.offer;
      granted += count;
      // One whose target is gone, and which has been offered a board of it, is in the line of that board.
      const isGone = boards.length === 0 && offered !== undefined;
      const line = this.lineOf(isGone ? [offered.board] : boards, ticket.set);
      return { spots: boards.map((name) => this.spots.get(name)), count, line, floor: floors[part] ?? 0 };
    });
    return { ticket, parts };
  }

  /** Equal sets of boards are one queue, in which each set of tickets has its line. */
  lineOf(boards: readonly string[], set: string): TurnLine {
    const name = `${[...boards].sort().join(',')} ${set}`;
    let line = this.#lines.get(name);
    if (!line) {
      line = new TurnLine();
      this.#lines.set(name, line);
    }
    return line;
  }

  // ---- another definition of the lab ----

  /** The lab's definition is about to change: everybody keeps the turn they have reached. */
  #pause(): void {
    const pending = [...this.#lines.values()].flatMap((line) => line.pending);
    const floors = new Map<number, number[]>();
    const isFifo = this.#mirror.lab.discipline === 'fifo';
    for (const wish of this.#wishes.values()) {
      if (wish.ticket.kind === 'slot') continue;
      const { id } = wish.ticket;
      const reached = wish.parts.map(({ floor, line }) => Math.max(id, floor, isFifo ? 0 : line.settled));
      floors.set(id, reached);
    }
    this.#moving = { pending, floors };
  }

  /** It has changed. Grants that are not confirmed yet count in the queues in which their tickets are now. */
  #resume(): void {
    const { pending, floors } = this.#moving ?? { pending: [], floors: new Map() };
    this.#moving = undefined;
    for (const gone of [this.#lines, this.#busy, this.severals, this.slots]) gone.clear();
    for (const [id, { ticket }] of this.#wishes) {
      const wish = this.#wishFor(ticket, floors.get(id) ?? []);
      this.#wishes.set(id, wish);
      if (ticket.state === 'waiting') this.#join(wish);
    }
    for (const grant of pending) this.#wishes.get(grant.ticket)?.parts[grant.part]?.line.grant(grant);
    this.#isRanked = false;
  }
}
