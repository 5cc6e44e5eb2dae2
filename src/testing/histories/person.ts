// A client in this process, with a connection of its own: asks for boards by the program's typed client, uses them for a moment
// and gives them back, changes its mind, or is never heard of again. Everything it says and hears is recorded.

import { setTimeout as sleep } from 'node:timers/promises';
import { openUnix } from '../../cli/connect/open-unix.ts';
import { type Client, connectClient } from '../../client/client.ts';
import { readConsole } from '../../client/console.ts';
import type { Timers } from '../../client/link.ts';
import { submitTicket, type Ticket } from '../../client/ticket.ts';
import { uploadMissing } from '../../client/upload.ts';
import { systemClock } from '../../platform/clock.ts';
import { IdSource } from '../../platform/ids.ts';
import type { OperationName, RequestOf, ResponseOf } from '../../protocol/operations.ts';
import type { LockView } from '../../protocol/schema.ts';
import type { Random } from '../simulation/random.ts';
import type { Recorder } from './recorder.ts';
import { pickJob, pickLock, pickTarget, type Wish } from './wishes.ts';

/** Attempts to reach a server come three times as soon as a command's, since servers here live shortly. */
const timers: Timers = {
  now: systemClock.nowMs,
  after: (ms, action) => systemClock.setTimer(ms <= 1_000 ? ms / 3 : ms, action),
};

export interface PersonOptions {
  readonly name: string;
  readonly path: string;
  readonly random: Random;
  readonly recorder: Recorder;
  /** Keys whose locks somebody will still see to; the rest are cleared away. */
  readonly liveKeys: Set<string>;
  /** Name of the user that everybody here is. */
  readonly user: string;
}

const ids = new IdSource();

export class Person {
  readonly name: string;
  readonly #options: PersonOptions;
  readonly #client: Client;
  #attempts = 0;
  #isGone = false;
  /** Aborts when it is gone: nothing here may wait for an answer then. */
  readonly #leaving = new AbortController();

  private constructor(options: PersonOptions, client: Client) {
    this.name = options.name;
    this.#options = options;
    this.#client = client;
  }

  static async connect(options: PersonOptions): Promise<Person> {
    const { name, path, recorder } = options;
    const client = await connectClient({
      openLink: recorder.link(name, openUnix(path)),
      timers,
      newRequestId: () => ids.next(),
      firstSeconds: 60,
      reconnectSeconds: 600,
    });
    return new Person(options, client);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Closes its connection without a word, whatever is under way. */
  vanish(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#options.recorder.gone(this.name);
    this.#client.close();
    this.#leaving.abort(new Error('this person has gone'));
  }

  ask<N extends OperationName>(op: N, body: RequestOf<N>): Promise<ResponseOf<N>> {
    return this.#client.request(op, body, {
      timeoutMs: Number.POSITIVE_INFINITY,
      signal: this.#leaving.signal,
    });
  }

  change<N extends 'release' | 'extend' | 'give' | 'steal' | 'withdraw' | 'cancel'>(
    op: N,
    body: Omit<RequestOf<N>, 'requestId'>,
  ): Promise<ResponseOf<N>> {
    return this.ask(op, { ...body, requestId: this.#client.newRequestId() } as unknown as RequestOf<N>);
  }

  /** Brings boards back into use that are broken or suspect. */
  async resume(targets: string[]): Promise<void> {
    const requestId = this.#client.newRequestId();
    await this.ask('board', { requestId, targets, action: 'resume' });
  }

  /** All console bytes of a job that has ended. */
  readConsole(job: number): Promise<{ text: string; isWhole: boolean }> {
    return readWhole(this.#client, job);
  }

  /** One wish from beginning to end. Ends early, without an error, where the person goes. */
  async attempt(): Promise<void> {
    const { random, liveKeys } = this.#options;
    this.#attempts += 1;
    const key = `${this.name}-${this.#attempts}`;
    liveKeys.add(key);
    try {
      if (random.chance(0.1)) await Promise.race([this.#meddle(), this.#gone()]);
      const work = random.chance(0.25) ? this.#run(key) : this.#hold(key);
      await Promise.race([work, this.#gone()]);
    } catch (error) {
      if (!this.#isGone && !isExpected(error)) throw error;
    } finally {
      liveKeys.delete(key);
    }
  }

  /** Asks for what is not its own, by a key that nobody has: it is to change nothing. */
  async #meddle(): Promise<void> {
    const { random } = this.#options;
    const board = random.pick(['a', 'b', 'c', 'f']);
    const key = `${this.name}-none`;
    if (random.chance(0.7)) await this.change('release', { target: board, key });
    else await this.change('extend', { board, key, holdSeconds: 5 });
  }

  async #hold(key: string): Promise<void> {
    const { random } = this.#options;
    const ticket = await this.#submit(pickLock(random, key));
    const settled = await ticket.settled();
    if (settled.state !== 'held') return;
    const locks = settled.locks ?? [settled.lock];
    await sleep(random.pick([0, 0, 5, 20, 60]));
    if (random.chance(0.08)) return this.#forget(locks);
    const [lock] = locks;
    if (lock && locks.length === 1) await this.#use(lock, ticket.id);
    else await Promise.all(locks.map((one) => this.#release(one)));
  }

  /** Leaves it to whoever is next in line, or to be cleared away. */
  async #forget([lock]: readonly LockView[]): Promise<void> {
    const { signal } = this.#leaving;
    const lateMs = this.#options.random.between(200, 2_000);
    if (lock?.holdSeconds) await sleep(lock.holdSeconds * 1000 + lateMs, undefined, { signal });
  }

  async #use(lock: LockView, ticket: number): Promise<void> {
    const { random, user, liveKeys } = this.#options;
    const { board, key } = lock;
    const dice = random.next();
    if (dice < 0.1) await this.change('extend', { board, key, holdSeconds: random.pick([0, 1, 2]) });
    else if (dice < 0.2) await this.#runUnder(lock);
    else if (dice < 0.28) {
      const newKey = `${key}-given`;
      liveKeys.add(newKey);
      try {
        const given = await this.change('give', { board, key, user, newKey });
        return await this.#release(given.lock);
      } finally {
        liveKeys.delete(newKey);
      }
    } else if (dice < 0.33) await this.change('withdraw', { ticket });
    await this.#release(lock);
  }

  async #release({ board, key, token }: LockView): Promise<void> {
    const isNamed = this.#options.random.chance(0.7);
    await this.change('release', { target: board, key, ...(isNamed ? { token } : {}) });
  }

  async #run(key: string): Promise<void> {
    const { random } = this.#options;
    const { wish, source } = pickJob(random, key, 'run', pickTarget(random));
    await uploadMissing(this.#client, [source], { signal: this.#leaving.signal });
    const ticket = await this.#submit(wish);
    await this.#follow(ticket);
  }

  async #runUnder({ board, key }: LockView): Promise<void> {
    const { wish, source } = pickJob(this.#options.random, key, 'slot', board);
    await uploadMissing(this.#client, [source], { signal: this.#leaving.signal });
    await this.#follow(await this.#submit(wish));
  }

  /** Up to the end of the job; now and then it cancels it. */
  async #follow(ticket: Ticket): Promise<void> {
    const settled = await ticket.settled();
    if (settled.state !== 'started') return;
    if (this.#options.random.chance(0.1)) await this.change('cancel', { id: ticket.id });
    await ticket.jobEnded();
  }

  async #submit(wish: Wish): Promise<Ticket> {
    const { random } = this.#options;
    const ticket = await submitTicket(this.#client, wish);
    if (random.chance(0.06)) {
      await Promise.race([sleep(random.between(0, 80)), ticket.settled()]);
      if (ticket.view.state === 'waiting') await ticket.withdraw();
    }
    return ticket;
  }

  #gone(): Promise<never> {
    return new Promise((_, reject) => {
      const { signal } = this.#leaving;
      const fail = (): void => reject(signal.reason);
      if (signal.aborted) fail();
      else signal.addEventListener('abort', fail, { once: true });
    });
  }
}

/** All console bytes of a job, when it has ended. */
export async function readWhole(client: Client, job: number): Promise<{ text: string; isWhole: boolean }> {
  const bytes: Uint8Array[] = [];
  let isWhole = true;
  for await (const piece of readConsole(client, job)) {
    if (piece.kind === 'bytes') bytes.push(piece.bytes);
    else isWhole = false;
  }
  return { text: Buffer.concat(bytes).toString(), isWhole };
}

/** Refusals that happen to whoever competes with others. */
function isExpected(error: unknown): boolean {
  const { code } = error as { code?: string };
  const codes = [
    'NOT_GRANTED_IN_TIME',
    'NOT_HOLDER',
    'WRONG_KEY',
    'NOT_ALLOWED',
    'UNKNOWN_TICKET',
    'BOARD_BUSY',
    'SERVER_UNREACHABLE',
  ];
  return codes.includes(code ?? '');
}
