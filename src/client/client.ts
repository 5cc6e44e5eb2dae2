// The typed client: requests with their answers, events, and what must go on when the connection breaks. A request
// that was not answered is sent again under the same request id, so that it is done once.
import type { ChannelEvent, ChannelMessage, ChannelRequest } from '../protocol/channel.ts';
import { MqError, type WireError } from '../protocol/errors.ts';
import type { OperationName, RequestOf, ResponseOf } from '../protocol/operations.ts';
import { backOffMs } from './back-off.ts';
import { Connection } from './connection.ts';
import type { DataPiece, Link, OpenLink, Timers } from './link.ts';

export interface ClientOptions {
  readonly openLink: OpenLink;
  readonly timers: Timers;
  /** A new id for a changing request; unique over all clients of a user. */
  readonly newRequestId: () => string;
  /** How long to try to reach a server at first. Default 0: one attempt. */
  readonly firstSeconds?: number;
  /** How long to try to reach a server again that was lost. Default: 60. */
  readonly reconnectSeconds?: number;
  /** From 0 up to but not with 1; default Math.random. */
  readonly random?: () => number;
  /** Told when the link is lost and when it is back. */
  readonly onLink?: (state: 'up' | 'lost') => void;
}

export interface CallOptions {
  /** Ends the wait, not what the server does. */
  readonly signal?: AbortSignal;
  /** How long to wait for the answer, reconnects included. Default: 90,000; Infinity where something else ends it. */
  readonly timeoutMs?: number;
  /** `never`: a lost connection is an error (ConnectionLostError), because a repeat could do it twice. */
  readonly repeat?: 'after-reconnect' | 'never';
}

/** Called synchronously, before anything that came behind the answer is looked at. */
export interface CallHandlers<N extends OperationName> {
  /** `repeated`: the answer may be the stored one of an earlier attempt, and old. */
  onAnswer(body: ResponseOf<N>, about: { readonly repeated: boolean }): void;
  onError(error: Error): void;
}

/** What a part of the client that lives longer than one request wants to hear. */
export interface ClientListener {
  onEvent?(event: ChannelEvent): void;
  onData?(piece: DataPiece): void;
  /** A link is open again after one was lost; called before unanswered requests are sent again. */
  onReconnect?(): void;
  /** There will be no link any more. */
  onGone?(error: Error): void;
}

/** The connection broke before the answer came; whether the server did what was asked is not known. */
export class ConnectionLostError extends MqError {
  constructor(operation: string) {
    super('SERVER_UNREACHABLE', `The connection broke before the server answered '${operation}'.`);
    this.name = 'ConnectionLostError';
  }
}

interface Pending {
  readonly request: ChannelRequest & { op: OperationName };
  readonly repeats: boolean;
  readonly handlers: CallHandlers<OperationName>;
  /** Ends its timer and its abort listener. */
  readonly dispose: () => void;
  /** Serial of the link it was sent on; 0: not sent yet. */
  sentOn: number;
  timesSent: number;
  /** Answers of TRY_AGAIN so far. */
  refusals: number;
}

const requestMsDefault = 90_000;
const tryAgainMax = 5;

/**
 * Connects to the server and says nothing yet. Rejects with SERVER_UNREACHABLE where no server answers within
 * `firstSeconds`.
 */
export function connectClient(options: ClientOptions): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client(options, { onFirstUp: () => resolve(client), onNeverUp: reject });
  });
}

export class Client {
  readonly timers: Timers;
  readonly newRequestId: () => string;
  readonly #options: ClientOptions;
  readonly #connection: Connection;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<ClientListener>();
  #first: { onFirstUp: () => void; onNeverUp: (error: Error) => void } | undefined;
  #link: Link | undefined;
  #serial = 0;
  #nextId = 1;
  #nextStream = 1;
  #goneWith: Error | undefined;

  constructor(options: ClientOptions, first: { onFirstUp: () => void; onNeverUp: (error: Error) => void }) {
    this.#options = options;
    this.#first = first;
    this.timers = options.timers;
    this.newRequestId = options.newRequestId;
    this.#connection = new Connection(
      {
        openLink: options.openLink,
        timers: options.timers,
        firstSeconds: options.firstSeconds ?? 0,
        reconnectSeconds: options.reconnectSeconds ?? 60,
        random: options.random ?? Math.random,
      },
      {
        onUp: (link, serial) => this.#onUp(link, serial),
        onDown: () => this.#onDown(),
        onGone: (error) => this.#onGone(error),
        onMessage: (message) => this.#onMessage(message),
        onData: (piece) => {
          for (const listener of this.#listeners) listener.onData?.(piece);
        },
      },
    );
    this.#connection.need();
  }

  /** Sends a request and waits for its answer. Rejects with the server's MqError, or SERVER_UNREACHABLE. */
  request<N extends OperationName>(
    op: N,
    body: RequestOf<N>,
    options: CallOptions = {},
  ): Promise<ResponseOf<N>> {
    return new Promise((resolve, reject) => {
      this.call(op, body, options, { onAnswer: resolve, onError: reject });
    });
  }

  /** As `request`, for whoever must see the answer before the events that come right behind it. */
  call<N extends OperationName>(
    op: N,
    body: RequestOf<N>,
    options: CallOptions,
    handlers: CallHandlers<N>,
  ): void {
    if (this.#goneWith) {
      handlers.onError(this.#goneWith);
      return;
    }
    if (options.signal?.aborted) {
      handlers.onError(abortError(options.signal));
      return;
    }
    const id = this.#nextId++;
    // The table of operations joins name and body; a union over all names can't say so.
    const request = { id, op, body } as unknown as Pending['request'];
    const pending: Pending = {
      request,
      repeats: options.repeat !== 'never',
      handlers: handlers as unknown as CallHandlers<OperationName>,
      dispose: this.#limit(id, op, options),
      sentOn: 0,
      timesSent: 0,
      refusals: 0,
    };
    this.#pending.set(id, pending);
    if (this.#link) this.#send(pending, this.#link);
    else this.#connection.need();
  }

  /** Sends a piece of an upload. Resolves when more may be sent; on a lost connection the piece is lost with it. */
  async sendData(piece: DataPiece): Promise<void> {
    await this.#link?.sendData(piece);
  }

  /** False while the link is lost: then `onReconnect` will be called, or `onGone`. */
  get isUp(): boolean {
    return this.#link !== undefined;
  }

  newStreamId(): number {
    return this.#nextStream++;
  }

  /** Until the function it returns is called, the listener hears everything and a lost link is opened again. */
  listen(listener: ClientListener): () => void {
    this.#listeners.add(listener);
    this.#connection.need();
    return () => this.#listeners.delete(listener);
  }

  /** Closes the connection. Unanswered requests are dropped, and their promises stay open. */
  close(): void {
    this.#goneWith = new MqError('SERVER_UNREACHABLE', 'This client has closed its connection.');
    this.#connection.close();
    for (const pending of this.#pending.values()) pending.dispose();
    this.#pending.clear();
    this.#listeners.clear();
  }

  #limit(id: number, op: OperationName, { signal, timeoutMs = requestMsDefault }: CallOptions): () => void {
    const onAbort = () => this.#fail(id, signal ? abortError(signal) : new Error('aborted'));
    signal?.addEventListener('abort', onAbort, { once: true });
    const callOff =
      timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : this.timers.after(timeoutMs, () =>
            this.#fail(
              id,
              new MqError(
                'SERVER_UNREACHABLE',
                `The server has not answered '${op}' in ${timeoutMs / 1000} s.`,
              ),
            ),
          );
    return () => {
      signal?.removeEventListener('abort', onAbort);
      callOff?.();
    };
  }

  #send(pending: Pending, link: Link): void {
    pending.sentOn = this.#serial;
    pending.timesSent += 1;
    link.send(pending.timesSent > 1 ? { ...pending.request, again: true } : pending.request);
  }

  #onUp(link: Link, serial: number): void {
    this.#link = link;
    this.#serial = serial;
    if (this.#first) {
      this.#first.onFirstUp();
      this.#first = undefined;
    } else {
      this.#options.onLink?.('up');
      for (const listener of [...this.#listeners]) listener.onReconnect?.();
    }
    for (const pending of [...this.#pending.values()]) {
      if (pending.sentOn !== serial) this.#send(pending, link);
    }
  }

  #onDown(): boolean {
    this.#link = undefined;
    for (const [id, pending] of [...this.#pending]) {
      if (!pending.repeats && pending.timesSent > 0)
        this.#fail(id, new ConnectionLostError(pending.request.op));
    }
    const isNeeded = this.#pending.size > 0 || this.#listeners.size > 0;
    if (isNeeded) this.#options.onLink?.('lost');
    return isNeeded;
  }

  #onGone(error: Error): void {
    this.#goneWith = error;
    this.#first?.onNeverUp(error);
    this.#first = undefined;
    for (const id of [...this.#pending.keys()]) this.#fail(id, error);
    for (const listener of [...this.#listeners]) listener.onGone?.(error);
    this.#listeners.clear();
  }

  #onMessage(message: ChannelMessage): void {
    if ('id' in message) {
      if (message.ok) this.#answer(message.id, message.body as ResponseOf<OperationName>);
      else this.#refuse(message.id, message.error);
    } else if (message.event === 'ping') {
      this.#link?.send({ pong: message.nonce });
    } else {
      for (const listener of [...this.#listeners]) listener.onEvent?.(message);
    }
  }

  #answer(id: number, body: ResponseOf<OperationName>): void {
    const pending = this.#take(id);
    pending?.handlers.onAnswer(body, { repeated: pending.timesSent > 1 });
  }

  /** TRY_AGAIN is tried again here, under the same request id; every other refusal is the caller's. */
  #refuse(id: number, error: WireError): void {
    const pending = this.#pending.get(id);
    if (error.code !== 'TRY_AGAIN' || !pending?.repeats || pending.refusals >= tryAgainMax) {
      this.#fail(id, MqError.fromWire(error));
      return;
    }
    pending.refusals += 1;
    const serial = this.#serial;
    this.timers.after(backOffMs(pending.refusals + 1, 0), () => {
      if (this.#pending.has(id) && this.#link && serial === this.#serial) this.#send(pending, this.#link);
    });
  }

  #fail(id: number, error: Error): void {
    this.#take(id)?.handlers.onError(error);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.dispose();
    return pending;
  }
}

/** Why the signal was aborted, as an Error. */
export function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason });
}
