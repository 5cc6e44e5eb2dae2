// The leanest client there is: requests and events over the server's channel, several tickets on one connection.
// It neither reconnects nor repeats, so that what is measured is the server.
import { connect, type Socket } from 'node:net';
import { encodeJson, FrameReader } from '../../src/platform/frames.ts';
import { IdSource } from '../../src/platform/ids.ts';
import type { ChannelEvent, ChannelMessage } from '../../src/protocol/channel.ts';
import { channelPath, channelUpgrade, messageBytesMax } from '../../src/protocol/channel.ts';
import type { OperationName, RequestOf, ResponseOf } from '../../src/protocol/operations.ts';
import type { TicketView } from '../../src/protocol/views.ts';

interface Waiting {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Body<N extends OperationName> = Omit<RequestOf<N>, 'requestId'>;

const ids = new IdSource();
const answerMsMax = 120_000;

export class BenchChannel {
  /** Told of every event but pings, which are answered here. */
  onEvent: (event: ChannelEvent) => void = () => undefined;
  readonly #socket: Socket;
  readonly #reader = new FrameReader({ payloadBytesMax: messageBytesMax });
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #head = Buffer.alloc(0);
  #isUp = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the server closed the channel'));
    });
  }

  /** Resolves when the server has answered: a thousand at once would not fit in its backlog. */
  static open(path: string): Promise<BenchChannel> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      const channel = new BenchChannel(socket);
      socket.once('data', () => resolve(channel));
      socket.once('error', reject);
      const upgrade = `Connection: Upgrade\r\nUpgrade: ${channelUpgrade}\r\n\r\n`;
      socket.write(`GET ${channelPath} HTTP/1.1\r\nHost: mq\r\n${upgrade}`);
    });
  }

  /** Sends a request that changes something, under an id of its own. */
  change<N extends OperationName>(op: N, body: Body<N>): Promise<ResponseOf<N>> {
    return this.ask(op, { ...body, requestId: ids.next() } as unknown as RequestOf<N>);
  }

  ask<N extends OperationName>(op: N, body: RequestOf<N>): Promise<ResponseOf<N>> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.#socket.write(encodeJson({ id, op, body }));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    let bytes = chunk;
    if (!this.#isUp) {
      this.#head = Buffer.concat([this.#head, chunk]);
      const at = this.#head.indexOf('\r\n\r\n');
      if (at < 0) return;
      this.#isUp = true;
      bytes = this.#head.subarray(at + 4);
    }
    for (const frame of this.#reader.push(bytes)) {
      if (frame.kind === 'json') this.#onMessage(frame.value as ChannelMessage);
    }
  }

  #onMessage(message: ChannelMessage): void {
    if ('event' in message) {
      if (message.event === 'ping') this.#socket.write(encodeJson({ pong: message.nonce }));
      else this.onEvent(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.ok) waiting?.resolve(message.body);
    else waiting?.reject(new Error(`${message.error.code}: ${message.error.message}`));
  }
}

export type Offer = Extract<TicketView, { state: 'offered' }>;

/** Offers as they come on a channel, by ticket. */
export class Offers {
  readonly #waiting = new Map<number, (offer: Offer) => void>();
  readonly #early = new Map<number, Offer>();

  constructor(channel: BenchChannel) {
    channel.onEvent = (event) => {
      if (event.event !== 'ticket' || event.view.state !== 'offered') return;
      const waiting = this.#waiting.get(event.view.ticket);
      this.#waiting.delete(event.view.ticket);
      if (waiting) waiting(event.view);
      else this.#early.set(event.view.ticket, event.view);
    };
  }

  /** The offer for a ticket: the one of its submit's answer, or the one that comes. */
  async of(ticket: number, view: TicketView): Promise<Offer> {
    const offer = view.state === 'offered' ? view : this.#early.get(ticket);
    this.#early.delete(ticket);
    if (offer) return offer;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no offer for ticket ${ticket}`)), answerMsMax);
      this.#waiting.set(ticket, (found) => {
        clearTimeout(late);
        resolve(found);
      });
    });
  }
}
