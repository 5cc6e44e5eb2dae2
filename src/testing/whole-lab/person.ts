// Somebody at a command line: a process with the real client, that wants boards or runs a job, uses what it gets, and
// leaves. Bad luck comes from outside: see trouble.ts.

import { randomUUID } from 'node:crypto';
import { frameLink } from '../../cli/connect/frame-link.ts';
import { type Client, connectClient } from '../../client/client.ts';
import { readConsole } from '../../client/console.ts';
import type { LinkHandlers, OpenLink, Timers } from '../../client/link.ts';
import { submitTicket, type Ticket } from '../../client/ticket.ts';
import { uploadMissing } from '../../client/upload.ts';
import type { ChannelRequest } from '../../protocol/channel.ts';
import { MqError } from '../../protocol/errors.ts';
import type { JobSpec, LockView } from '../../protocol/schema.ts';
import { ProcessEnded, SimulatedProcess } from '../simulated-host/host.ts';
import { Wire } from '../simulated-host/wire.ts';
import { imageSources, pickJob, pickTarget, users, type Wish } from './lab.ts';
import type { World } from './world.ts';

/** Why somebody stops waiting. */
class ChangedMind extends Error {}

export class Person {
  readonly process: SimulatedProcess;
  readonly user: string;
  /** Boards that it has and looks after. */
  readonly boards = new Set<string>();
  /** What it is at, for whoever wonders why it does not end. */
  doing = 'connects';
  readonly #world: World;
  readonly #isRemote: boolean;
  readonly #mind = new AbortController();
  #wire: Wire | undefined;

  constructor(world: World, user: string, serial: number) {
    this.#world = world;
    this.user = user;
    this.#isRemote = world.host.random.chance(0.5);
    this.process = new SimulatedProcess(world.host, `${user} ${serial}`);
  }

  /** Does something with a client, and is gone afterwards. */
  begin(doing: (client: Client) => Promise<void>): void {
    this.process.onEnd(() => this.#world.forget(this));
    const live = async (): Promise<void> => {
      try {
        const client = await connectClient({
          openLink: this.#openLink,
          timers: this.#timers,
          newRequestId: randomUUID,
          firstSeconds: 30,
          reconnectSeconds: 60,
          random: () => this.#world.host.random.next(),
        });
        await doing(client);
        client.close();
      } catch (error) {
        this.#judge(error);
      }
      this.process.kill();
    };
    void this.process.run(live);
  }

  #judge(error: unknown): void {
    if (error instanceof MqError && error.message.startsWith('The server has not answered'))
      this.#world.judge.fail(`a client of ${this.user} was not answered: ${error.message}`);
    if (error instanceof MqError || error instanceof ProcessEnded || error instanceof ChangedMind) return;
    if (!this.process.isAlive) return;
    this.#world.judge.fail(
      `a client of ${this.user} failed: ${error instanceof Error ? error.stack : String(error)}`,
    );
  }

  readonly #timers: Timers = {
    now: () => this.process.host.nowMs,
    after: (ms, action) => this.process.later(ms, action),
  };

  readonly #openLink: OpenLink = async (handlers) => {
    const { host, server } = this.#world;
    await this.process.sleep(host.random.between(0, 3));
    if (!server.isUp) throw new Error('ECONNREFUSED');
    const peer = { user: this.user, uid: this.user === 'root' ? 0 : 1_000, isRemote: this.#isRemote };
    const { doubles, judge } = this.#world;
    const wire = new Wire([this.process, server.process], {
      isRemote: this.#isRemote,
      delayMsMax: this.#isRemote ? 20 : 2,
      doubles,
      isAgents: false,
      onSend: [() => undefined, (bytes) => judge.onSent(bytes)],
    });
    this.#wire = wire;
    server.accept(wire.ends[1], { ...peer, process: this.process });
    return this.#watched((watching) => frameLink(wire.ends[0], watching), handlers);
  };

  /** A link whose messages the judge sees. */
  #watched(open: (handlers: LinkHandlers) => ReturnType<typeof frameLink>, handlers: LinkHandlers) {
    const asked = new Map<number, ChannelRequest>();
    const link = open({
      onMessage: (message) => {
        this.#world.judge.onMessage(message, 'id' in message ? asked.get(message.id) : undefined);
        handlers.onMessage(message);
      },
      onData: (piece) => handlers.onData(piece),
      onClose: (error) => handlers.onClose(error),
    });
    return {
      send: (message: ChannelRequest) => {
        if ('id' in message) asked.set(message.id, message);
        link.send(message);
      },
      sendData: (piece: Parameters<typeof link.sendData>[0]) => link.sendData(piece),
      close: () => link.close(),
    };
  }

  // ---- what befalls it ----

  cut(): void {
    this.#wire?.cut();
  }

  stall(ms: number): void {
    this.#wire?.stall(ms);
  }

  changeMind(): void {
    this.process.run(() => this.#mind.abort(new ChangedMind('has changed its mind')));
  }

  // ---- what it does ----

  /** The whole of a lock or a run. */
  want(wish: Wish): (client: Client) => Promise<void> {
    return async (client) => {
      this.doing = 'uploads';
      if (wish.job) await uploadMissing(client, imageSources(), { signal: this.#mind.signal });
      this.doing = `submits ${JSON.stringify(wish)}`;
      const ticket = await submitTicket(client, wish, {
        signal: this.#mind.signal,
        places: this.#world.host.random.chance(0.3),
      });
      this.doing = `waits with ticket ${ticket.id}`;
      // What is withdrawn in the middle is told by the ticket itself.
      const onMind = (): void => void ticket.withdraw().catch(() => undefined);
      this.#mind.signal.addEventListener('abort', onMind);
      const settled = await ticket.settled();
      if (settled.state === 'held') await this.#use(client, settled.locks ?? [settled.lock], wish.key);
      else if (settled.state === 'started' && wish.job && !wish.job.detached)
        await this.#follow(client, ticket, wish.job);
    };
  }

  async #follow(client: Client, ticket: Ticket, job: JobSpec): Promise<void> {
    this.doing = `reads the console of job ${ticket.id}`;
    let text = '';
    let isWhole = true;
    for await (const piece of readConsole(client, ticket.id)) {
      if (piece.kind === 'gap') isWhole = false;
      else if (isWhole) text += Buffer.from(piece.bytes).toString();
    }
    this.doing = `waits for the end of job ${ticket.id}`;
    const view = await ticket.jobEnded();
    this.#world.judge.checkJob(view, job.endText, { text, isWhole });
  }

  /** Has boards for itself for a while, and gives each back. */
  async #use(client: Client, locks: readonly LockView[], key: string): Promise<void> {
    this.doing = `has ${locks.map(({ board }) => board).join(' and ')}`;
    const { judge, host } = this.#world;
    const { random } = host;
    for (const lock of locks) judge.checkLock(lock);
    for (const { board } of locks) this.boards.add(board);
    for (const { board } of locks) {
      await this.process.sleep(this.#world.isCalm ? 5 : random.wait(1_500));
      await this.#useOne(client, board, key);
    }
    await this.process.sleep(this.#world.isCalm ? 5 : random.wait(3_000));
    // Some forget.
    if (!this.#world.isCalm && random.chance(0.05)) return;
    if (locks.length > 1 && random.chance(0.5))
      await this.#release(client, locks.map(({ board }) => board).join(','), key);
    else for (const { board, token } of locks) await this.#release(client, board, key, token);
  }

  async #useOne(client: Client, board: string, key: string): Promise<void> {
    const { random } = this.#world.host;
    const dice = random.next();
    const requestId = randomUUID();
    try {
      if (dice < 0.1)
        await client.request('extend', { requestId, board, key, holdSeconds: random.between(0, 20) });
      else if (dice < 0.14) await client.request('give', { requestId, board, key, user: random.pick(users) });
      else if (dice < 0.3) {
        const action = random.pick(['on', 'off', 'cycle'] as const);
        await client.request('power', { requestId, board, key, action });
      } else if (dice < 0.55) await this.#runUnder(client, board, key);
    } catch (error) {
      // It may have lost the board meanwhile.
      if (!(error instanceof MqError)) throw error;
    }
  }

  /** `run -n` by the holder, on the board or on something that has it. */
  async #runUnder(client: Client, board: string, key: string): Promise<void> {
    const { random } = this.#world.host;
    this.doing = `runs a job under its lock on ${board}`;
    const job = pickJob(random);
    const target = random.chance(0.7) ? board : pickTarget(random);
    await uploadMissing(client, imageSources());
    const ticket = await submitTicket(client, { kind: 'slot', target, key, job, waitSeconds: 20 });
    const settled = await ticket.settled();
    if (settled.state === 'started' && !job.detached) await this.#follow(client, ticket, job);
  }

  async #release(client: Client, target: string, key: string, token?: string): Promise<void> {
    this.doing = `releases ${target}`;
    const named = token === undefined ? {} : { token };
    await client.request('release', { requestId: randomUUID(), target, key, ...named });
    for (const board of target.split(',')) this.boards.delete(board);
  }
}
