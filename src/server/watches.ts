// What is sent to clients again and again while it changes: places of waiting tickets once a second, the status twice
// a second. Worked out from committed state, never on the path of a grant, and bounded in time for each round.
import type { LabServer } from './lab-server.ts';
import type { Session } from './sessions.ts';
import { viewStatus, viewTicket } from './views.ts';

const placesEveryMs = 1_000;
const statusEveryMs = 500;
/** Time one round of places may take; who was left out is first in the next. */
const placesRoundMs = 50;

export class Watches {
  readonly #lab: LabServer;
  readonly #places: NodeJS.Timeout;
  readonly #status: NodeJS.Timeout;
  #statusVersion = -1;
  #next = 0;

  constructor(lab: LabServer) {
    this.#lab = lab;
    this.#places = setInterval(() => this.#quietly(this.#sendPlaces()), placesEveryMs);
    this.#status = setInterval(() => this.#quietly(this.#sendStatus()), statusEveryMs);
    this.#places.unref();
    this.#status.unref();
  }

  stop(): void {
    clearInterval(this.#places);
    clearInterval(this.#status);
  }

  /** What fails is worked out again in the next round. */
  #quietly(work: Promise<void>): void {
    work.catch((error: unknown) => this.#lab.logger.warn('a view was not sent', { error }));
  }

  async #sendPlaces(): Promise<void> {
    const wanted: { session: Session; ticket: number }[] = [];
    for (const session of this.#lab.sessions.all()) {
      for (const ticket of session.places.keys()) wanted.push({ session, ticket });
    }
    if (wanted.length === 0) return;
    await this.#lab.core.read((state) => {
      const endAt = performance.now() + placesRoundMs;
      for (let done = 0; done < wanted.length && performance.now() < endAt; done += 1) {
        this.#next = (this.#next + 1) % wanted.length;
        const one = wanted[this.#next];
        const ticket = one && state.tickets.get(one.ticket);
        if (one && ticket?.state === 'waiting')
          sendIfNew(one.session, ticket.id, viewTicket(state, ticket, { places: true }));
      }
    });
  }

  async #sendStatus(): Promise<void> {
    const { core, sessions } = this.#lab;
    const watchers = [...sessions.all()].filter((session) => session.watchesStatus);
    if (watchers.length === 0 || core.version === this.#statusVersion) return;
    this.#statusVersion = core.version;
    const status = await this.status();
    for (const session of watchers) session.port.send({ event: 'status', status });
  }

  status(): Promise<ReturnType<typeof viewStatus>> {
    const { clock, extras, core } = this.#lab;
    return core.read((state) =>
      viewStatus(state, { lab: this.#lab.config.name, at: clock.wallAt(), extras }),
    );
  }
}

function sendIfNew(session: Session, ticket: number, view: ReturnType<typeof viewTicket>): void {
  const text = JSON.stringify(view);
  if (session.places.get(ticket) === text) return;
  session.places.set(ticket, text);
  session.port.send({ event: 'ticket', view });
}
