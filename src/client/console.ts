// Reads the console of a job by offset: every byte once and in order, over reconnects and however slowly it is
// consumed. A reader that falls behind closes the stream at the server and asks again when it has caught up, so that
// the connection is never blocked: pings and answers keep passing. States:
//   asking: `console` is sent;  streaming: bytes come;  closing: `console-close` is sent, bytes on the way still count;
//   resting: closed until the consumer has caught up;  ended: all was received.
import type { ChannelEvent } from '../protocol/channel.ts';
import { errorClasses, MqError } from '../protocol/errors.ts';
import { backOffMs } from './back-off.ts';
import { abortError, type Client, ConnectionLostError } from './client.ts';
import type { DataPiece } from './link.ts';

export type ConsolePiece =
  | { readonly kind: 'bytes'; readonly offset: number; readonly atMs: number; readonly bytes: Uint8Array }
  /** Bytes that the server did not keep. */
  | { readonly kind: 'gap'; readonly offset: number; readonly length: number };

export interface ConsoleOptions {
  /** First byte wanted. Default: 0. */
  readonly from?: number;
  /** false: only what is there now. Default: to the end of the job. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
  /** Bytes held for a slow consumer. Default: 1 MiB; what is on the way comes on top. */
  readonly bufferBytes?: number;
}

const failuresMax = 5;

/**
 * The pieces of a job's console. Ends when the job has ended and all its bytes were given out. Throws UNKNOWN_JOB,
 * SERVER_UNREACHABLE, or the signal's reason. At most one reader for each job and client.
 */
export async function* readConsole(
  client: Client,
  job: number,
  options: ConsoleOptions = {},
): AsyncGenerator<ConsolePiece, void, undefined> {
  const reader = new ConsoleReader(client, job, options);
  try {
    for (let piece = await reader.next(); piece !== undefined; piece = await reader.next()) yield piece;
  } finally {
    reader.close();
  }
}

class ConsoleReader {
  readonly #client: Client;
  readonly #job: number;
  readonly #options: ConsoleOptions;
  readonly #bufferBytes: number;
  readonly #queue: ConsolePiece[] = [];
  readonly #stopListening: () => void;
  #state: 'asking' | 'streaming' | 'closing' | 'resting' | 'ended' = 'asking';
  #queuedBytes = 0;
  /** Offset of the first byte that was not received yet. */
  #next: number;
  #failures = 0;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #serial = 0;

  constructor(client: Client, job: number, options: ConsoleOptions) {
    this.#client = client;
    this.#job = job;
    this.#options = options;
    this.#next = options.from ?? 0;
    this.#bufferBytes = options.bufferBytes ?? 1024 * 1024;
    this.#stopListening = client.listen({
      onData: (piece) => this.#onData(piece),
      onEvent: (event) => this.#onEvent(event),
      onReconnect: () => this.#onReconnect(),
      onGone: (error) => this.#end(error),
    });
    options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#onAbort();
    else this.#ask();
  }

  readonly #onAbort = (): void => {
    this.#queue.length = 0;
    this.#end(this.#options.signal ? abortError(this.#options.signal) : new Error('aborted'));
  };

  /** The next piece; undefined after the last. */
  async next(): Promise<ConsolePiece | undefined> {
    for (;;) {
      const piece = this.#queue.shift();
      if (piece) {
        if (piece.kind === 'bytes') this.#queuedBytes -= piece.bytes.length;
        if (this.#state === 'resting' && this.#queuedBytes <= this.#bufferBytes / 2) this.#ask();
        return piece;
      }
      if (this.#error) throw this.#error;
      if (this.#state === 'ended') return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stopListening();
    if (this.#client.isUp && (this.#state === 'streaming' || this.#state === 'asking')) {
      this.#client.call(
        'console-close',
        { job: this.#job },
        { repeat: 'never' },
        { onAnswer() {}, onError() {} },
      );
    }
    this.#state = 'ended';
  }

  #ask(): void {
    this.#state = 'asking';
    this.#serial += 1;
    if (!this.#client.isUp) return; // it will be done at the reconnect
    const serial = this.#serial;
    const body = { job: this.#job, from: this.#next, follow: this.#options.follow ?? true };
    this.#client.call(
      'console',
      body,
      { repeat: 'never' },
      {
        onAnswer: () => {
          if (serial === this.#serial && this.#state === 'asking') this.#state = 'streaming';
        },
        // A lost connection is dealt with when it is back.
        onError: (error) => {
          if (serial === this.#serial && !(error instanceof ConnectionLostError)) this.#onFailure(error);
        },
      },
    );
  }

  #onReconnect(): void {
    if (this.#state === 'ended') return;
    if (this.#queuedBytes <= this.#bufferBytes / 2) this.#ask();
    else this.#state = 'resting';
  }

  #onData({ streamId, offset, atMs, bytes }: DataPiece): void {
    if (streamId !== this.#job || this.#state === 'ended' || this.#state === 'resting') return;
    const end = offset + bytes.length;
    if (end <= this.#next) return;
    if (offset > this.#next) this.#gap(this.#next, offset - this.#next);
    const fresh = bytes.subarray(this.#next - offset);
    this.#push({ kind: 'bytes', offset: this.#next, atMs, bytes: fresh });
    this.#next = end;
    this.#queuedBytes += fresh.length;
    this.#failures = 0;
    if (this.#queuedBytes > this.#bufferBytes && this.#state !== 'closing') this.#pause();
  }

  #pause(): void {
    this.#state = 'closing';
    this.#serial += 1;
    const serial = this.#serial;
    this.#client.call(
      'console-close',
      { job: this.#job },
      { repeat: 'never' },
      {
        onAnswer: () => this.#onClosed(serial),
        onError: (error) => {
          if (!(error instanceof ConnectionLostError)) this.#onClosed(serial);
        },
      },
    );
  }

  #onClosed(serial: number): void {
    if (serial !== this.#serial || this.#state !== 'closing') return;
    if (this.#queuedBytes <= this.#bufferBytes / 2) this.#ask();
    else this.#state = 'resting';
  }

  #onEvent(event: ChannelEvent): void {
    if (!('job' in event) || event.job !== this.#job) return;
    if (this.#state === 'ended' || this.#state === 'resting') return;
    if (event.event === 'console-gap') {
      const end = event.offset + event.length;
      if (end > this.#next) this.#gap(this.#next, end - this.#next);
    } else if (event.event === 'console-end') {
      if (event.length > this.#next) this.#gap(this.#next, event.length - this.#next);
      this.#end(undefined);
    } else if (event.event === 'console-error') {
      this.#onFailure(new MqError(event.code, event.message));
    }
  }

  /** Asks again after a while; gives up after a few times without a byte. */
  #onFailure(error: Error): void {
    this.#failures += 1;
    const isFinal =
      error instanceof MqError && !errorClasses[error.code].retryable && error.code !== 'INTERNAL';
    if (isFinal || this.#failures > failuresMax) {
      this.#end(error);
      return;
    }
    this.#state = 'asking';
    this.#serial += 1;
    const serial = this.#serial;
    this.#client.timers.after(backOffMs(this.#failures + 1, 0), () => {
      if (serial === this.#serial && this.#state === 'asking') this.#ask();
    });
  }

  #gap(offset: number, length: number): void {
    this.#push({ kind: 'gap', offset, length });
    this.#next = offset + length;
  }

  #push(piece: ConsolePiece): void {
    this.#queue.push(piece);
    this.#wake?.();
  }

  #end(error: Error | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#error = error;
    this.#wake?.();
  }
}
