// The agent's connection to its server, over any byte stream: checks what comes, hands it on in order, and sends. What
// the messages do is agent.ts; when console bytes are sent is console-pump.ts.
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
  /** Once. Nothing comes afterwards. */
  readonly onClose: () => void;
}

export class ServerLink {
  readonly #stream: Duplex;
  readonly #events: ServerLinkEvents;
  readonly #logger: Logger;
  readonly #reader = new FrameReader({ payloadBytesMax: messageBytesMax });
  #isClosed = false;
  #handling: Promise<void> = Promise.resolve();
  #writable: PromiseWithResolvers<void> | undefined;

  constructor(stream: Duplex, logger: Logger, events: ServerLinkEvents) {
    this.#stream = stream;
    this.#logger = logger;
    this.#events = events;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('drain', () => this.#onWritable());
    stream.on('error', () => this.close());
    stream.on('end', () => this.close());
    stream.on('close', () => this.close());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(message: AgentToServer): void {
    if (this.#isClosed) return;
    this.#stream.write(encodeJson(message));
    if (this.#stream.writableLength > unsentBytesMax) {
      this.#logger.error('the server does not read what it is sent; the connection is cut');
      this.close();
    }
  }

  /** Console bytes, at once; look at `isFull` before. The stream keeps the buffer until it is sent. */
  sendConsole(piece: { job: number; offset: number; atMs: number; bytes: Uint8Array }): void {
    if (this.#isClosed) return;
    const { job, offset, atMs, bytes } = piece;
    const [head, body] = encodeData({ streamId: job, offset, atMs, bytes });
    this.#stream.cork();
    this.#stream.write(head);
    this.#stream.write(body);
    this.#stream.uncork();
  }

  /** More than the connection takes now is on its way: what can wait should. */
  get isFull(): boolean {
    return !this.#isClosed && this.#stream.writableNeedDrain;
  }

  /** Resolves when the link is not full, or is closed. */
  async writable(): Promise<void> {
    if (!this.isFull) return;
    this.#writable ??= Promise.withResolvers();
    await this.#writable.promise;
  }

  /** Lets what was sent arrive, then closes. */
  async leave(): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('close', () => resolve());
      this.#stream.end(() => resolve());
    });
    this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.destroy();
    this.#onWritable();
    this.#events.onClose();
  }

  #onWritable(): void {
    this.#writable?.resolve();
    this.#writable = undefined;
  }

  /** Frames are handled one after the other, also when image bytes have to wait for the disk. */
  #onData(chunk: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch (error) {
      this.#logger.error('the server sent what is no frame', { error });
      return this.close();
    }
    this.#stream.pause();
    this.#handling = this.#handling
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
      if (this.#isClosed) return;
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
