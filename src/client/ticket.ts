// A ticket of this client, from its submit to the end of the job it may become. States as the client sees them:
//   waiting → offered → (confirm is sent) → held | started, or waiting again where the confirm came too late;
//   ended at any time, once. `held` and `started` count only when the confirm is answered; `ended` always counts.
// After a reconnect the ticket is attached anew first, so that an old stored answer is never taken for news.
import type { ChannelEvent } from '../protocol/channel.ts';
import type { RequestOf, ResponseOf } from '../protocol/operations.ts';
import type { LockView, MemberView } from '../protocol/schema.ts';
import type { JobView, TicketView } from '../protocol/views.ts';
import { type Client, ConnectionLostError } from './client.ts';

export interface Ended {
  readonly state: 'ended';
  readonly reason: Extract<TicketView, { state: 'ended' }>['reason'];
  readonly text: string;
}

/** What became of the wish for a board. */
export type Settled =
  /** `locks`: of a ticket for several boards, all of them, the first being `lock`. */
  | { readonly state: 'held'; readonly lock: LockView; readonly locks?: readonly LockView[] | undefined }
  | { readonly state: 'started'; readonly board: string; readonly token: string }
  | Ended;

export interface TicketOptions {
  /** Aborting withdraws the ticket; the promise that waits for it rejects when the server knows. */
  readonly signal?: AbortSignal;
  /** Also hear of place and reasons as they change. */
  readonly places?: boolean;
  readonly onView?: (view: TicketView) => void;
  /** News of the job, and what a person should know beside it. */
  readonly onJob?: (job: JobView, message: string | undefined) => void;
}

/**
 * Asks for a board. Rejects with the server's refusal (ALREADY_YOURS, UNKNOWN_TARGET, …), or with the signal's reason
 * after the ticket was withdrawn again.
 */
export function submitTicket(
  client: Client,
  wish: Omit<RequestOf<'submit'>, 'requestId'>,
  options: TicketOptions = {},
): Promise<Ticket> {
  return new Promise((resolve, reject) => {
    // Not ended by the signal: a ticket that nobody knows of would wait on.
    client.call(
      'submit',
      { ...wish, requestId: client.newRequestId() },
      {},
      {
        onAnswer: (answer, { repeated }) => {
          const ticket = new Ticket(client, answer, { ...options, attachFirst: repeated });
          if (options.signal?.aborted) {
            const fail = () => reject(options.signal?.reason);
            ticket.withdraw().then(fail, reject);
          } else resolve(ticket);
        },
        onError: reject,
      },
    );
  });
}

export class Ticket {
  readonly id: number;
  readonly kind: 'board' | 'pool';
  /** The boards that were looked at, as they stood before the grant; see `submit`. */
  readonly members: readonly MemberView[];
  /** Whether a board was free when it was asked for. */
  readonly grantedAtOnce: boolean;
  readonly #client: Client;
  readonly #options: TicketOptions;
  readonly #settled = Promise.withResolvers<Settled>();
  readonly #jobEnded = Promise.withResolvers<JobView>();
  readonly #stopListening: () => void;
  #view: TicketView;
  #job: JobView | undefined;
  #isSettled = false;
  /** Token of the confirm that is not answered yet. */
  #confirming: string | undefined;
  /** Of a ticket for several: the boards of the last offer that was confirmed. */
  #confirmed: readonly string[] = [];

  constructor(
    client: Client,
    answer: ResponseOf<'submit'>,
    options: TicketOptions & { attachFirst: boolean },
  ) {
    this.#client = client;
    this.#options = options;
    this.id = answer.ticket;
    this.kind = answer.kind;
    this.members = answer.members;
    this.grantedAtOnce = answer.view.state !== 'waiting';
    this.#view = answer.view;
    this.#settled.promise.catch(() => {});
    this.#jobEnded.promise.catch(() => {});
    this.#stopListening = client.listen({
      onEvent: (event) => this.#onEvent(event),
      onReconnect: () => this.#attach(),
      onGone: (error) => this.#fail(error),
    });
    if (!options.attachFirst) this.#apply(answer.view);
    if (options.attachFirst || (options.places && answer.view.state === 'waiting')) this.#attach();
  }

  get view(): TicketView {
    return this.#view;
  }

  /** The job as last heard of; undefined before it has started. */
  get job(): JobView | undefined {
    return this.#job;
  }

  /** Resolves when the board is held, the job has started or the ticket has ended. Rejects when the server is lost. */
  settled(): Promise<Settled> {
    return this.#settled.promise;
  }

  /** Resolves when the job has ended: stopped, cleaned up after, with its verdict. */
  jobEnded(): Promise<JobView> {
    return this.#jobEnded.promise;
  }

  /** Stops waiting; releases the lock and stops the job where the board was had already. */
  async withdraw(): Promise<TicketView> {
    const { view } = await this.#client.request('withdraw', {
      requestId: this.#client.newRequestId(),
      ticket: this.id,
    });
    this.#apply(view);
    return view;
  }

  /** Ends the job. `jobEnded` resolves when the clean-up is done. */
  async cancelJob(): Promise<void> {
    await this.#client.request('cancel', { requestId: this.#client.newRequestId(), id: this.id });
  }

  /** Follows the ticket no longer; the server keeps it as it is. */
  close(): void {
    this.#stopListening();
  }

  #onEvent(event: ChannelEvent): void {
    if (event.event === 'ticket' && event.view.ticket === this.id) this.#apply(event.view);
    if (event.event === 'job' && event.job.id === this.id) this.#applyJob(event.job, event.message);
  }

  #attach(): void {
    if (!this.#client.isUp) return; // it will be done at the reconnect
    const places = this.#options.places === true && !this.#isSettled;
    const body = { ticket: this.id, ...(places ? { places } : {}) };
    this.#client.call(
      'attach',
      body,
      { repeat: 'never' },
      {
        onAnswer: ({ view, job }) => {
          this.#apply(view);
          if (job) this.#applyJob(job, undefined);
        },
        onError: (error) => {
          if (!(error instanceof ConnectionLostError)) this.#fail(error);
        },
      },
    );
  }

  #apply(view: TicketView): void {
    if (this.#isSettled) return;
    this.#view = view;
    this.#options.onView?.(view);
    switch (view.state) {
      case 'waiting':
        return;
      case 'offered':
        if (this.#confirming !== view.token) this.#confirm(view);
        return;
      case 'held': {
        const lost = this.#confirmed.filter((name) => !view.locks?.some(({ board }) => board === name));
        if (lost.length > 0) this.#giveUp(lost);
        else if (this.#confirming === undefined) this.#settle(view);
        return;
      }
      case 'started':
        // Its answer is on the way, and only then is the board ours.
        if (this.#confirming === undefined) this.#settle(view);
        return;
      case 'ended':
        this.#settle(view);
    }
  }

  /** Some were released while we were away: all or none, so the rest go back. */
  #giveUp(lost: readonly string[]): void {
    this.#isSettled = true;
    this.#stopListening();
    const text = `the lock on ${lost.join(', ')} has been released meanwhile`;
    const withdrawn = this.#client.request('withdraw', {
      requestId: this.#client.newRequestId(),
      ticket: this.id,
    });
    withdrawn.then(
      () => this.#settled.resolve({ state: 'ended', reason: 'released', text }),
      (error: Error) => this.#settled.reject(error),
    );
  }

  #confirm({ token, boards = [] }: Extract<TicketView, { state: 'offered' }>): void {
    this.#confirming = token;
    this.#confirmed = boards;
    const body = { requestId: this.#client.newRequestId(), ticket: this.id, token };
    this.#client.call(
      'confirm',
      body,
      {},
      {
        onAnswer: ({ view }) => {
          if (this.#confirming === token) this.#confirming = undefined;
          this.#apply(view);
        },
        onError: (error) => this.#fail(error),
      },
    );
  }

  #settle(view: Extract<TicketView, { state: 'held' | 'started' | 'ended' }>): void {
    this.#isSettled = true;
    this.#settled.resolve(view);
    if (view.state === 'started') return;
    this.#stopListening();
  }

  #applyJob(job: JobView, message: string | undefined): void {
    // News may come out of order with the answer to an attach; an end is never taken back.
    if (this.#job?.state === 'ended') return;
    this.#job = job;
    this.#options.onJob?.(job, message);
    if (job.state !== 'ended') return;
    this.#jobEnded.resolve(job);
    if (this.#isSettled) this.#stopListening();
  }

  #fail(error: Error): void {
    this.#stopListening();
    this.#isSettled = true;
    this.#settled.reject(error);
    this.#jobEnded.reject(error);
  }
}
