// What a listener must know of whoever is at the other end of a request. Types only: each kind of socket has a door of its
// own (listen.ts, listen-tcp.ts).
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../domain/commands.ts';

export interface Admitted {
  /** Who it is, and what they may do by the present configuration. */
  readonly caller: () => Caller;
  /** Whether the process at the other end is known to have ended. */
  readonly isPeerGone: () => boolean;
  /** A peer over a network that does not answer for so long is gone, though nothing says so. Absent: the kernel tells. */
  readonly silenceMaxMs?: number;
}

export interface Door {
  /** Throws an MqError for whom it does not let in. May be asked again for the same request. */
  admit(request: IncomingMessage): Promise<Admitted>;
}
