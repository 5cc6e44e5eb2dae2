// What the client needs of a connection and of a clock. Both are passed in: the command line opens a unix socket,
// others may bring a WebSocket. Types only.
import type { ChannelMessage, ChannelRequest } from '../protocol/channel.ts';

/** Bytes of one stream: console bytes of a job towards the client, an upload towards the server. */
export interface DataPiece {
  readonly streamId: number;
  /** Where in the stream the first byte stands. */
  readonly offset: number;
  /** When the bytes came, in milliseconds of the sender's wall clock. */
  readonly atMs: number;
  /** May be a view of a larger buffer. */
  readonly bytes: Uint8Array;
}

/** An open connection that speaks messages and data. Nothing is delivered after `onClose`. */
export interface Link {
  /** Never blocks and never throws; what is sent on a closed link is lost. */
  send(message: ChannelRequest): void;
  /** Resolves when the connection takes more. Never rejects; on a closed link it resolves at once. */
  sendData(piece: DataPiece): Promise<void>;
  close(): void;
}

export interface LinkHandlers {
  onMessage(message: ChannelMessage): void;
  onData(piece: DataPiece): void;
  /** Called once. An MqError that is not retryable means that another attempt would end the same way. */
  onClose(error: Error | undefined): void;
}

/**
 * Opens a connection to the server. Resolves as soon as messages may be sent, which is before the server has
 * said anything. Rejects when there is no server, or when the signal aborts.
 */
export type OpenLink = (handlers: LinkHandlers, options: { readonly signal: AbortSignal }) => Promise<Link>;

export interface Timers {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `action` once after `ms` milliseconds; the function it returns calls that off. */
  after(ms: number, action: () => void): () => void;
}
