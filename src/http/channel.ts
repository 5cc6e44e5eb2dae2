// One client's channel: frames in, operations out. Checks every body against its schema, answers in any order, sends
// events and console bytes at the pace of the connection.
import type { Socket } from 'node:net';
import { Compile, type Validator } from 'typebox/compile';
import type { Caller } from '../domain/commands.ts';
import { encodeData, encodeJson, type Frame, FrameReader } from '../platform/frames.ts';
import { type ChannelMessage, messageBytesMax } from '../protocol/channel.ts';
import { MqError } from '../protocol/errors.ts';
import { type OperationName, operations } from '../protocol/operations.ts';
import type { LabServer } from '../server/lab-server.ts';
import type { Call, Handler } from '../server/operations/call.ts';
import { handlers } from '../server/operations/table.ts';
import type { ChannelPort, Session } from '../server/sessions.ts';
import type { Admitted } from './door.ts';
import { Uploads } from './uploads.ts';

/** Requests of one channel under way at once; a client that sends more is read no further. */
const callsMax = 256;
/** Bytes of answers and events that may wait for a client that does not read; beyond it the channel is cut. */
const waitingBytesMax = 64 * 1024 * 1024;

const validators = new Map<OperationName, Validator>(
  (Object.keys(operations) as OperationName[]).map((name) => [name, Compile(operations[name].request)]),
);

export interface ChannelOptions extends Admitted {
  readonly lab: LabServer;
  readonly socket: Socket;
  /** Bytes that came behind the upgrade. */
  readonly head: Buffer;
}

/** Serves the channel until its connection ends. */
export function serveChannel(options: ChannelOptions): void {
  new Channel(options).start(options.head);
}

class Channel implements ChannelPort {
  readonly isPeerGone: () => boolean;
  readonly #caller: () => Caller;
  readonly #lab: LabServer;
  readonly #socket: Socket;
  readonly #reader = new FrameReader({ payloadBytesMax: messageBytesMax });
  readonly #session: Session;
  readonly #uploads: Uploads;
  #calls = 0;
  #closed = false;
  #hasHeard = true;
  #silence: NodeJS.Timeout | undefined;

  constructor(options: ChannelOptions) {
    this.#caller = options.caller;
    this.isPeerGone = options.isPeerGone;
    this.#lab = options.lab;
    this.#socket = options.socket;
    this.#session = options.lab.sessions.open(this);
    this.#uploads = new Uploads(options.lab.images);
    if (options.silenceMaxMs !== undefined) this.#watchSilence(options.silenceMaxMs / 2);
  }

  get caller(): Caller {
    return this.#caller();
  }

  start(head: Buffer): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => this.#close());
    socket.on('end', () => this.#close());
    socket.on('close', () => this.#close());
    if (head.length > 0) this.#onData(head);
  }

  send(message: ChannelMessage): void {
    if (this.#closed) return;
    this.#socket.write(encodeJson(message));
    if (this.#socket.writableLength > waitingBytesMax) this.#close();
  }

  async sendData(frame: {
    streamId: number;
    offset: number;
    atMs: number;
    bytes: Uint8Array;
  }): Promise<void> {
    if (this.#closed) return;
    const [header, bytes] = encodeData(frame);
    this.#socket.write(header);
    if (this.#socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }

  /** A half-open connection says nothing, and not even that: so the peer is asked, by a ping that is nobody's else. */
  #watchSilence(everyMs: number): void {
    this.#silence = setInterval(() => {
      if (!this.#hasHeard && !this.#socket.isPaused()) return this.#close();
      this.#hasHeard = false;
      this.send({ event: 'ping', nonce: 0 });
    }, everyMs);
    this.#silence.unref();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#silence);
    this.#uploads.close();
    this.#lab.sessions.close(this.#session);
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#hasHeard = true;
    let frames: Frame[];
    try {
      frames = this.#reader.push(chunk);
    } catch (error) {
      this.#lab.logger.warn('a client sent what is no frame', { user: this.caller.user, error });
      return this.#close();
    }
    for (const frame of frames) {
      // Nobody would hear of what is begun now, nor end it.
      if (this.#closed) return;
      if (frame.kind === 'data') this.#uploads.take(frame, (ready) => this.#pauseUntil(ready));
      else this.#onMessage(frame.value);
    }
  }

  #pauseUntil(ready: Promise<void>): void {
    this.#socket.pause();
    ready.finally(() => this.#socket.resume());
  }

  #onMessage(value: unknown): void {
    const message = value as {
      pong?: unknown;
      id?: unknown;
      op?: unknown;
      body?: unknown;
      again?: unknown;
    } | null;
    if (typeof message?.pong === 'number') return this.#lab.sessions.pong(this.#session, message.pong);
    const { id, op } = message ?? {};
    if (typeof id !== 'number' || typeof op !== 'string') return this.#close();
    this.#calls += 1;
    if (this.#calls >= callsMax) this.#socket.pause();
    this.#carryOut(op, message?.body, message?.again === true)
      .then((body) => this.send({ id, ok: true, body } as ChannelMessage))
      .catch((error: unknown) => this.send({ id, ok: false, error: this.#asMqError(error, op).toWire() }))
      .finally(() => {
        this.#calls -= 1;
        if (this.#calls < callsMax) this.#socket.resume();
      });
  }

  async #carryOut(op: string, body: unknown, again: boolean): Promise<unknown> {
    const name = op as OperationName;
    const validator = Object.hasOwn(operations, op) ? validators.get(name) : undefined;
    if (!validator) throw new MqError('BAD_REQUEST', `There is no operation '${op.slice(0, 64)}'.`);
    if (!validator.Check(body)) throw badBody(op, validator, body);
    const call: Call = {
      lab: this.#lab,
      caller: this.caller,
      session: this.#session,
      again,
      signal: this.#session.closed.signal,
    };
    if (name === 'put-image') return this.#uploads.receive(body as Parameters<Uploads['receive']>[0]);
    return (handlers[name] as Handler<OperationName>)(call, body as never);
  }

  #asMqError(error: unknown, op: string): MqError {
    if (error instanceof MqError) return error;
    this.#lab.logger.error('an operation failed', { op, error });
    return new MqError('INTERNAL', 'The server failed inside. Its log has the details.');
  }
}

function badBody(op: string, validator: Validator, body: unknown): MqError {
  const [first] = validator.Errors(body);
  const path = first?.instancePath.slice(1, 200).replaceAll('/', '.');
  const place = path ? `${path}: ` : '';
  return new MqError(
    'BAD_REQUEST',
    `${op}: ${place}${first?.message ?? 'the request does not fit its schema'}.`,
  );
}
