// Hand-over: from the release request to the next client's answered confirm, with many waiting for the same board.
// Both are durable: two commits, two round trips and an offer between. Beside it, in turns, one fdatasync and one
// round trip of this machine.
import { BenchChannel, type Offer } from './lab/channel.ts';
import { startLab } from './lab/lab.ts';
import { MachineLimits } from './lab/limits.ts';
import { median, percentile } from './statistics.ts';

export interface HandOverFigures {
  readonly waiting: number;
  readonly connections: number;
  readonly handOvers: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly syncMs: number;
  readonly roundTripMs: number;
  readonly limitP99Ms: number;
  /** Median, as so many times one fdatasync and one round trip. Goal with 10,000 waiting: at most 10. */
  readonly ratio: number;
}

const target = 'board-0';
const connectionsMax = 1000;
/** Tickets of one user in so many sets, as a CI would have them. */
const sets = 100;
const submittedAtOnce = 500;
const offerMsMax = 30_000;

export async function run(options: { waiting: number; handOvers: number }): Promise<HandOverFigures> {
  const lab = await startLab({ boards: 1 });
  const limits = await MachineLimits.start();
  const queue = new Queue();
  try {
    await queue.fill(lab.socketPath, options.waiting);
    return await measure(queue, limits, options);
  } finally {
    queue.close();
    await limits.stop();
    await lab.close();
  }
}

async function measure(
  queue: Queue,
  limits: MachineLimits,
  { waiting, handOvers }: { waiting: number; handOvers: number },
): Promise<HandOverFigures> {
  const [times, syncs, trips]: [number[], number[], number[]] = [[], [], []];
  const warmUp = Math.min(50, Math.ceil(handOvers / 4));
  for (let round = -warmUp; round < handOvers; round += 1) {
    const ms = await queue.handOver();
    const [sync, trip] = [limits.sync(), await limits.roundTrip()];
    if (round < 0) continue;
    times.push(ms);
    syncs.push(sync);
    trips.push(trip);
  }
  const [syncMs, roundTripMs, medianMs] = [median(syncs), median(trips), median(times)];
  const limitTimes = syncs.map((sync, at) => sync + (trips[at] ?? 0));
  return {
    waiting,
    connections: queue.connections,
    handOvers,
    medianMs,
    p99Ms: percentile(times, 0.99),
    syncMs,
    roundTripMs,
    limitP99Ms: percentile(limitTimes, 0.99),
    ratio: medianMs / (syncMs + roundTripMs),
  };
}

interface Ticket {
  readonly channel: BenchChannel;
  readonly number: number;
  readonly key: string;
}

/** One board's holder and all who wait for it. */
class Queue {
  readonly #channels: BenchChannel[] = [];
  readonly #tickets = new Map<number, Ticket>();
  readonly #offers: Offer[] = [];
  #wake: () => void = () => undefined;
  #submitted = 0;
  #holder: Ticket | undefined;

  get connections(): number {
    return this.#channels.length;
  }

  /** A holder, and `waiting` tickets behind it. */
  async fill(socketPath: string, waiting: number): Promise<void> {
    for (let count = Math.min(waiting + 1, connectionsMax); count > 0; count -= 1) {
      const channel = await BenchChannel.open(socketPath);
      channel.onEvent = (event) => {
        if (event.event === 'ticket' && event.view.state === 'offered') this.#noteOffer(event.view);
      };
      this.#channels.push(channel);
    }
    await this.#submit();
    await this.#confirmNext();
    for (let left = waiting; left > 0; left -= submittedAtOnce) {
      await Promise.all(Array.from({ length: Math.min(left, submittedAtOnce) }, () => this.#submit()));
    }
  }

  /** Milliseconds from the release request to the next client's answered confirm. Then one more ticket waits again. */
  async handOver(): Promise<number> {
    const holder = this.#holder;
    if (!holder) throw new Error('nobody holds the board');
    const startedAt = performance.now();
    const released = holder.channel.change('release', { target, key: holder.key });
    // Awaited below; until then an offer that never comes is the error to tell.
    released.catch(() => undefined);
    await this.#confirmNext();
    const ms = performance.now() - startedAt;
    await released;
    await this.#submit();
    return ms;
  }

  close(): void {
    for (const channel of this.#channels) channel.close();
  }

  async #submit(): Promise<void> {
    const count = this.#submitted++;
    const channel = this.#channels[count % this.#channels.length];
    if (!channel) throw new Error('there is no connection');
    const key = `key-${count}`;
    const wish = { target, kind: 'lock', key, set: `set-${count % sets}`, members: false } as const;
    const { ticket } = await channel.change('submit', wish);
    this.#tickets.set(ticket, { channel, number: ticket, key });
  }

  async #confirmNext(): Promise<void> {
    const offer = await this.#nextOffer();
    const ticket = this.#tickets.get(offer.ticket);
    if (!ticket) throw new Error(`ticket ${offer.ticket} is not ours`);
    this.#tickets.delete(offer.ticket);
    const confirmed = await ticket.channel.change('confirm', { ticket: ticket.number, token: offer.token });
    if (confirmed.view.state !== 'held') throw new Error(`a confirm was answered ${confirmed.view.state}`);
    this.#holder = ticket;
  }

  /** Whoever it is for: the order is the server's business. */
  async #nextOffer(): Promise<Offer> {
    if (this.#offers.length === 0) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const late = setTimeout(() => reject(new Error('nobody was offered the board')), offerMsMax);
      this.#wake = resolve;
      await promise.finally(() => clearTimeout(late));
    }
    const offer = this.#offers.shift();
    if (!offer) throw new Error('there is no offer');
    return offer;
  }

  #noteOffer(offer: Offer): void {
    this.#offers.push(offer);
    this.#wake();
  }
}
