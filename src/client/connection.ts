// Keeps a link to the server: opens it, opens it again when it breaks, and says when it gives up. Knows nothing of
// requests. States:
//   idle: no link and nobody needs one;  opening: attempts are under way;  up: a link is open;  gone: for good.
// Patience: a server that never said a word to us is tried again for `firstSeconds`, since it may be just restarting;
// one that did, until `reconnectSeconds` have passed since the link was lost.
import { errorClasses, MqError } from '../protocol/errors.ts';
import { backOffMs } from './back-off.ts';
import type { Link, LinkHandlers, OpenLink, Timers } from './link.ts';

const openMsMax = 10_000;

export interface ConnectionOptions {
  readonly openLink: OpenLink;
  readonly timers: Timers;
  readonly firstSeconds: number;
  readonly reconnectSeconds: number;
  readonly random: () => number;
}

export interface ConnectionHandlers extends Pick<LinkHandlers, 'onMessage' | 'onData'> {
  /** A link is open; `serial` rises with each. */
  onUp(link: Link, serial: number): void;
  /** The link broke. Returns whether anybody still needs the server. */
  onDown(): boolean;
  onGone(error: Error): void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  #state: 'idle' | 'opening' | 'up' | 'gone' = 'idle';
  #link: Link | undefined;
  #serial = 0;
  /** True once the server has said something, on any link. */
  #proven = false;
  /** True once the server has said something on this link. */
  #heard = false;
  #attempt = 0;
  #lostAt: number | undefined;
  #abort = new AbortController();

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  /** Starts to open a link unless one is open or on its way. */
  need(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'opening';
    this.#lostAt ??= this.#options.timers.now();
    this.#openSoon();
  }

  /** Closes the link for good; nothing is called any more. */
  close(): void {
    this.#state = 'gone';
    this.#abort.abort();
    this.#link?.close();
    this.#link = undefined;
  }

  #openSoon(): void {
    const waitMs = backOffMs(this.#attempt, this.#options.random());
    this.#attempt += 1;
    if (waitMs === 0) void this.#open();
    else {
      const callOff = this.#options.timers.after(waitMs, () => void this.#open());
      this.#abort.signal.addEventListener('abort', callOff, { once: true });
    }
  }

  async #open(): Promise<void> {
    if (this.#state === 'gone') return;
    const serial = this.#serial + 1;
    this.#serial = serial;
    this.#heard = false;
    const attempt = new AbortController();
    const giveUp = () => attempt.abort(new Error(`no connection within ${openMsMax / 1000} s`));
    this.#abort.signal.addEventListener('abort', giveUp, { once: true });
    const callOff = this.#options.timers.after(openMsMax, giveUp);
    try {
      const handlers = this.#handlersOf(serial);
      const link = await this.#options.openLink(handlers, { signal: attempt.signal });
      if (this.#isGone()) {
        link.close();
        return;
      }
      if (handlers.closed) throw handlers.closed.cause ?? new Error('the connection was closed');
      this.#link = link;
      this.#state = 'up';
      this.#handlers.onUp(link, serial);
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      callOff();
      this.#abort.signal.removeEventListener('abort', giveUp);
    }
  }

  /** What a link that was replaced still says is nobody's business. `closed` is set when a link breaks before it is up. */
  #handlersOf(serial: number): LinkHandlers & { closed?: { cause: Error | undefined } } {
    const isCurrent = () => serial === this.#serial && this.#state === 'up';
    const handlers: LinkHandlers & { closed?: { cause: Error | undefined } } = {
      onMessage: (message) => {
        if (!isCurrent()) return;
        this.#hear();
        this.#handlers.onMessage(message);
      },
      onData: (piece) => {
        if (isCurrent()) this.#handlers.onData(piece);
      },
      onClose: (error) => {
        if (isCurrent()) this.#lost(error);
        else handlers.closed = { cause: error };
      },
    };
    return handlers;
  }

  /** A link that the server answers on is good: the next one that breaks starts over with patience and back-off. */
  #hear(): void {
    if (this.#heard) return;
    this.#heard = true;
    this.#proven = true;
    this.#attempt = 0;
    this.#lostAt = undefined;
  }

  #lost(error: Error | undefined): void {
    this.#link = undefined;
    this.#lostAt ??= this.#options.timers.now();
    this.#state = 'idle';
    const isNeeded = this.#handlers.onDown();
    if (this.#isFinal(error)) this.#giveUp(error ?? new Error('the connection was closed'));
    else if (isNeeded) this.need();
  }

  #failed(error: Error): void {
    if (this.#isGone()) return;
    if (this.#isFinal(error)) this.#giveUp(error);
    else this.#openSoon();
  }

  #isGone(): boolean {
    return this.#state === 'gone';
  }

  #isFinal(error: Error | undefined): boolean {
    if (isRefusal(error)) return true;
    const lostMs = this.#options.timers.now() - (this.#lostAt ?? this.#options.timers.now());
    const { firstSeconds, reconnectSeconds } = this.#options;
    return lostMs >= (this.#proven ? reconnectSeconds : firstSeconds) * 1000;
  }

  #giveUp(cause: Error): void {
    this.#state = 'gone';
    this.#handlers.onGone(isRefusal(cause) ? cause : unreachable(cause));
  }
}

/** The server answered, and would answer the same again: it does not let this user in, or speaks another protocol. */
function isRefusal(error: Error | undefined): boolean {
  return error instanceof MqError && !errorClasses[error.code].retryable;
}

function unreachable(cause: Error): MqError {
  const details = cause instanceof MqError ? { ...cause.details } : {};
  return new MqError('SERVER_UNREACHABLE', `The server can't be reached: ${cause.message}.`, {
    cause,
    details,
  });
}
