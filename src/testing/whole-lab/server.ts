// The lab's server as a process of the simulated host: the real one, on a store and a disk that outlive it. Whenever it
// is gone, somebody starts it again.

import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { serveChannel } from '../../http/channel.ts';
import { channelUpgrade } from '../../protocol/channel.ts';
import { Images } from '../../server/images.ts';
import { ClockError, LabServer } from '../../server/lab-server.ts';
import { CollectingLogger } from '../collecting-logger.ts';
import { MemoryStore } from '../memory-store.ts';
import { currentProcess } from '../simulated-host/context.ts';
import { ProcessEnded, SimulatedProcess } from '../simulated-host/host.ts';
import { type CommitFate, openSimulatedStore } from './store.ts';
import type { TroubleKind } from './trouble.ts';
import type { World } from './world.ts';

/** Between two looks at everything by brute force, in commits. */
const fullCheckEvery = 97;
/** A silent peer over a network is gone after so long. */
const silenceMaxMs = 30_000;

export interface Peer {
  readonly user: string;
  readonly uid: number;
  readonly process: SimulatedProcess;
  readonly isRemote: boolean;
}

export class ServerOfHost {
  readonly #world: World;
  readonly disk = new MemoryStore();
  process: SimulatedProcess;
  #lab: LabServer | undefined;
  #acceptClock = false;
  #startAgain: (() => void) | undefined;
  lives = 0;
  refusals = 0;

  constructor(world: World) {
    this.#world = world;
    this.process = new SimulatedProcess(world.host, 'server 0');
  }

  get isUp(): boolean {
    return this.process.isAlive && this.#lab !== undefined;
  }

  start(): void {
    const { host, judge } = this.#world;
    this.lives += 1;
    this.#lab = undefined;
    const process = new SimulatedProcess(host, `server ${this.lives}`);
    this.process = process;
    judge.note(`${process.name} starts`);
    process.onEnd(() => this.#onEnd(process));
    process.run(() => this.#boot(process)).catch((error: unknown) => this.#onFailedStart(process, error));
  }

  async #boot(process: SimulatedProcess): Promise<void> {
    const { host, agent, judge } = this.#world;
    const { folder } = host;
    const config = this.#world.config;
    const images = new Images(join(folder, 'images'), config.limits, () => host.wallMs);
    await images.start();
    judge.begin();
    const lab = await LabServer.start({
      config,
      loadConfig: async () => ({ ok: true, config: this.#world.config, warnings: [] }),
      store: openSimulatedStore({
        process,
        disk: this.disk,
        fate: () => this.#fate(),
        onIdle: (steps) => judge.takeSteps(steps),
        onStored: (steps, batch) => {
          judge.take(steps, batch);
          if (judge.commits % fullCheckEvery === 0) this.#checkSoon(process);
        },
        onRefused: () => {
          this.refusals += 1;
          judge.note('that commit is refused');
        },
      }),
      images,
      consoleFolder: join(folder, 'consoles'),
      stateFolder: folder,
      version: 'simulated',
      time: { nowMs: () => host.nowMs, wallMs: () => host.wallMs },
      logger: new LoggerThatJudges((problem) => judge.fail(problem)),
      connectAgent: () => agent.connect(process),
      isRoot: (uid) => uid === 0,
      onFatal: () => process.kill(),
      acceptClock: this.#acceptClock,
      users: { nameOf: async (uid) => `user-${uid}`, idOf: async () => undefined },
      openKeeper: () => {
        throw new Error('this lab has no lock files');
      },
    });
    this.#acceptClock = false;
    this.#lab = lab;
  }

  #fate(): CommitFate {
    const { host, kinds, isCalm, badLuck } = this.#world;
    const { random } = host;
    const isSo = (kind: TroubleKind, probability: number): boolean =>
      kinds.has(kind) && random.chance(probability * badLuck);
    if (isCalm) return 'stored';
    if (isSo('commits refused', 0.005)) return 'refused';
    if (isSo('commits cut short', 0.0015)) return random.chance(0.5) ? 'killed-before' : 'killed-after';
    if (isSo('commits unknown', 0.0008)) return random.chance(0.5) ? 'unknown-stored' : 'unknown-not-stored';
    return 'stored';
  }

  #checkSoon(process: SimulatedProcess): void {
    const lab = this.#lab;
    if (!lab) return;
    process.later(0, () => {
      lab.core.read((state) => this.#world.judge.checkAll(state)).catch(() => undefined);
    });
  }

  /** As the last thing of a run. Answers whether it could be done; else time must go on first. */
  checkNow(): boolean {
    let isDone = false;
    void this.#lab?.core.read((state) => {
      this.#world.judge.checkAll(state);
      isDone = true;
    });
    return isDone;
  }

  #onFailedStart(process: SimulatedProcess, error: unknown): void {
    if (!process.isAlive || error instanceof ProcessEnded) return;
    if (error instanceof ClockError) this.#acceptClock = true;
    this.#world.judge.note(`that start failed: ${String(error)}`);
    process.kill();
  }

  #onEnd(process: SimulatedProcess): void {
    const { host, judge } = this.#world;
    judge.note(`${process.name} is gone`);
    this.#lab = undefined;
    this.#startAgain?.();
    this.#startAgain = host.in(host.random.between(20, this.#world.isCalm ? 500 : 4_000), () => this.start());
  }

  /** Asked to leave: it grants nothing more, waits for starts, and stops. */
  async leave(): Promise<void> {
    const [lab, process] = [this.#lab, this.process];
    if (!lab) return;
    await process.run(async () => {
      const deadline = new AbortController();
      process.later(10_000, () => deadline.abort());
      await lab.drain(deadline.signal);
      this.#lab = undefined;
      await lab.stop();
    });
    process.kill();
  }

  /** Serves a client, from its request for the channel on. */
  accept(stream: Duplex, peer: Peer): void {
    const [lab, process] = [this.#lab, this.process];
    let head = Buffer.alloc(0);
    const onHead = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      stream.off('data', onHead);
      if (!lab) return void stream.destroy();
      stream.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${channelUpgrade}\r\n\r\n`,
      );
      serveChannel({
        lab,
        // What the channel uses of it any byte stream has.
        socket: stream as Socket,
        head: head.subarray(end + 4),
        caller: () => lab.callerOf(peer),
        isPeerGone: () => !peer.isRemote && !peer.process.isAlive,
        ...(peer.isRemote ? { silenceMaxMs } : {}),
      });
    };
    process.run(() => stream.on('data', onHead));
  }
}

/** What the server calls an error of its own must not happen. */
class LoggerThatJudges extends CollectingLogger {
  readonly #onBug: (problem: string) => void;

  constructor(onBug: (problem: string) => void) {
    super();
    this.#onBug = onBug;
  }

  override error(message: string, fields: Record<string, unknown> = {}): void {
    // What a process that has ended would still have said is not said.
    if (currentProcess()?.isAlive !== true) return;
    if (/^(a step failed|an effect was not|an operation failed)/.test(message))
      this.#onBug(`the server says: ${message} ${describe(fields)}`);
  }

  override warn(): void {}

  override info(): void {}

  override child(): CollectingLogger {
    return new LoggerThatJudges(this.#onBug);
  }
}

function describe(fields: Record<string, unknown>): string {
  const { error, ...rest } = fields;
  return `${JSON.stringify(rest)} ${error instanceof Error ? error.stack : String(error)}`;
}
