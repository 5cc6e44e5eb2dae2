// What each answer says must be so, from locking.md "Keys and holders" and "Requests, and clients that vanish": who may
// release and confirm what, that a client which is back may wait again, and that a start waits for its clients. Judges a
// step by the records before it and after it.
import type { CommandTypes } from '../../domain/commands.ts';
import type { LockRecord, TicketRecord, Token } from '../../domain/records.ts';
import { sameToken } from '../../domain/records.ts';
import type { StepResult } from '../../domain/scheduler.ts';
import type { Mirror } from './mirror.ts';
import type { Asked } from './reclaim-model.ts';

export class AnswerModel {
  readonly #mirror: Mirror;
  /** Tickets whose clients were connected when the server died, and until when they are waited for. */
  readonly #awaited = new Set<number>();
  #awaitedUntil = 0;

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  /** Judges a step before the mirror takes it in. */
  before(command: Asked, result: StepResult, now: number): string[] {
    switch (command.name) {
      case 'confirm':
        return this.#judgeConfirm(command.body as CommandTypes['confirm']['body'], result);
      case 'release':
        return this.#judgeRelease(command.body as CommandTypes['release']['body'], result);
      case 'poweredOff':
        return this.#judgePower(command.body as CommandTypes['poweredOff']['body'], result);
      case 'restart':
        return this.#begin((command.body as CommandTypes['restart']['body']).settleMs, now);
      default:
        return [];
    }
  }

  /** Judges a step that the mirror has taken in. */
  after(command: Asked, result: StepResult, now: number): string[] {
    const ticket = 'ticket' in command.body ? Number(command.body.ticket) : undefined;
    if (ticket !== undefined && ['attach', 'alive', 'confirm', 'withdraw'].includes(command.name)) {
      this.#awaited.delete(ticket);
    }
    const problems: string[] = [];
    if (command.name === 'attach' || command.name === 'alive') {
      const record = this.#mirror.get('ticket', String(ticket));
      if (record?.state === 'parked')
        problems.push(`ticket ${ticket} is parked although its client is there`);
      if (command.name === 'attach' && record?.graceUntil !== undefined)
        problems.push(`ticket ${ticket} has a grace although its client is there`);
    }
    if (command.name === 'restart') problems.push(...this.#judgeStart());
    return [...problems, ...this.#judgeSettling(result, now)];
  }

  #judgeConfirm(body: CommandTypes['confirm']['body'], result: StepResult): string[] {
    const reply = result.reply as CommandTypes['confirm']['reply'];
    if (reply.kind !== 'held' && reply.kind !== 'started') return [];
    const ticket = this.#mirror.get('ticket', String(body.ticket));
    const offered = offersOf(ticket, result);
    const about = `a confirm of ticket ${body.ticket} was taken`;
    if (!offered.some((token) => sameToken(token, body.token)))
      return [`${about} under a token that was not offered`];
    return ticket && ticket.user !== body.user ? [`${about} from another user`] : [];
  }

  /** Without force only what the caller holds, with the key, and under the token that was named. */
  #judgeRelease(body: CommandTypes['release']['body'], result: StepResult): string[] {
    const reply = result.reply as CommandTypes['release']['reply'];
    return reply.outcomes.flatMap(({ board, outcome }) => {
      if (outcome !== 'released' && outcome !== 'ending') return [];
      const lock = this.#lockBefore(board, result);
      if (!lock) return [`a lock on ${board} was released that was not there`];
      if (body.token && !sameToken(body.token, lock.token))
        return [`another lock on ${board} was released than was named`];
      if (body.force) return [];
      const isOwn = lock.user === body.caller.user && lock.key === body.key && lock.state !== 'granted';
      return isOwn
        ? []
        : [`${board} was released by ${body.caller.user}, who does not hold it with that key`];
    });
  }

  /** What an agent says of the power under another token is not about this lock. */
  #judgePower(body: CommandTypes['poweredOff']['body'], result: StepResult): string[] {
    const lock = this.#lockBefore(body.board, result);
    const isOver = result.changes.some(
      ({ entity, key, before, after }) =>
        entity === 'lock' && key === body.board && !after && (before as LockRecord).state === 'ending',
    );
    if (!lock || !isOver || sameToken(lock.lastToken, body.token)) return [];
    return [`an answer about the power of ${body.board} under another token ended its lock`];
  }

  /** The lock that the command met: what came due in the same step was before it. */
  #lockBefore(board: string, result: StepResult): LockRecord | undefined {
    const last = result.changes.findLast(
      (change) => change.entity === 'lock' && change.key === board && change.before,
    );
    const known = this.#mirror.get('lock', board);
    const changes = result.changes.filter((change) => change.entity === 'lock' && change.key === board);
    const held = changes
      .map((change) => change.before as LockRecord | undefined)
      .find((lock) => lock?.state === 'held');
    return held ?? (last?.before as LockRecord | undefined) ?? known;
  }

  #begin(settleMs: number, now: number): string[] {
    for (const ticket of this.#mirror.all('ticket')) {
      if (ticket.detached) continue;
      const wasConnected = ticket.state !== 'parked' && ticket.graceUntil === undefined;
      if (wasConnected) this.#awaited.add(ticket.id);
    }
    this.#awaitedUntil = now + settleMs;
    return [];
  }

  /** Whoever may be away has a grace from now on. */
  #judgeStart(): string[] {
    const jobs = this.#mirror.all('job').filter((job) => !job.detached && job.state !== 'ending');
    const tickets = this.#mirror.all('ticket').filter((ticket) => !ticket.detached);
    const settleUntil = this.#mirror.get('meta', '')?.settleUntil ?? 0;
    const late = tickets
      .filter(({ offer }) => offer && offer.confirmBy <= settleUntil)
      .map(({ id }) => `what ticket ${id} was offered before the start runs out while its client comes back`);
    const lost = [...tickets, ...jobs]
      .filter((one) => one.graceUntil === undefined)
      .map((one) => `${one.id} would be waited for for ever after a start`);
    return [...late, ...lost];
  }

  #judgeSettling(result: StepResult, now: number): string[] {
    for (const id of this.#awaited) if (!this.#mirror.get('ticket', String(id))) this.#awaited.delete(id);
    if (this.#awaited.size === 0 || now >= this.#awaitedUntil) {
      if (now >= this.#awaitedUntil) this.#awaited.clear();
      return [];
    }
    const granted = result.changes.find(
      (change) =>
        change.entity === 'lock' && !change.before && (change.after as LockRecord).state === 'granted',
    );
    const missing = [...this.#awaited].join(', ');
    return granted
      ? [`${granted.key} was granted before the clients of ${missing} had time to come back`]
      : [];
  }
}

/** What a ticket was offered before the step, or in it by what came due. */
function offersOf(ticket: TicketRecord | undefined, result: StepResult): Token[] {
  const offers = result.changes.flatMap((change) => {
    const after = change.entity === 'ticket' ? (change.after as TicketRecord | undefined) : undefined;
    return after?.id === ticket?.id && after?.offer ? [after.offer.token] : [];
  });
  return ticket?.offer ? [ticket.offer.token, ...offers] : offers;
}
