// The agent's connection to its server: checks what comes, sends messages, and streams the consoles of jobs from their
// spools, each from the offset the server has. What the messages do is agent.ts.
import type { Duplex } from 'node:stream';
import { encodeData, encodeJson, type Frame, FrameReader } from '../platform/frames.ts';
import type { Logger } from '../platform/logger.ts';
import type { AgentToServer, ServerToAgent } from '../protocol/agent-messages.ts';
import { messageBytesMax, unsentBytesMax } from './limits.ts';
import { checkServerMessage } from './server-message.ts';

export interface ServerLinkEvents {
  readonly onMessage: (message: ServerToAgent) => void;
  /** Bytes of an image; the link is read on when it resolves. */
  readonly onImage: (frame: { transfer: number; offset: number; bytes: Buffer }) => Promise<void>;
  readonly onClose: () => void;
}

export class ServerLink {
  readonly #stream: Duplex;
  readonly #events: ServerLinkEvents;
  readonly #logger: Logger;
  readonly #reader = new FrameReader({ payloadBytesMax: messageBytesMax });
  readonly #closed = new AbortController();
  #chain: Promise<void> = Promise.resolve();

  constructor(stream: Duplex, logger: Logger, events: ServerLinkEvents) {
    this.#stream = stream;
    this.#logger = logger;
    this.#events = events;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('error', () => this.close());
    stream.on('end', () => this.close());
    stream.on('close', () => this.close());
  }

  /** Aborts when the connection has ended. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  send(message: AgentToServer): void {
    if (this.#closed.signal.aborted) return;
    this.#stream.write(encodeJson(message));
    if (this.#stream.writableLength > unsentBytesMax) this.close();
  }

  /** Console bytes; resolves when the connection takes more, so that a slow server costs no memory. */
  async sendConsole(piece: { job: number; offset: number; atMs: number; bytes: Uint8Array }): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const [head, body] = encodeData({ streamId: piece.job, ...piece });
    this.#stream.write(head);
    if (this.#stream.write(body)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#stream.off('drain', done);
        this.#stream.off('close', done);
        resolve();
      };
      this.#stream.on('drain', done);
      this.#stream.on('close', done);
    });
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#stream.destroy();
    this.#events.onClose();
  }

  #onData(chunk: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch (error) {
      this.#logger.error('the server sent what is no frame', { error });
      return this.close();
    }
    this.#stream.pause();
    this.#chain = this.#chain
      .then(() => this.#handle(frames))
      .then(
        () => void this.#stream.resume(),
        (error: unknown) => {
          this.#logger.error('a message of the server could not be handled', { error });
          this.close();
        },
      );
  }

  async #handle(frames: readonly Frame[]): Promise<void> {
    for (const frame of frames) {
      if (this.#closed.signal.aborted) return;
      if (frame.kind === 'data') {
        await this.#events.onImage({ transfer: frame.streamId, offset: frame.offset, bytes: frame.bytes });
        continue;
      }
      const checked = checkServerMessage(frame.value);
      if (checked.kind === 'message') this.#events.onMessage(checked.message);
      else if (checked.kind === 'unknown')
        this.#logger.warn('an unknown message was passed over', { type: checked.type });
      else throw new Error(checked.why);
    }
  }
}
