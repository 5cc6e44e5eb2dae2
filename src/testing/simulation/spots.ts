// How each board stands, kept from change to change: whether it could be granted, its lock, and who is next in line for it.
import type { BoardRecord, Change, LockRecord, TicketRecord } from '../../domain/records.ts';
import { isUsable } from './record-checks.ts';

/** A ticket in a line, with the turn that counts there. */
export interface Standing {
  readonly ticket: TicketRecord;
  readonly turn: number;
}

/** Below zero where `a` comes first. */
export function compareStandings(a: Standing, b: Standing): number {
  return a.ticket.priority - b.ticket.priority || a.turn - b.turn || a.ticket.id - b.ticket.id;
}

export class Spot {
  readonly name: string;
  board: BoardRecord | undefined;
  lock: LockRecord | undefined;
  isUsable = false;
  /** Of those that want one board only, the next in line; see OrderModel. */
  next: Standing | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** For whoever is next in line; one that is kept for a ticket is not. */
  get isFree(): boolean {
    return this.isUnlocked && this.board?.keptFor === undefined;
  }

  get isUnlocked(): boolean {
    return this.isUsable && !this.lock;
  }

  isOverdue(now: number): boolean {
    const { lock } = this;
    return lock?.state === 'held' && lock.endsAt !== undefined && lock.endsAt <= now;
  }
}

export class Spots {
  /** Of every board that was ever named. */
  readonly all: Spot[] = [];
  readonly #byName = new Map<string, Spot>();

  get(name: string): Spot {
    let spot = this.#byName.get(name);
    if (!spot) {
      spot = new Spot(name);
      this.#byName.set(name, spot);
      this.all.push(spot);
    }
    return spot;
  }

  take({ entity, key, after }: Change): void {
    if (entity === 'lock') this.get(key).lock = after as LockRecord | undefined;
    else if (entity === 'board') {
      const spot = this.get(key);
      spot.board = after as BoardRecord | undefined;
      spot.isUsable = spot.board !== undefined && isUsable(spot.board);
    }
  }
}
