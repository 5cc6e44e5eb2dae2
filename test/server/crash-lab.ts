// The scenario of a day in the lab against a server in this process, which stops at one commit as if it had been killed there:
// every line is cut in that instant, and the next server begins from what the store has.
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { frameLink } from '../../src/cli/connect/frame-link.ts';
import type { OpenLink } from '../../src/client/link.ts';
import { serveChannel } from '../../src/http/channel.ts';
import { channelUpgrade } from '../../src/protocol/channel.ts';
import type { LabConfig } from '../../src/protocol/lab.ts';
import { Images } from '../../src/server/images.ts';
import { LabServer } from '../../src/server/lab-server.ts';
import { CollectingLogger } from '../../src/testing/collecting-logger.ts';
import { consoleOf, type History, type Touch } from '../../src/testing/histories/history.ts';
import { judge } from '../../src/testing/histories/judge.ts';
import { playScenario } from '../../src/testing/histories/scenario.ts';
import { type StopAt, stopAt } from '../../src/testing/histories/stopping-store.ts';
import { MemoryStore } from '../../src/testing/memory-store.ts';
import { FakeAgent } from './fake-agent.ts';
import { labConfig } from './lab.ts';

const user = 'ana';
const [shape] = labConfig.boards;
const pools = [{ name: 'bc', boards: ['b', 'c'], spread: false }];

function configOf(...names: string[]): LabConfig {
  if (!shape) throw new Error('the lab has no board');
  return { ...labConfig, boards: names.map((name) => ({ ...shape, name })), pools };
}

export interface Crashed {
  readonly end: unknown;
  readonly commits: number;
  readonly crashed: boolean;
  readonly problems: readonly string[];
}

export async function playInProcess(at?: StopAt): Promise<Crashed> {
  const lab = new CrashLab(at ?? { commit: Number.MAX_SAFE_INTEGER, when: 'before' });
  try {
    await lab.start();
    const { end, unlike, ...seen } = await playScenario({
      openLink: lab.openLink,
      user,
      addBoard: async () => {
        lab.config = configOf('a', 'b', 'c', 'd');
      },
    });
    const boards = ['a', 'b', 'c', 'd'];
    const { touches } = lab;
    const history: History = {
      seed: 0,
      isOver: true,
      boards,
      pools: { bc: ['b', 'c'] },
      ...seen,
      touches,
      events: [],
    };
    const problems = [...unlike, ...judge(history).problems, ...lab.complaints];
    return { end, commits: lab.commits, crashed: lab.lives > 1, problems };
  } finally {
    await lab.close();
  }
}

class CrashLab {
  readonly #folder = mkdtempSync(join(tmpdir(), 'crash-lab-'));
  readonly #stop: StopAt;
  readonly #logger = new CollectingLogger();
  readonly #agent = new FakeAgent(['a', 'b', 'c', 'd']);
  readonly #store = new MemoryStore();
  readonly #lines = new Set<Duplex>();
  readonly touches: Touch[] = [];
  config = configOf('a', 'b', 'c');
  commits = 0;
  lives = 0;
  #server: LabServer | undefined;
  #starting: Promise<void> = Promise.resolve();
  #isClosed = false;
  readonly #over = Promise.withResolvers<void>();
  #ending: Promise<void> | undefined;

  constructor(stop: StopAt) {
    this.#stop = stop;
    this.#agent.onStart = (job) => this.#runJob(job);
  }

  /** What the server calls an error of its own. */
  get complaints(): string[] {
    return this.#logger.lines.filter(({ level }) => level === 'error').map((one) => JSON.stringify(one));
  }

  start(): Promise<void> {
    this.#starting = this.#startServer();
    return this.#starting;
  }

  async #startServer(): Promise<void> {
    this.lives += 1;
    const life = this.lives;
    const isFirst = life === 1;
    const images = new Images(join(this.#folder, 'images'), this.config.limits);
    await images.start();
    const store = this.#store.reopen();
    const stopping = {
      isOver: this.#over.promise,
      onStop: () => this.#die(),
      onCommit: () => {
        if (isFirst) this.commits += 1;
      },
    };
    const server = await this.#unlessDead(
      LabServer.start({
        config: this.config,
        loadConfig: async () => ({ ok: true, config: this.config, warnings: [] }),
        store: isFirst ? stopAt(store, this.#stop, stopping) : store,
        images,
        consoleFolder: join(this.#folder, 'consoles'),
        stateFolder: this.#folder,
        version: 'crash',
        time: { nowMs: () => performance.now(), wallMs: () => Date.now() },
        logger: this.#logger,
        connectAgent: (signal) => this.#connectAgent(life, signal),
        isRoot: () => true,
        onFatal: (message) => this.#logger.error('fatal', { message }),
        acceptClock: false,
        users: { nameOf: async (uid) => `user-${uid}`, idOf: async () => undefined },
        openKeeper: () => {
          throw new Error('this lab has no lock files');
        },
      }),
    );
    if (!server) return;
    this.#server = server;
    await this.#unlessDead(server.agents.firstBoards);
  }

  #death = Promise.withResolvers<void>();

  /** The agent is whose server lives. */
  #connectAgent(life: number, signal: AbortSignal): Promise<Duplex> {
    if (life === this.lives && !this.#isClosed) return this.#agent.connect();
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  /** A server that is killed on its way up never gets there. */
  #unlessDead<T>(step: Promise<T>): Promise<T | undefined> {
    return Promise.race([step, this.#death.promise.then(() => undefined)]);
  }

  /** In the middle of a commit that never ends: nothing that it would do or say afterwards comes about. */
  #die(): void {
    const dead = this.#server;
    this.#server = undefined;
    for (const line of this.#lines) line.destroy();
    this.#lines.clear();
    this.#agent.cut();
    this.#death.resolve();
    this.#death = Promise.withResolvers();
    // Its core waits for that commit, and so does its end; what it has begun to write is let through first.
    this.#ending = dead?.stop();
    if (!this.#isClosed) this.#starting = written(dead).then(() => this.#startServer());
  }

  readonly openLink: OpenLink = async (handlers) => {
    await this.#starting;
    const server = this.#server;
    if (!server) throw new Error('nobody answers');
    const [ours, theirs] = duplexPair();
    for (const line of [ours, theirs]) this.#lines.add(line.on('error', () => undefined));
    theirs.once('data', (head: Buffer) => {
      const end = head.indexOf('\r\n\r\n') + 4;
      theirs.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${channelUpgrade}\r\n\r\n`,
      );
      serveChannel({
        lab: server,
        // What the channel uses of it any byte stream has.
        socket: theirs as unknown as Socket,
        head: head.subarray(end),
        caller: () => ({ user, admin: true }),
        isPeerGone: () => false,
      });
    });
    return frameLink(ours, handlers);
  };

  #runJob(job: number): void {
    const start = this.#agent.heardOf('start').findLast((one) => one.job === job);
    const [label = '', lines = '0'] = start?.spec.files[0]?.name.split('.') ?? [];
    if (!start || this.touches.some((touch) => touch.label === label)) return;
    this.touches.push({ board: start.board, what: 'start', label });
    this.#agent.say(job, consoleOf(label, Number(lines)));
    this.touches.push({ board: start.board, what: 'end', label });
    this.#agent.end(job);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const line of this.#lines) line.destroy();
    this.#over.resolve();
    await Promise.all([this.#ending, this.#server?.stop()]);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function written(dead: LabServer | undefined): Promise<void> {
  await dead?.consoles.close();
}
