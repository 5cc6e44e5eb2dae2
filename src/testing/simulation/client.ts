// A client with one ticket: submits, waits, confirms, uses what it got, lets go. It may be slow, lose its line and come
// back, hang, die, or forget to release. It repeats a request under the same id until it hears an answer.
import type { Command, CommandOf, ConfirmReply, Effect, Submit, SubmitReply } from '../../domain/commands.ts';
import type { LockRecord, Token } from '../../domain/records.ts';
import { formatToken } from '../../domain/records.ts';
import type { Heard } from './server.ts';
import type { World } from './world.ts';

type Phase = 'submitting' | 'waiting' | 'confirming' | 'holding' | 'running' | 'over';

/** One way, the same for all messages of a client, so that none overtakes another. */
const delayMs = 3;

export class SimulatedClient {
  readonly id: number;
  readonly wish: Submit;
  readonly #world: World;
  phase: Phase = 'submitting';
  ticket: number | undefined;
  board: string | undefined;
  token: Token | undefined;
  /** Of several, those beside `board`. */
  #others: readonly LockRecord[] = [];
  isAlive = true;
  isLinked = true;
  #link = 0;
  #hangsUntil = 0;
  #submits = 0;
  #onLinked: (() => void)[] = [];

  constructor(world: World, id: number, wish: Submit) {
    this.#world = world;
    this.id = id;
    this.wish = wish;
  }

  begin(): void {
    this.#request({ name: 'submit', body: this.wish }, 'submit', (reply) => this.#onSubmitted(reply));
  }

  /** The server says something to this client. */
  hear(effect: Effect): void {
    const link = this.#link;
    this.#in(delayMs, () => {
      if (link === this.#link && this.isLinked) this.#onEffect(effect);
    });
  }

  /** Answers unless it is dead, off the line, or hangs: then later. */
  ping(answer: () => void): void {
    const link = this.#link;
    this.#in(2 * delayMs, () => {
      if (this.isLinked && link === this.#link) answer();
    });
  }

  hang(forMs: number): void {
    this.#hangsUntil = Math.max(this.#hangsUntil, this.#world.agenda.nowMs + forMs);
  }

  /** The process ends; what it held stays. `seen`: the server sees it at once. */
  die(seen: boolean): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#cut(seen);
    this.#finish();
  }

  /** The line breaks. */
  drop(): void {
    if (this.isLinked) this.#cut(false);
  }

  #cut(gone: boolean): void {
    if (this.isLinked && this.ticket !== undefined) this.#world.onCut(this, this.ticket, gone);
    this.lose();
  }

  /** The line is gone, whoever's fault that is. */
  lose(): void {
    this.isLinked = false;
    this.#link += 1;
  }

  reconnect(): void {
    if (!this.isAlive || this.isLinked || !this.#world.server.isUp) return;
    this.isLinked = true;
    this.#link += 1;
    for (const again of this.#onLinked.splice(0)) again();
    if (this.ticket === undefined || this.phase === 'holding' || this.phase === 'over') return;
    this.#attach(this.ticket);
  }

  #attach(ticket: number): void {
    this.#world.own(ticket, this);
    this.#send({ name: 'attach', body: { ticket } }, (heard) => {
      if (heard.kind === 'lost') {
        // A commit that was refused: it tries again as long as it is there.
        if (this.isLinked && this.phase !== 'over')
          this.#in(200, () => this.isLinked && this.#attach(ticket));
      } else if (heard.reply.kind === 'unknown') this.#learnFate(ticket);
    });
  }

  /** Goes back on its wish. */
  withdraw(): void {
    const { ticket, wish } = this;
    if (ticket === undefined) return;
    const body = { caller: wish.caller, ticket, why: 'client' as const };
    this.#request({ name: 'withdraw', body }, 'withdraw', () => undefined);
  }

  #onSubmitted(reply: SubmitReply): void {
    if (reply.kind === 'refused' || reply.kind === 'reused') return this.#finish();
    this.ticket = reply.ticket;
    this.#world.own(reply.ticket, this);
    if (!this.isAlive) return;
    this.phase = 'waiting';
    // An answer of the first time, heard late: it may stand otherwise by now.
    if (this.#submits > 1) this.#attach(reply.ticket);
    // In a lab with lock files it is told only when those are made.
    if (reply.kind === 'offered' && !this.#world.isMaking(reply.ticket)) this.#confirm(reply.token);
  }

  #onEffect(effect: Effect): void {
    switch (effect.kind) {
      case 'offer':
        if (this.phase === 'waiting') this.#confirm(effect.token);
        return;
      case 'ticket-ended':
        if (this.phase === 'waiting') this.#finish();
        return;
      case 'job-changed':
        if (this.phase === 'running' && effect.job.state === 'ended') this.#finish();
        return;
    }
  }

  #confirm(token: Token): void {
    const { random, isCalm } = this.#world;
    const slow = !isCalm && random.chance(0.06);
    this.#in(slow ? random.between(500, 8_000) : random.between(0, 30), () => {
      if (this.phase !== 'waiting' || this.ticket === undefined) return;
      this.phase = 'confirming';
      const body = { user: this.wish.caller.user, ticket: this.ticket, token };
      const name = `confirm ${formatToken(token)}`;
      this.#request({ name: 'confirm', body }, name, (reply) => this.#onConfirmed(reply));
    });
  }

  #onConfirmed(reply: ConfirmReply): void {
    switch (reply.kind) {
      case 'held':
        for (const lock of reply.locks) this.#world.checkAcknowledged(lock);
        this.#others = reply.locks.slice(1);
        this.phase = 'holding';
        this.board = reply.lock.board;
        this.token = reply.lock.token;
        return this.#world.use(this, reply.lock);
      case 'started':
        this.phase = 'running';
        this.board = reply.job.board;
        if (!this.#world.isLive(reply.job.id)) this.#finish();
        return this.#world.watch(this, reply.job);
      case 'gone': {
        this.phase = 'waiting';
        // It may have a new offer already, whose message came while this one was under way.
        const offer = this.ticket === undefined ? undefined : this.#world.offerOf(this.ticket);
        if (offer) this.#confirm(offer);
        else if (this.ticket !== undefined && !this.#world.isLive(this.ticket)) this.#finish();
        return;
      }
      default:
        this.phase = 'waiting';
        if (this.ticket !== undefined) this.#learnFate(this.ticket);
    }
  }

  /** The ticket is no more: the store knows how it ended. */
  #learnFate(ticket: number): void {
    if (this.#world.isLive(ticket) || this.phase === 'confirming' || this.phase === 'over') return;
    if (!this.#world.fates.has(ticket)) this.#world.fail(`nobody knows what became of ticket ${ticket}`);
    this.#finish();
  }

  release(force = false): void {
    const { board, token } = this;
    for (const other of this.#others) this.#releaseOne(other, force);
    if (board !== undefined && token) this.#releaseOne({ board, token }, force);
  }

  #releaseOne({ board, token }: { board: string; token: Token }, force: boolean): void {
    const { wish } = this;
    const body = { caller: wish.caller, boards: [board], key: wish.key, force, token, note: '' };
    this.#request({ name: 'release', body }, `release ${board}`, ({ outcomes }) => {
      const outcome = outcomes[0]?.outcome;
      if (outcome === 'not-held' && !this.#world.server.endedLocks.has(formatToken(token)))
        this.#world.fail(`the lock ${formatToken(token)} on ${board} vanished`);
      if (board === this.board) this.#finish();
    });
  }

  #finish(): void {
    this.phase = 'over';
    this.#world.forget(this);
  }

  /** Once only: what comes of it is not known if the line breaks. */
  #send<C extends Command>(command: C, hear: (heard: Heard<C['name']>) => void): void {
    const link = this.#link;
    this.#in(delayMs, () => {
      if (link !== this.#link) return hear({ kind: 'lost' });
      this.#world.server.post(command, (heard) => this.#in(delayMs, () => hear(heard)), undefined);
    });
  }

  /** Until an answer is heard. */
  #request<C extends Command>(
    command: C,
    name: string,
    onReply: (reply: Extract<Heard<C['name']>, { kind: 'reply' }>['reply']) => void,
  ): void {
    const again = (): void => this.#request(command, name, onReply);
    if (!this.isLinked) return void this.#onLinked.push(again);
    const link = this.#link;
    const requestId = `${this.id} ${name}`;
    if (command.name === 'submit') this.#submits += 1;
    this.#in(delayMs, () => {
      if (link !== this.#link) return this.isLinked ? again() : void this.#onLinked.push(again);
      this.#world.server.post(
        command as CommandOf<C['name']> as Command,
        (heard) => {
          // What the server does with its answer does not depend on whether the client hears it.
          if (heard.kind === 'reply' && command.name === 'submit')
            this.#noteTicket(heard.reply as SubmitReply);
          this.#in(delayMs, () => {
            if (link === this.#link && heard.kind === 'reply') onReply(heard.reply as never);
            else if (this.isLinked) this.#in(this.#world.random.between(50, 500), again);
            else this.#onLinked.push(again);
          });
        },
        requestId,
      );
    });
  }

  /** The server knows whose ticket it is as soon as there is one. */
  #noteTicket(reply: SubmitReply): void {
    if (!('ticket' in reply)) return;
    if (this.isLinked) this.#world.own(reply.ticket, this);
    else this.#world.onCut(this, reply.ticket, false);
  }

  /** After a delay, if it is alive; not while it hangs. */
  #in(afterMs: number, action: () => void): void {
    this.#world.agenda.in(afterMs, () => {
      if (!this.isAlive) return;
      const hangs = this.#hangsUntil - this.#world.agenda.nowMs;
      if (hangs > 0) this.#in(hangs, action);
      else action();
    });
  }
}
