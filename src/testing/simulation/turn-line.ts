// The tickets of one set (of tickets) in the queue of one set of boards: in order of arrival by class, and its last grant.
import type { TicketRecord } from '../../domain/records.ts';
import type { Spot } from './spots.ts';

/** A grant whose ticket has not ended with it: it may be taken back. */
export interface PendingGrant {
  readonly number: number;
  readonly ticket: number;
  readonly part: number;
}

export class TurnLine {
  /** For each class the numbers of those that wait, in order of arrival. */
  readonly #waiting: [number[], number[], number[]] = [[], [], []];
  #pending: PendingGrant[] = [];
  /** The last grant that stands for good. */
  settled = 0;
  /** The number of the last grant. */
  highest = 0;

  get isEmpty(): boolean {
    return this.#waiting.every((arrivals) => arrivals.length === 0);
  }

  join({ priority, id }: TicketRecord): void {
    const arrivals = this.#waiting[priority];
    const at = arrivals.findLastIndex((other) => other < id);
    arrivals.splice(at + 1, 0, id);
  }

  leave({ priority, id }: TicketRecord): void {
    const arrivals = this.#waiting[priority];
    arrivals.splice(arrivals.indexOf(id), 1);
  }

  /** The first of each class. */
  heads(): readonly (number | undefined)[] {
    return [this.#waiting[0][0], this.#waiting[1][0], this.#waiting[2][0]];
  }

  grant(grant: PendingGrant): void {
    this.#pending.push(grant);
    this.highest = Math.max(this.highest, grant.number);
  }

  /** What the ticket was granted counts for good, or never was. */
  settle(ticket: number, stands: boolean): void {
    for (const grant of this.#pending) {
      if (grant.ticket === ticket && stands) this.settled = Math.max(this.settled, grant.number);
    }
    this.#pending = this.#pending.filter((grant) => grant.ticket !== ticket);
    this.highest = this.#pending.reduce((highest, { number }) => Math.max(highest, number), this.settled);
  }

  get pending(): readonly PendingGrant[] {
    return this.#pending;
  }
}

/** One of the needs of a ticket: the boards that would do, how many of them, and the line in which it stands for them. */
export interface WishPart {
  readonly spots: readonly Spot[];
  readonly count: number;
  readonly line: TurnLine;
  /** The turn that it had reached when the lab's definition changed. */
  readonly floor: number;
}
