// The channel: the leaner transport of the typed client. A client connects to the server's socket and sends
//
//   GET /v1/channel HTTP/1.1 / Host: mq / Connection: Upgrade / Upgrade: mq-channel
//
// The server answers 101, and from then on both sides speak frames (src/platform/frames.ts): JSON frames for
// the messages below, data frames for console bytes and uploads. Requests may be sent right behind the upgrade
// request, before the 101 has come. Answers come in any order; `id` joins them to their requests.
import type { ErrorCode, WireError } from './errors.ts';
import type { OperationName, RequestOf, ResponseOf } from './operations.ts';
import type { JobView, StatusView, TicketView } from './views.ts';

export const protocolVersion = 1;
export const channelPath = '/v1/channel';
export const channelUpgrade = 'mq-channel';
/** Header of the upgrade: what the channel goes through where the socket's peer is not the client itself, such as `ssh`. */
export const relayHeader = 'mq-relay';

/** Largest JSON frame either side takes. */
export const messageBytesMax = 4 * 1024 * 1024;

/** Client → server. `again`: it was sent before and its answer did not come, so it may have been carried out. */
export type ChannelRequest =
  | {
      [N in OperationName]: {
        readonly id: number;
        readonly op: N;
        readonly body: RequestOf<N>;
        readonly again?: true;
      };
    }[OperationName]
  | { readonly pong: number };

/** Server → client. */
export type ChannelAnswer =
  | {
      [N in OperationName]: { readonly id: number; readonly ok: true; readonly body: ResponseOf<N> };
    }[OperationName]
  | { readonly id: number; readonly ok: false; readonly error: WireError };

/** Server → client, unasked. A channel hears of the tickets that it submitted or attached to. */
export type ChannelEvent =
  | { readonly event: 'ticket'; readonly view: TicketView }
  /**
   * `message`: what the people who use it should know, such as who released the lock under it. A job's matchEnd is
   * told before any console byte behind it is sent, so that a client can print the console exactly up to it.
   */
  | { readonly event: 'job'; readonly job: JobView; readonly message?: string }
  | { readonly event: 'status'; readonly status: StatusView }
  /** Bytes that were not kept: the stream goes on at offset + length. */
  | { readonly event: 'console-gap'; readonly job: number; readonly offset: number; readonly length: number }
  /** The job has ended and all its console bytes were sent, or `follow` was false. */
  | { readonly event: 'console-end'; readonly job: number; readonly length: number }
  /** The stream broke off; ask again from the offset you have. */
  | {
      readonly event: 'console-error';
      readonly job: number;
      readonly code: ErrorCode;
      readonly message: string;
    }
  /** Answer `{ pong: nonce }` at once: only a client that lives is given a board that must be taken from somebody. */
  | { readonly event: 'ping'; readonly nonce: number }
  /** The server is leaving or restarting: connect again, tickets keep their place. */
  | { readonly event: 'bye'; readonly reason: string };

export type ChannelMessage = ChannelAnswer | ChannelEvent;
