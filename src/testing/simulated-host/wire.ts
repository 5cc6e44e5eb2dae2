// Connections between simulated processes: byte streams whose bytes take time, in order, and that break. What is on its
// way when one breaks may still come, or not, and the two ends may learn of it at different times. Touches nothing but its
// host's time.

import { Duplex } from 'node:stream';
import type { SimulatedHost, SimulatedProcess } from './host.ts';

export interface WireOptions {
  /** Over a network, whose breaks an end may not notice; else within the host, whose kernel tells both. */
  readonly isRemote: boolean;
  /** Milliseconds that bytes take at most, each way. */
  readonly delayMsMax: number;
  /** Whether this message, which may come twice, does. */
  readonly doubles: () => boolean;
  /** Whether messages may come twice that are not repeatable by themselves: to and from agents, where all are. */
  readonly isAgents: boolean;
  /** Hears what is sent at each of the ends, at once. */
  readonly onSend?: readonly [OnSend, OnSend];
}

type OnSend = (bytes: Buffer) => void;

/** On its way: bytes, or the word that the other end has no more, or is gone. */
type Item = Buffer | 'end' | 'close';

/** Bytes on their way in one direction before the sender has to wait. */
const underWayBytesMax = 256 * 1024;

class WireEnd extends Duplex {
  readonly #wire: Wire;
  readonly #side: 0 | 1;

  constructor(wire: Wire, side: 0 | 1) {
    super({ allowHalfOpen: false });
    this.#wire = wire;
    this.#side = side;
    this.on('error', () => undefined);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#wire.send(this.#side, Buffer.from(chunk), done);
  }

  /** What was corked goes out in one piece. */
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#wire.send(this.#side, Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.#wire.send(this.#side, 'end', done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wire.send(this.#side, 'close', () => undefined);
    done(error);
  }
}

class Direction {
  readonly items: { item: Item; done: () => void }[] = [];
  bytes = 0;
  lastAt = 0;
}

export class Wire {
  readonly ends: readonly [Duplex, Duplex];
  readonly #host: SimulatedHost;
  readonly #processes: readonly [SimulatedProcess, SimulatedProcess];
  readonly #options: WireOptions;
  readonly #directions = [new Direction(), new Direction()] as const;
  #stalledUntil = 0;
  #isCut = false;

  constructor(processes: readonly [SimulatedProcess, SimulatedProcess], options: WireOptions) {
    this.#processes = processes;
    this.#host = processes[0].host;
    this.#options = options;
    this.ends = [this.#makeEnd(0), this.#makeEnd(1)];
  }

  #makeEnd(side: 0 | 1): Duplex {
    const process = this.#processes[side];
    const end = process.run(() => new WireEnd(this, side));
    // The kernel closes what a killed process had open.
    const forget = process.onEnd(() => this.send(side, 'close', () => undefined));
    end.once('close', forget);
    return end;
  }

  send(side: 0 | 1, item: Item, done: () => void): void {
    if (this.#isCut) return done();
    // A process that is gone can only have had its end closed.
    if (!this.#processes[side].isAlive && item !== 'close') return;
    this.#put(side, item, done);
    if (!(item instanceof Buffer)) return;
    this.#options.onSend?.[side](item);
    if (mayComeTwice(item, this.#options.isAgents) && this.#options.doubles())
      this.#put(side, item, () => undefined);
  }

  #put(side: 0 | 1, item: Item, done: () => void): void {
    const direction = this.#directions[side];
    const bytes = item instanceof Buffer ? item.length : 0;
    direction.bytes += bytes;
    const mustWait = direction.bytes > underWayBytesMax;
    direction.items.push({ item, done: mustWait ? done : () => undefined });
    const { random, nowMs } = this.#host;
    const at = Math.max(
      nowMs + random.between(0, this.#options.delayMsMax),
      direction.lastAt,
      this.#stalledUntil,
    );
    direction.lastAt = at;
    const receiver = this.#processes[side === 0 ? 1 : 0];
    receiver.later(at - nowMs, () => this.#deliver(side));
    if (!mustWait) done();
  }

  #deliver(side: 0 | 1): void {
    const direction = this.#directions[side];
    const next = direction.items.shift();
    if (!next) return;
    const end = this.ends[side === 0 ? 1 : 0];
    if (next.item instanceof Buffer) {
      direction.bytes -= next.item.length;
      if (!end.destroyed) end.push(next.item);
    } else if (next.item === 'end') {
      if (!end.destroyed) end.push(null);
    } else end.destroy();
    this.#processes[side].later(0, next.done);
  }

  /** Nothing arrives for so long, and then everything, in order. */
  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#host.nowMs + ms);
  }

  /** Breaks it. Some of what is on its way is lost, and over a network an end may take long to notice. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const { random } = this.#host;
    for (const side of [0, 1] as const) {
      const { items } = this.#directions[side];
      if (random.chance(0.5)) items.splice(random.between(0, items.length));
      const isLate = this.#options.isRemote && random.chance(0.5);
      const noticedMs = isLate ? random.between(50, 40_000) : random.between(0, 5);
      this.#processes[side].later(noticedMs, () =>
        this.ends[side].destroy(new Error('the connection broke')),
      );
    }
  }
}

const headerBytes = 5;
const [kindJson, kindData] = [0, 1];

/** One whole frame (its length is ahead of its kind): to and from an agent any, of clients what has a request id. */
function mayComeTwice(bytes: Buffer, isAgents: boolean): boolean {
  if (bytes.length < headerBytes || bytes.readUInt32BE(0) !== bytes.length - headerBytes) return false;
  if (isAgents) return bytes[4] === kindJson || bytes[4] === kindData;
  return bytes[4] === kindJson && bytes.includes('"requestId"');
}
