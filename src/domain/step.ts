// One step of the scheduler while it is being taken: the only way its rules write state. It notes each change,
// audit event and effect, and which boards, tickets and sets the closing round (match.ts) must look at.
import type { AuditEvent, Effect } from './commands.ts';
import type {
  Change,
  Entities,
  EntityName,
  MetaRecord,
  TicketOutcome,
  TicketRecord,
  Token,
} from './records.ts';
import { type State, turnKey } from './state.ts';
import { queuesOf } from './ticket-parts.ts';
import type { Timing } from './timing.ts';

export interface Moment {
  /** Scheduler milliseconds; never falls from step to step. */
  readonly now: number;
  /** Wall-clock milliseconds, for display only. */
  readonly wallAt: number;
}

export class Step {
  readonly state: State;
  readonly timing: Timing;
  readonly now: number;
  readonly wallAt: number;
  readonly changes: Change[] = [];
  readonly audit: AuditEvent[] = [];
  readonly effects: Effect[] = [];
  /** Boards that may have come free, waiting tickets that may find a free board, sets with news for their head. */
  readonly boardsToMatch = new Set<string>();
  readonly ticketsToMatch = new Set<number>();
  readonly setsToReview = new Set<string>();
  /** Kept boards that were changed, or whose ticket was. */
  readonly keptToReview = new Set<string>();

  constructor(state: State, timing: Timing, moment: Moment) {
    this.state = state;
    this.timing = timing;
    this.now = moment.now;
    this.wallAt = moment.wallAt;
  }

  /** Replaces a record (undefined: removes it), in the state and in the change set. */
  put<E extends EntityName>(entity: E, key: string, after: Entities[E] | undefined): void {
    const change = { entity, key, before: this.#read(entity, key), after } as Change;
    this.state.apply(change);
    this.changes.push(change);
    if (entity !== 'lock' && entity !== 'board') return;
    if (this.state.kept.has(key)) this.keptToReview.add(key);
    if (entity === 'lock' && this.state.lab.lockFiles !== undefined)
      this.effects.push({ kind: 'lock-file', board: key });
    for (const set of this.state.setsOf(key)) this.setsToReview.add(set.key);
  }

  putTicket(ticket: TicketRecord): void {
    this.put('ticket', String(ticket.id), ticket);
    for (const queue of queuesOf(ticket)) this.setsToReview.add(queue);
    // Its queues may go with it.
    for (const board of this.state.keptBy.get(ticket.id) ?? []) this.keptToReview.add(board);
    if (ticket.state === 'waiting') this.ticketsToMatch.add(ticket.id);
  }

  /** Draws the next number of the lab-wide rising sequence of arrivals and grants. */
  drawNumber(): number {
    const sequence = this.state.meta.sequence + 1;
    this.putMeta({ sequence });
    return sequence;
  }

  /** Draws the next fencing token. */
  drawToken(): Token {
    const { generation, number } = this.state.meta.token;
    const token = { generation, number: number + 1 };
    this.putMeta({ token });
    return token;
  }

  putMeta(part: Partial<MetaRecord>): void {
    this.put('meta', '', { ...this.state.meta, ...part });
  }

  /** Ends a live ticket, exactly once, and drops what only it kept alive. */
  endTicket(ticket: TicketRecord, outcome: TicketOutcome, options: { quiet?: boolean } = {}): void {
    const { graceUntil: _grace, offer: _offer, ...rest } = ticket;
    this.putTicket({ ...rest, state: 'ended', settling: false, outcome });
    for (const queue of queuesOf(ticket)) this.sweepQueue(queue, ticket.set);
    if (!options.quiet)
      this.effects.push({ kind: 'ticket-ended', ticket: ticket.id, user: ticket.user, outcome });
  }

  /** Forgets the set's turn once it has no ticket left in the queue, and an ad-hoc queue once it is empty. */
  sweepQueue(queue: string, set: string): void {
    const key = turnKey(queue, set);
    if (this.state.turns.has(key) && !this.state.ticketsInTurn.has(key)) this.put('turn', key, undefined);
    if (!this.state.queues.has(queue) || this.state.ticketsInQueue.has(queue)) return;
    // Whoever was behind its tickets may be next in line now, and the set is not there to be looked at.
    const dropped = this.state.getSet(queue);
    for (const board of [...dropped.overdueBoards(this.now), ...dropped.endingBoards()]) {
      for (const other of this.state.setsOf(board)) this.setsToReview.add(other.key);
    }
    this.put('queue', queue, undefined);
  }

  /** Undoes everything in reverse; for a command that failed half-way. */
  rollBack(): void {
    for (const change of this.changes.toReversed()) this.state.revert(change);
    this.changes.length = 0;
  }

  #read(entity: EntityName, key: string): unknown {
    const { state } = this;
    switch (entity) {
      case 'meta':
        return state.meta;
      case 'lab':
        return state.lab;
      case 'board':
        return state.boards.get(key);
      case 'lock':
        return state.locks.get(key);
      case 'ticket':
        return state.tickets.get(Number(key));
      case 'job':
        return state.jobs.get(Number(key));
      case 'queue':
        return state.queues.get(key);
      case 'turn':
        return state.turns.get(key);
    }
  }
}
