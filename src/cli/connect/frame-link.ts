// A client's link over a byte stream: asks an HTTP server for the channel, then speaks frames on it. Messages may be
// sent at once; they travel right behind the request for the channel.
import type { Duplex } from 'node:stream';
import type { DataPiece, Link, LinkHandlers } from '../../client/link.ts';
import { encodeData, encodeJson, FrameReader } from '../../platform/frames.ts';
import {
  type ChannelMessage,
  channelPath,
  channelUpgrade,
  messageBytesMax,
  relayHeader,
} from '../../protocol/channel.ts';
import { type ErrorCode, errorClasses, MqError } from '../../protocol/errors.ts';
import { noteLostLink } from '../lost-link.ts';

const headBytesMax = 64 * 1024;

export interface FrameLinkOptions {
  /** What the bytes go through, where the server's peer is not this process: its end says nothing about ours. */
  readonly relay?: 'ssh';
  /** The server's name, and what proves who we are, where the kernel does not. */
  readonly host?: string;
  readonly token?: string;
  /** The server has agreed to the channel. */
  readonly onGranted?: () => void;
}

/** `stream` must be connected. The link owns it from here on. */
export function frameLink(stream: Duplex, handlers: LinkHandlers, options: FrameLinkOptions = {}): Link {
  return new FrameLink(stream, handlers, options);
}

class FrameLink implements Link {
  readonly #stream: Duplex;
  readonly #handlers: LinkHandlers;
  readonly #onGranted: (() => void) | undefined;
  readonly #reader = new FrameReader({ payloadBytesMax: messageBytesMax });
  /** Bytes of the answer to the upgrade; undefined once it was granted. */
  #head: Buffer | undefined = Buffer.alloc(0);
  #isClosed = false;
  #isCorked = false;
  #onDrain: (() => void)[] = [];

  constructor(stream: Duplex, handlers: LinkHandlers, options: FrameLinkOptions) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#onGranted = options.onGranted;
    stream.on('data', (chunk: Buffer) => this.#onBytes(chunk));
    stream.on('drain', () => this.#drained());
    stream.on('error', (error) => this.#close(error));
    stream.on('end', () => this.#close(this.#refusal()));
    stream.on('close', () => this.#close(undefined));
    this.#write(Buffer.from(upgradeRequest(options)));
  }

  send(message: unknown): void {
    if (!this.#isClosed) this.#write(encodeJson(message));
  }

  async sendData(piece: DataPiece): Promise<void> {
    if (this.#isClosed) return;
    const [header, bytes] = encodeData(piece);
    this.#write(header);
    if (this.#write(bytes)) return;
    await new Promise<void>((resolve) => this.#onDrain.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.destroy();
    this.#drained();
  }

  /** What is written in one turn goes out in one piece, the request for the channel with the first message. */
  #write(bytes: Buffer): boolean {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      setImmediate(() => {
        this.#isCorked = false;
        this.#stream.uncork();
      });
    }
    return this.#stream.write(bytes);
  }

  #drained(): void {
    for (const resolve of this.#onDrain.splice(0)) resolve();
  }

  #onBytes(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      const frames = this.#head === undefined ? chunk : this.#readHead(this.#head, chunk);
      if (frames) this.#readFrames(frames);
    } catch (error) {
      this.#close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Returns what follows the server's agreement, or undefined as long as that has not come. */
  #readHead(before: Buffer, chunk: Buffer): Buffer | undefined {
    const head = Buffer.concat([before, chunk]);
    this.#head = head;
    const end = head.indexOf('\r\n\r\n');
    if (end >= 0 && statusOf(head) === 101) {
      this.#head = undefined;
      this.#onGranted?.();
      return head.subarray(end + 4);
    }
    if (head.length > headBytesMax)
      throw new Error('the server answers with something that is not a channel');
    return undefined;
  }

  #readFrames(bytes: Buffer): void {
    for (const frame of this.#reader.push(bytes)) {
      if (this.#isClosed) return;
      if (frame.kind === 'data') this.#handlers.onData(frame);
      else this.#handlers.onMessage(frame.value as ChannelMessage);
    }
  }

  /** What the server said instead of granting the channel; undefined where it said nothing or had granted it. */
  #refusal(): Error | undefined {
    if (this.#head === undefined || this.#head.length === 0) return undefined;
    return refusalOf(this.#head);
  }

  #close(error: Error | undefined): void {
    if (this.#isClosed) return;
    noteLostLink();
    this.close();
    this.#handlers.onClose(error);
  }
}

function upgradeRequest({ relay, host = 'mq', token }: FrameLinkOptions): string {
  const lines = [
    `GET ${channelPath} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    `Upgrade: ${channelUpgrade}`,
    ...(relay === undefined ? [] : [`${relayHeader}: ${relay}`]),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function statusOf(head: Buffer): number | undefined {
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1', 0, 16));
  return match ? Number(match[1]) : undefined;
}

function refusalOf(head: Buffer): Error {
  const status = statusOf(head);
  if (status === undefined) return new Error('what answers there is not an mq server');
  const said = wireErrorOf(head.toString('utf8', head.indexOf('\r\n\r\n') + 4));
  if (said) return new MqError(said.code, said.message);
  const message = `The server refuses the connection (HTTP status ${status}).`;
  if (status === 403) return new MqError('NOT_ALLOWED', message);
  if (status >= 500 || status === 429) return new MqError('TRY_AGAIN', message);
  return new MqError('PROTOCOL_MISMATCH', `${message} It may be of another version than this mq.`);
}

/** The server's own words, from a body such as `{"code": "NOT_ALLOWED", "message": "…"}`, bare or under `error`. */
function wireErrorOf(body: string): { code: ErrorCode; message: string } | undefined {
  const start = body.indexOf('{');
  const end = body.lastIndexOf('}');
  if (start < 0 || end < start) return undefined;
  try {
    const value = JSON.parse(body.slice(start, end + 1)) as { error?: unknown } | null;
    const error = (value?.error ?? value) as { code?: unknown; message?: unknown } | null;
    if (typeof error?.code !== 'string' || typeof error.message !== 'string') return undefined;
    return Object.hasOwn(errorClasses, error.code)
      ? { code: error.code as ErrorCode, message: error.message }
      : undefined;
  } catch {
    return undefined;
  }
}
