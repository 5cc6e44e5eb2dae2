// What a ticket is offered, and how one for several boards stands while it gathers them. Parts of a ticket's record: see
// records.ts. Types only.
import type { Need, Token } from './records.ts';

/** One board of an offer, and what its grant did to the turn of its set. */
export interface Granted {
  readonly board: string;
  readonly token: Token;
  /** Whose queue it counts in. */
  readonly queue: string;
  readonly turnBefore?: number;
  readonly grantNumber: number;
}

export interface Offer {
  readonly board: string;
  readonly token: Token;
  readonly confirmBy: number;
  /** The set's last grant number in the queue before this grant; restored when the grant is taken back. */
  readonly turnBefore?: number;
  /** The number this grant drew. */
  readonly grantNumber: number;
  /** Of a ticket for several boards: all of them in the order in which it names them, the first being `board`. */
  readonly all?: readonly Granted[];
}

/**
 * Of a ticket for several boards. `gathering`: boards that come free are kept for it; `resting`: it lets others have
 * them, as long as it can't have all; `rested`: it may gather again. Each until then, and how long it rests the next
 * time, in milliseconds.
 */
export type Gather =
  | { readonly state: 'gathering' | 'resting'; readonly until: number; readonly restMs: number }
  | { readonly state: 'rested'; readonly restMs: number };

/** One need of a ticket for several boards, with its queue. */
export interface TicketPart extends Need {
  readonly queue: string;
  /** A turn it had reached before a configuration change moved it to another queue. */
  readonly turnFloor: number;
}
