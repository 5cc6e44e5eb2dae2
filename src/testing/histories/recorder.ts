// Writes down what clients send, are answered and are told, as it crosses their links; one recorder for all of them, so that
// there is one clock.

import type { Link, OpenLink } from '../../client/link.ts';
import type { ChannelMessage, ChannelRequest } from '../../protocol/channel.ts';
import type { Absence, Call, Event, News } from './history.ts';

/** After a stall it may take so long until the server has heard of a client again: its pings come in rounds. */
const backAfterMs = 6_000;

export class Recorder {
  readonly calls: Call[] = [];
  readonly news: News[] = [];
  readonly absences: Absence[] = [];
  readonly events: Event[] = [];
  /** Calls by client and number of the request; several answers may come to one that was sent again. */
  readonly #open = new Map<string, Call>();
  readonly #away = new Map<string, Absence>();

  now(): number {
    return performance.now();
  }

  event(what: string): void {
    this.events.push({ at: this.now(), what });
  }

  /** A call that does not go over a recorded link: a command that runs as a process. */
  begin(client: string, op: string, body: Record<string, unknown>): Call {
    const call: Call = { id: this.calls.length + 1, client, op, body, at: this.now() };
    this.calls.push(call);
    return call;
  }

  end(call: Call, answer: unknown): void {
    call.doneAt = this.now();
    call.answer = answer;
  }

  /** The client is not heard of any more: its connection is closed for good. */
  gone(client: string): void {
    this.#away.delete(client);
    this.absences.push({ client, at: this.now(), isEnd: true });
  }

  /** Nothing got through to or from the client (`*`: all of them) for a while that is over now. */
  stalled(client: string, from: number): void {
    this.absences.push({ client, at: from, endedAt: this.now() + backAfterMs, isEnd: false });
  }

  link(client: string, open: OpenLink): OpenLink {
    return async (handlers, options) => {
      const link = await open(
        {
          onMessage: (message) => {
            this.#heard(client, message);
            handlers.onMessage(message);
          },
          onData: (piece) => handlers.onData(piece),
          onClose: (error) => {
            this.#lost(client);
            handlers.onClose(error);
          },
        },
        options,
      );
      return this.#recorded(client, link);
    };
  }

  #recorded(client: string, link: Link): Link {
    return {
      send: (message) => {
        this.#sent(client, message);
        link.send(message);
      },
      sendData: (piece) => link.sendData(piece),
      close: () => link.close(),
    };
  }

  #sent(client: string, message: ChannelRequest): void {
    if (!('op' in message)) return;
    const key = `${client} ${message.id}`;
    // Who asks anew had no ticket that could be waiting.
    if (message.op === 'submit') this.#back(client);
    if (this.#open.has(key)) return;
    this.#open.set(key, this.begin(client, message.op, message.body as Record<string, unknown>));
  }

  #heard(client: string, message: ChannelMessage): void {
    if ('event' in message) {
      if (message.event === 'ticket')
        this.news.push({ client, at: this.now(), view: message.view as unknown as News['view'] });
      return;
    }
    const key = `${client} ${message.id}`;
    const call = this.#open.get(key);
    if (!call) return;
    if (!message.ok && message.error.code === 'TRY_AGAIN') return;
    this.#open.delete(key);
    call.doneAt = this.now();
    if (message.ok) call.answer = message.body;
    else call.error = message.error.code;
    if (call.op === 'attach') this.#back(client);
  }

  #lost(client: string): void {
    if (this.#away.has(client)) return;
    const absence: Absence = { client, at: this.now(), isEnd: false };
    this.#away.set(client, absence);
    this.absences.push(absence);
  }

  #back(client: string): void {
    const absence = this.#away.get(client);
    if (absence) absence.endedAt = this.now();
    this.#away.delete(client);
  }
}
