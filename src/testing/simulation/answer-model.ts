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
  before(command: Asked, result: StepResult, now: number, problems: string[]): void {
    switch (command.name) {
      case 'confirm':
        problems.push(...this.#judgeConfirm(command.body as CommandTypes['confirm']['body'], result));
        return;
      case 'release':
        problems.push(...this.#judgeRelease(command.body as CommandTypes['release']['body'], result));
        return;
      case 'poweredOff':
        problems.push(...this.#judgePower(command.body as CommandTypes['poweredOff']['body'], result));
        return;
      case 'restart':
        return this.#begin((command.body as CommandTypes['restart']['body']).settleMs, now);
    }
  }

  /** Judges a step that the mirror has taken in. */
  after(command: Asked, result: StepResult, now: number, problems: string[]): void {
    switch (command.name) {
      case 'attach':
      case 'alive':
      case 'confirm':
      case 'withdraw': {
        const { ticket } = command.body as { readonly ticket: number };
        this.#awaited.delete(ticket);
        this.#judgeBack(command.name, ticket, problems);
        break;
      }
      case 'agentPresent':
        problems.push(...this.#judgePresence(command.body as CommandTypes['agentPresent']['body'], result));
        break;
      case 'restart':
        problems.push(...this.#judgeStart());
    }
    if (this.#awaited.size > 0) this.#judgeSettling(result, now, problems);
  }

  /** A client that is back may wait again. */
  #judgeBack(name: string, ticket: number, problems: string[]): void {
    if (name !== 'attach' && name !== 'alive') return;
    const record = this.#mirror.tickets.get(ticket);
    if (record?.state === 'parked') problems.push(`ticket ${ticket} is parked although its client is there`);
    if (name === 'attach' && record?.graceUntil !== undefined)
      problems.push(`ticket ${ticket} has a grace although its client is there`);
  }

  #judgeConfirm(body: CommandTypes['confirm']['body'], result: StepResult): string[] {
    const reply = result.reply as CommandTypes['confirm']['reply'];
    if (reply.kind !== 'held' && reply.kind !== 'started') return [];
    const ticket = this.#mirror.tickets.get(body.ticket);
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
    const known = this.#mirror.locks.get(board);
    const changes = result.changes.filter((change) => change.entity === 'lock' && change.key === board);
    const held = changes
      .map((change) => change.before as LockRecord | undefined)
      .find((lock) => lock?.state === 'held');
    return held ?? (last?.before as LockRecord | undefined) ?? known;
  }

  #begin(settleMs: number, now: number): void {
    for (const ticket of this.#mirror.tickets.values()) {
      if (ticket.detached) continue;
      const wasConnected = ticket.state !== 'parked' && ticket.graceUntil === undefined;
      if (wasConnected) this.#awaited.add(ticket.id);
    }
    this.#awaitedUntil = now + settleMs;
  }

  /** What an agent was to start and has not got is told again. */
  #judgePresence({ boards, jobs }: CommandTypes['agentPresent']['body'], result: StepResult): string[] {
    const lost = [...this.#mirror.jobs.values()].filter(
      (job) =>
        job.state === 'starting' && boards.includes(job.board) && !jobs.some(({ id }) => id === job.id),
    );
    return lost
      .filter(
        ({ id }) => !result.effects.some((effect) => effect.kind === 'start-job' && effect.job.id === id),
      )
      .map(({ id, board }) => `the agent of ${board} has no job ${id}, and nobody told it again`);
  }

  /** Whoever may be away has a grace from now on. */
  #judgeStart(): string[] {
    const jobs = [...this.#mirror.jobs.values()].filter((job) => !job.detached && job.state !== 'ending');
    const tickets = [...this.#mirror.tickets.values()].filter((ticket) => !ticket.detached);
    const settleUntil = this.#mirror.meta.settleUntil ?? 0;
    const late = tickets
      .filter(({ offer }) => offer && offer.confirmBy <= settleUntil)
      .map(({ id }) => `what ticket ${id} was offered before the start runs out while its client comes back`);
    const lost = [...tickets, ...jobs]
      .filter((one) => one.graceUntil === undefined)
      .map((one) => `${one.id} would be waited for for ever after a start`);
    return [...late, ...lost];
  }

  #judgeSettling(result: StepResult, now: number, problems: string[]): void {
    for (const id of this.#awaited) if (!this.#mirror.tickets.has(id)) this.#awaited.delete(id);
    if (now >= this.#awaitedUntil) this.#awaited.clear();
    if (this.#awaited.size === 0) return;
    const granted = result.changes.find(
      (change) =>
        change.entity === 'lock' && !change.before && (change.after as LockRecord).state === 'granted',
    );
    const missing = [...this.#awaited].join(', ');
    if (granted)
      problems.push(`${granted.key} was granted before the clients of ${missing} had time to come back`);
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
