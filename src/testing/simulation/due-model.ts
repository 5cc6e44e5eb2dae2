// What falls due when, kept from change to change: nothing that is due stays undone, and the scheduler wants to be woken
// for whatever is due first.
import type {
  BoardRecord,
  Change,
  JobRecord,
  LockRecord,
  MetaRecord,
  TicketRecord,
} from '../../domain/records.ts';
import type { Mirror } from './mirror.ts';

export class DueModel {
  readonly #mirror: Mirror;
  readonly #times = new Map<string, number>();
  /** What was not due at that time before the step. */
  readonly #new = new Set<string>();
  #settleUntil: number | undefined;
  /** The first of all; undefined where it must be looked for. */
  #firstAt: number | undefined = Number.POSITIVE_INFINITY;

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  /** After the mirror has taken the change in. */
  take({ entity, key, after }: Change): void {
    switch (entity) {
      case 'ticket':
        return this.#set(`t${key}`, ticketDueAt(after as TicketRecord | undefined, this.#settleUntil));
      case 'lock':
        return this.#set(`l${key}`, lockDueAt(after as LockRecord | undefined));
      case 'job':
        return this.#set(`j${key}`, jobDueAt(after as JobRecord | undefined));
      case 'board':
        return this.#set(`b${key}`, boardDueAt(after as BoardRecord | undefined));
      case 'meta':
        return this.#settle((after as MetaRecord | undefined)?.settleUntil);
    }
  }

  /** After a step: what was due before it has happened. A start lets nothing happen before it has parked the clients. */
  check(command: { readonly name: string }, now: number, problems: string[]): void {
    if (this.firstAt <= now && command.name !== 'restart') {
      for (const [what, at] of this.#times)
        if (at <= now && !this.#new.has(what))
          problems.push(`${what} was due at ${at}, and is still to come at ${now}`);
    }
    this.#new.clear();
  }

  /** When something is due next; infinity: nothing is. */
  get firstAt(): number {
    if (this.#firstAt === undefined) {
      this.#firstAt = Number.POSITIVE_INFINITY;
      for (const at of this.#times.values()) if (at < this.#firstAt) this.#firstAt = at;
    }
    return this.#firstAt;
  }

  #set(name: string, at: number | undefined): void {
    const before = this.#times.get(name);
    if (before === at) return;
    if (at === undefined) this.#times.delete(name);
    else this.#times.set(name, at);
    this.#new.add(name);
    if (before === this.#firstAt) this.#firstAt = undefined;
    else if (at !== undefined && this.#firstAt !== undefined && at < this.#firstAt) this.#firstAt = at;
  }

  #settle(until: number | undefined): void {
    if (until === this.#settleUntil) return;
    this.#settleUntil = until;
    this.#set('settling', until);
    for (const ticket of this.#mirror.tickets.values())
      this.#set(`t${ticket.id}`, ticketDueAt(ticket, until));
  }
}

export function lockDueAt(lock: LockRecord | undefined): number | undefined {
  if (!lock || lock.state === 'granted') return undefined;
  if (lock.state === 'ending') return lock.ending?.limitAt;
  return least(lock.idleAt, lock.overdue ? undefined : lock.endsAt);
}

export function jobDueAt(job: JobRecord | undefined): number | undefined {
  return job?.state === 'ended' ? undefined : least(job?.graceUntil, job?.endingLimitAt);
}

export function boardDueAt(board: BoardRecord | undefined): number | undefined {
  return board && board.service.state !== 'in' ? board.service.until : undefined;
}

/** A deadline that passes while the server settles takes effect after it. */
export function ticketDueAt(ticket: TicketRecord | undefined, settleUntil = 0): number | undefined {
  if (!ticket || ticket.state === 'ended') return undefined;
  if (ticket.offer) return least(ticket.graceUntil, ticket.offer.confirmBy);
  const gatherUntil = ticket.gather && 'until' in ticket.gather ? ticket.gather.until : undefined;
  const deadline = ticket.deadline === undefined ? undefined : Math.max(ticket.deadline, settleUntil);
  return least(least(ticket.graceUntil, gatherUntil), deadline);
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}
