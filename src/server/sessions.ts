// Connected clients: which channel hears of which ticket, who is asked for signs of life, and what happens to a
// ticket when its channel ends. Who is connected is not state: the scheduler is told by commands.

import type { Caller } from '../domain/commands.ts';
import type { ChannelEvent } from '../protocol/channel.ts';
import type { Limits } from '../protocol/lab.ts';
import { noRoom } from './room.ts';

/** What a transport gives the server of one connected client. */
export interface ChannelPort {
  readonly caller: Caller;
  send(event: ChannelEvent): void;
  /** Console bytes; resolves when more may be sent. */
  sendData(frame: { streamId: number; offset: number; atMs: number; bytes: Uint8Array }): Promise<void>;
  /** Whether the process at the other end is known to have ended. Asked once the channel has closed. */
  isPeerGone(): boolean;
}

/** How long a client may take to answer a ping before it counts as away. */
const pingMs = 5_000;
const idlePingMs = 10_000;

export interface SessionEvents {
  /** A ticket's channel has ended, or does not answer. */
  readonly onDetach: (ticket: number, gone: boolean) => void;
  /** A ticket's client has just answered a ping. */
  readonly onAlive: (ticket: number) => void;
  /** A ticket's client has answered after it had been taken for away. */
  readonly onBack: (ticket: number) => void;
}

interface Ping {
  /** Who asked for the sign of life, and who was taken for away for want of it. */
  readonly tickets: Set<number>;
  readonly missed: Set<number>;
  readonly timer: NodeJS.Timeout;
}

export class Session {
  readonly port: ChannelPort;
  readonly tickets = new Set<number>();
  /** Tickets whose place and reasons are sent as they change, with what was sent last. */
  readonly places = new Map<number, string>();
  /** Tickets whose submit is not answered yet: the answer will say how they stand. */
  readonly unanswered = new Set<number>();
  watchesStatus = false;
  readonly streams = new Map<number, AbortController>();
  readonly closed = new AbortController();

  constructor(port: ChannelPort) {
    this.port = port;
  }
}

export class Sessions {
  readonly #events: SessionEvents;
  readonly #all = new Set<Session>();
  readonly #byUser = new Map<string, number>();
  /** Who follows a ticket. The last one is its owner, whose signs of life count; an earlier one takes over from it. */
  readonly #followers = new Map<number, Session[]>();
  readonly #pings = new Map<Session, { nonce: number; ping: Ping }>();
  #nonce = 0;
  readonly #sweep: NodeJS.Timeout;

  constructor(events: SessionEvents) {
    this.#events = events;
    this.#sweep = setInterval(() => this.#pingAll(), idlePingMs);
    this.#sweep.unref();
  }

  get size(): number {
    return this.#all.size;
  }

  /** Throws LIMIT_REACHED where the user, or all together, have as many streams open as they may. */
  checkRoom(user: string, limits: Pick<Limits, 'openStreams' | 'streamsPerUser'>): void {
    const { openStreams, streamsPerUser } = limits;
    if (this.#all.size >= openStreams) throw noRoom('openStreams', { value: openStreams, what: 'streams' });
    if ((this.#byUser.get(user) ?? 0) >= streamsPerUser)
      throw noRoom('streamsPerUser', { value: streamsPerUser, what: 'streams of one user' });
  }

  open(port: ChannelPort): Session {
    this.#count(port.caller.user, 1);
    const session = new Session(port);
    this.#all.add(session);
    return session;
  }

  #count(user: string, more: 1 | -1): void {
    const count = (this.#byUser.get(user) ?? 0) + more;
    if (count === 0) this.#byUser.delete(user);
    else this.#byUser.set(user, count);
  }

  all(): Iterable<Session> {
    return this.#all;
  }

  /**
   * The ticket's offers go to this session from now on, and its other events too. Whoever followed it before still hears
   * of it, and is its client again should this one go. One that has closed meanwhile is as good as none.
   */
  own(session: Session, ticket: number, options: { places: boolean }): void {
    this.#leave(session, ticket);
    const followers = this.#followers.get(ticket) ?? [];
    if (!this.#all.has(session)) {
      if (followers.length === 0) this.#events.onDetach(ticket, session.port.isPeerGone());
      return;
    }
    this.#followers.set(ticket, [...followers, session]);
    session.tickets.add(ticket);
    if (options.places) session.places.set(ticket, '');
  }

  /** The ticket and its job are over. */
  disown(ticket: number): void {
    for (const session of this.#followers.get(ticket) ?? []) this.#leave(session, ticket);
  }

  #leave(session: Session, ticket: number): void {
    session.tickets.delete(ticket);
    session.places.delete(ticket);
    const rest = (this.#followers.get(ticket) ?? []).filter((one) => one !== session);
    if (rest.length > 0) this.#followers.set(ticket, rest);
    else this.#followers.delete(ticket);
  }

  ownerOf(ticket: number): Session | undefined {
    return this.#followers.get(ticket)?.at(-1);
  }

  /** To all who follow it but one; what is offered is offered to its owner only. */
  send(ticket: number, event: ChannelEvent, but?: Session): void {
    const isOffer = event.event === 'ticket' && event.view.state === 'offered';
    const followers = this.#followers.get(ticket) ?? [];
    for (const session of isOffer ? followers.slice(-1) : followers)
      if (session !== but && !session.unanswered.has(ticket)) session.port.send(event);
  }

  /** Asks the ticket's client for a sign of life. An answer is told by onAlive, none by onDetach. */
  ping(ticket: number): void {
    const session = this.ownerOf(ticket);
    if (session) this.#ping(session, [ticket]);
    else this.#events.onDetach(ticket, false);
  }

  pong(session: Session, nonce: number): void {
    const found = this.#pings.get(session);
    if (found?.nonce !== nonce) return;
    clearTimeout(found.ping.timer);
    this.#pings.delete(session);
    const { tickets, missed } = found.ping;
    for (const ticket of new Set([...missed, ...tickets])) {
      if (this.ownerOf(ticket) !== session) continue;
      if (missed.has(ticket)) this.#events.onBack(ticket);
      if (tickets.has(ticket)) this.#events.onAlive(ticket);
    }
  }

  close(session: Session): void {
    if (!this.#all.delete(session)) return;
    this.#count(session.port.caller.user, -1);
    session.closed.abort();
    const ping = this.#pings.get(session);
    if (ping) clearTimeout(ping.ping.timer);
    this.#pings.delete(session);
    if (session.tickets.size === 0) return;
    const gone = session.port.isPeerGone();
    for (const ticket of [...session.tickets]) {
      const wasOwner = this.ownerOf(ticket) === session;
      this.#leave(session, ticket);
      if (wasOwner) this.#passOn(ticket, gone);
    }
  }

  stop(): void {
    clearInterval(this.#sweep);
    for (const { ping } of this.#pings.values()) clearTimeout(ping.timer);
    this.#pings.clear();
  }

  /** A client that hangs must not keep a place for ever: everybody with a ticket is asked now and then. */
  #pingAll(): void {
    for (const session of this.#all) {
      if (session.tickets.size > 0 && !this.#pings.has(session)) this.#ping(session, []);
    }
  }

  #ping(session: Session, tickets: readonly number[]): void {
    const under = this.#pings.get(session);
    if (under) {
      // The answer to the ping under way is as fresh as a second one's would be.
      for (const ticket of tickets) under.ping.tickets.add(ticket);
      return;
    }
    this.#nonce += 1;
    const timer = setTimeout(() => this.#miss(session), pingMs);
    timer.unref();
    this.#pings.set(session, {
      nonce: this.#nonce,
      ping: { tickets: new Set(tickets), missed: new Set(), timer },
    });
    session.port.send({ event: 'ping', nonce: this.#nonce });
  }

  /** No answer: its tickets are parked; when it answers after all, they go on. */
  #miss(session: Session): void {
    const found = this.#pings.get(session);
    if (!found) return;
    for (const ticket of session.tickets) {
      if (this.ownerOf(ticket) !== session) continue;
      found.ping.missed.add(ticket);
      this.#events.onDetach(ticket, false);
    }
  }

  /** To whoever followed it before, who is told of what it is offered; else it has no client any more. */
  #passOn(ticket: number, gone: boolean): void {
    if (this.ownerOf(ticket)) this.#events.onBack(ticket);
    else this.#events.onDetach(ticket, gone);
  }
}
