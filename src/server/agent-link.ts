// One connection to an agent, as frames: reads messages, writes messages, and moves files to it. What the messages
// mean is agents.ts.
import type { Duplex } from 'node:stream';
import { encodeData, encodeJson, type Frame, FrameReader } from '../platform/frames.ts';
import type { AgentToServer, ServerToAgent } from '../protocol/agent-messages.ts';
import { checkAgentMessage } from './agent-message.ts';

const payloadBytesMax = 8 * 1024 * 1024;

export interface AgentLinkEvents {
  /** What comes behind it waits for the promise, where there is one. */
  readonly onMessage: (message: AgentToServer) => Promise<void> | undefined;
  /** Console bytes; the link is read on when it resolves. */
  readonly onConsole: (frame: { job: number; offset: number; atMs: number; bytes: Buffer }) => Promise<void>;
  readonly onClose: (error: Error | undefined) => void;
}

export class AgentLink {
  readonly #stream: Duplex;
  readonly #events: AgentLinkEvents;
  readonly #reader = new FrameReader({ payloadBytesMax });
  #closed = false;
  #chain: Promise<void> = Promise.resolve();

  constructor(stream: Duplex, events: AgentLinkEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('error', (error) => this.close(error));
    stream.on('end', () => this.close());
    stream.on('close', () => this.close());
  }

  send(message: ServerToAgent): void {
    if (!this.#closed) this.#stream.write(encodeJson(message));
  }

  /** Resolves when what was sent has left, or the connection has. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed || this.#stream.writableLength === 0) return resolve();
      // Nothing more, behind all that was sent; 'drain' comes only where that was too much at once.
      this.#stream.write('', () => resolve());
      this.#stream.once('close', resolve);
    });
  }

  /** Sends the pieces as data frames of one stream, at the pace of the link. */
  async sendFile(streamId: number, pieces: AsyncIterable<Buffer>): Promise<void> {
    let offset = 0;
    for await (const bytes of pieces) {
      if (this.#closed) return;
      const [head, body] = encodeData({ streamId, offset, atMs: 0, bytes });
      this.#stream.write(head);
      const isReady = this.#stream.write(body);
      offset += bytes.length;
      if (!isReady) await this.#drained();
    }
  }

  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.destroy();
    this.#events.onClose(error);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#stream.off('drain', done);
        this.#stream.off('close', done);
        resolve();
      };
      this.#stream.on('drain', done);
      this.#stream.on('close', done);
    });
  }

  /** Frames are handled one after the other, so that a message behind console bytes finds them written. */
  #onData(chunk: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch (error) {
      return this.close(error instanceof Error ? error : new Error(String(error)));
    }
    this.#stream.pause();
    this.#chain = this.#chain
      .then(() => this.#handle(frames))
      .then(
        () => void this.#stream.resume(),
        (error: unknown) => this.close(error instanceof Error ? error : new Error(String(error))),
      );
  }

  async #handle(frames: readonly Frame[]): Promise<void> {
    for (const frame of frames) {
      if (this.#closed) return;
      if (frame.kind === 'data') {
        await this.#events.onConsole({ ...frame, job: frame.streamId });
        continue;
      }
      const checked = checkAgentMessage(frame.value);
      if (checked.kind === 'bad') throw new Error(`the agent sent ${checked.why}`);
      // One of a newer agent is passed over.
      if (checked.kind === 'message') await this.#events.onMessage(checked.message);
    }
  }
}
