// The server's end of an agent's connection for tests: keeps consoles as a server does, and fails a test at the first
// byte that is lost or doubled.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { encodeData, encodeJson, FrameReader } from '../../src/platform/frames.ts';
import type { AgentBoard, AgentToServer, ServerToAgent } from '../../src/protocol/agent-messages.ts';
import type { FileRef, JobSpec } from '../../src/protocol/schema.ts';

type MessageOf<T extends AgentToServer['type']> = Extract<AgentToServer, { type: T }>;

/** What outlives a connection: the consoles, as `server`s of one test share them. */
export class TestStore {
  readonly consoles = new Map<number, Buffer[]>();
  readonly lengths = new Map<number, number>();
  readonly gaps: { job: number; offset: number; length: number }[] = [];
  readonly images = new Map<string, Buffer>();

  console(job: number): string {
    return Buffer.concat(this.consoles.get(job) ?? []).toString('latin1');
  }

  /** Makes an image known, as an upload does. */
  addImage(name: string, bytes: Buffer): FileRef {
    const hash = createHash('sha256').update(bytes).digest('hex');
    this.images.set(hash, bytes);
    return { name, hash, size: bytes.length };
  }
}

export interface TestServerOptions {
  readonly boards?: readonly AgentBoard[];
  readonly logBytesMax?: number;
  /** Sends no image by itself. */
  readonly holdsImages?: boolean;
  /** False: counts console bytes, and does not keep them. */
  readonly keepsConsoles?: boolean;
  /** Does not answer the agent's hello. */
  readonly staysSilent?: boolean;
  /** Breaks the connection when so many bytes have come. */
  readonly cutAfterBytes?: number;
}

export class TestServer {
  readonly store: TestStore;
  readonly received: AgentToServer[] = [];
  /** Messages and data frames in the order in which they came. */
  readonly order: string[] = [];
  readonly closed: Promise<void>;
  readonly #stream: Duplex;
  readonly #options: TestServerOptions;
  readonly #reader = new FrameReader({ payloadBytesMax: 8 * 1024 * 1024 });
  readonly #listeners = new Set<() => void>();
  #nonce = 0;

  constructor(stream: Duplex, store: TestStore, options: TestServerOptions = {}) {
    this.#stream = stream;
    this.store = store;
    this.#options = options;
    this.closed = new Promise((resolve) => stream.once('close', () => resolve()));
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('error', () => undefined);
  }

  send(message: ServerToAgent): void {
    if (this.#stream.destroyed) return;
    this.#stream.write(encodeJson(message));
  }

  sendBytes(streamId: number, offset: number, bytes: Uint8Array): void {
    for (const part of encodeData({ streamId, offset, atMs: 0, bytes })) this.#stream.write(part);
  }

  /** Does not answer the agent's hello. */
  readonly staysSilent?: boolean;
  /** Breaks the connection, whatever is on its way. */
  async cut(): Promise<void> {
    this.#stream.destroy();
    await this.closed;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Waits for something to be so, looking whenever something comes. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  /** The first message of this type that fits; waits for it. */
  async message<T extends AgentToServer['type']>(
    type: T,
    fits: (message: MessageOf<T>) => boolean = () => true,
  ): Promise<MessageOf<T>> {
    const find = () => this.all(type).find(fits);
    await this.until(() => find() !== undefined);
    return find() as MessageOf<T>;
  }

  all<T extends AgentToServer['type']>(type: T): MessageOf<T>[] {
    return this.received.filter((one): one is MessageOf<T> => one.type === type);
  }

  ended(job: number): Promise<MessageOf<'ended'>> {
    return this.message('ended', (one) => one.job === job);
  }

  /** What was sent before has been handled, and what follows from it at once has been done. */
  async settled(): Promise<void> {
    const nonce = ++this.#nonce;
    this.send({ type: 'ping', nonce });
    await this.message('pong', (one) => one.nonce === nonce);
    for (let round = 0; round < 5; round += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  welcome(hello: MessageOf<'hello'>): void {
    const consoleFrom = hello.jobs.map(({ id }) => ({ job: id, offset: this.store.lengths.get(id) ?? 0 }));
    const { boards = [], logBytesMax = 1024 * 1024 } = this.#options;
    this.send({ type: 'welcome', protocol: 1, server: 'test', boards, consoleFrom, logBytesMax });
  }

  /** Bytes that came from the agent. */
  receivedBytes = 0;

  #onData(chunk: Buffer): void {
    const roomBytes = (this.#options.cutAfterBytes ?? Number.POSITIVE_INFINITY) - this.receivedBytes;
    this.receivedBytes += chunk.length;
    if (chunk.length >= roomBytes) this.#stream.destroy();
    for (const frame of this.#reader.push(chunk.subarray(0, roomBytes))) {
      if (frame.kind === 'json') this.#onMessage(frame.value as AgentToServer);
      else this.#onConsole(frame.streamId, frame.offset, frame.bytes);
    }
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  #onMessage(message: AgentToServer): void {
    if (this.received.length === 0) assert.equal(message.type, 'hello', 'the agent speaks first, with hello');
    this.received.push(message);
    this.order.push(message.type);
    if (message.type === 'hello' && this.#options.staysSilent !== true) this.welcome(message);
    if (message.type === 'need-image' && this.#options.holdsImages !== true) this.sendImage(message);
    if (message.type === 'console-gap') {
      const { job, offset, length } = message;
      assert.equal(offset, this.store.lengths.get(job) ?? 0, 'a gap begins where the console stands');
      this.store.gaps.push({ job, offset, length });
      this.store.lengths.set(job, offset + length);
    }
    if (
      message.type === 'ended' &&
      message.result.consoleLength > (this.store.lengths.get(message.job) ?? 0)
    ) {
      assert.fail('a result came before the end of its console');
    }
  }

  sendImage({ transfer, hash }: MessageOf<'need-image'>): void {
    const bytes = this.store.images.get(hash);
    if (bytes === undefined)
      return this.send({ type: 'image-missing', transfer, hash, why: 'no such image' });
    this.send({ type: 'image-size', transfer, hash, size: bytes.length });
    for (let offset = 0; offset < bytes.length; offset += 64 * 1024) {
      this.sendBytes(transfer, offset, bytes.subarray(offset, offset + 64 * 1024));
    }
  }

  #onConsole(job: number, offset: number, bytes: Buffer): void {
    this.order.push(`${job}@${offset}`);
    assert.equal(offset, this.store.lengths.get(job) ?? 0, `job ${job}: the console goes on where it stands`);
    this.store.lengths.set(job, offset + bytes.length);
    if (this.#options.keepsConsoles === false) return;
    const parts = this.store.consoles.get(job) ?? [];
    parts.push(Buffer.from(bytes));
    this.store.consoles.set(job, parts);
  }
}

/** What a job of a test asks for. */
export function testSpec(changes: Partial<JobSpec> = {}): JobSpec {
  return {
    kind: 'image',
    files: [],
    linux: false,
    endText: 'all is well',
    errorText: 'panic',
    timeoutSeconds: 60,
    keepOn: false,
    detached: false,
    ...changes,
  };
}
