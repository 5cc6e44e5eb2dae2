// A lab to throw bad input at: the real server on a real database, the real agent on boards that do little, all in this
// process, in a folder of its own. What must not happen, it notes in `problems`.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { Agent } from '../../agent/agent.ts';
import { systemClock } from '../../platform/clock.ts';
import { entryUrl } from '../../platform/entry-url.ts';
import { defaultLimits, defaultRetention, type LabConfig } from '../../protocol/lab.ts';
import type { OperationName, RequestOf, ResponseOf } from '../../protocol/operations.ts';
import { Images } from '../../server/images.ts';
import { LabServer } from '../../server/lab-server.ts';
import type { Handler } from '../../server/operations/call.ts';
import { handlers } from '../../server/operations/table.ts';
import type { Store } from '../../store/contract.ts';
import { openSqliteStore } from '../../store/sqlite/store.ts';
import { CollectingLogger } from '../collecting-logger.ts';
import { checkInvariants } from '../simulation/invariants.ts';
import { fuzzBoard } from './fuzz-board.ts';

export const boardNames = ['pc1', 'pc2', 'sabre'] as const;
/** A board that no input names: an ordinary client must get it at any time. */
export const quietBoard = 'quiet';
export const users = ['ana', 'ben', 'eve', 'root'] as const;

export function fuzzConfig(): LabConfig {
  const board = (name: string) => ({
    name,
    aliases: name === 'pc1' ? ['first'] : [],
    attributes: name === quietBoard ? {} : { arch: 'x86', soc: name },
    files: { plain: { min: 0, max: 4 }, linux: { min: 0, max: 4 } },
    takesLinux: true,
    takesDtb: true,
    machine: { driver: 'script' as const, path: '/bin/true' },
  });
  return {
    name: 'Fuzzed lab',
    boards: [...boardNames, quietBoard].map(board),
    pools: [{ name: 'pool', boards: [...boardNames], spread: true }],
    priorityHigh: ['ana'],
    force: 'anyone',
    admins: ['root'],
    gatherSeconds: 1,
    discipline: 'turns',
    setFromKey: '^([a-z]+)-',
    limits: {
      ...defaultLimits,
      imageBytesMax: 100_000,
      imagesBytesMax: 1_000_000,
      logBytesMax: 100_000,
      ticketsPerUser: 40,
      queueLength: 60,
      jobSecondsMax: 1,
    },
    retention: defaultRetention,
  };
}

export interface FuzzLabOptions {
  /** The server's state is below it. */
  readonly folder: string;
  /** Instead of the real agent: the server's end of a connection to one. */
  readonly connectAgent?: (signal: AbortSignal) => Promise<Duplex>;
  /** Instead of the real database. */
  readonly store?: Store;
}

export class FuzzLab {
  readonly server: LabServer;
  readonly logger: LoggerThatMinds;
  readonly #agent: Agent | undefined;
  #hurryMs = 0;
  #ids = 0;

  static async open(options: FuzzLabOptions): Promise<FuzzLab> {
    const { folder } = options;
    const logger = new LoggerThatMinds();
    const path = join(folder, 'mq.db');
    const store =
      options.store ?? (await openSqliteStore({ path, threadUrl: entryUrl('store/sqlite/thread.ts') }));
    const images = new Images(join(folder, 'images'), fuzzConfig().limits);
    await images.start();
    const agent = options.connectAgent ? undefined : await openAgent(join(folder, 'agent'), logger);
    const connectAgent = async (signal: AbortSignal): Promise<Duplex> => {
      if (options.connectAgent) return options.connectAgent(signal);
      const [ours, theirs] = duplexPair();
      agent?.accept(theirs);
      return ours;
    };
    // Only once there is a server may time run ahead.
    const late: { lab?: FuzzLab } = {};
    const server = await LabServer.start({
      config: fuzzConfig(),
      loadConfig: async () => ({ ok: true, config: fuzzConfig(), warnings: [] }),
      store,
      images,
      consoleFolder: join(folder, 'consoles'),
      stateFolder: folder,
      version: '1.2.3',
      time: { nowMs: () => performance.now() + (late.lab ? late.lab.#hurryMs : 0), wallMs: () => Date.now() },
      logger,
      connectAgent,
      isRoot: (uid) => uid === 0,
      onFatal: (message) => logger.error('a step failed', { message }),
      acceptClock: false,
      users: { nameOf: async (uid) => `user-${uid}`, idOf: async () => undefined },
      openKeeper: () => {
        throw new Error('this lab has no lock files');
      },
    });
    const lab = new FuzzLab(server, logger, agent);
    late.lab = lab;
    return lab;
  }

  private constructor(server: LabServer, logger: LoggerThatMinds, agent: Agent | undefined) {
    this.server = server;
    this.logger = logger;
    this.#agent = agent;
  }

  /** Settling is over, and boards are granted. */
  async settle(): Promise<void> {
    await this.server.agents.firstBoards;
    await this.pass(5_000);
  }

  async pass(ms: number): Promise<void> {
    this.#hurryMs += ms;
    await this.server.core.run({ name: 'tick', body: {} });
  }

  call<N extends OperationName>(user: string, name: N, body: RequestOf<N>): Promise<ResponseOf<N>> {
    const caller = { user, admin: user === 'root' };
    const call = { lab: this.server, caller, session: undefined, again: false, signal: undefined };
    return (handlers[name] as Handler<N>)(call, body);
  }

  newId(): string {
    this.#ids += 1;
    return `the-lab-${this.#ids}`;
  }

  async checkState(): Promise<string[]> {
    const problems = await this.server.core.read((state) => checkInvariants(state));
    return [...problems, ...this.logger.problems.splice(0)];
  }

  /** What the server may not have done meanwhile, and whether it still serves an ordinary client. */
  async check(): Promise<string[]> {
    const problems = await this.checkState();
    const { ticket, view } = await this.call('sam', 'submit', {
      requestId: this.newId(),
      target: quietBoard,
      kind: 'lock',
      key: 'k',
    });
    if (view.state !== 'offered') return [...problems, `sam was not offered ${quietBoard}: ${view.state}`];
    await this.call('sam', 'confirm', { requestId: this.newId(), ticket, token: view.token });
    const release = { requestId: this.newId(), target: quietBoard, key: 'k' };
    const { outcomes } = await this.call('sam', 'release', release);
    if (outcomes[0]?.outcome !== 'released')
      problems.push(`sam could not give ${quietBoard} back: ${JSON.stringify(outcomes)}`);
    return problems;
  }

  /** Ends what has gathered, so that what comes next does not meet full queues only. */
  async clear(): Promise<void> {
    for (const user of users) await this.call(user, 'cancel', { requestId: this.newId(), mine: true });
    const targets = [...boardNames];
    await this.call('root', 'board', { requestId: this.newId(), targets, action: 'resume' });
    for (const target of targets)
      await this.call('root', 'release', { requestId: this.newId(), target, key: '', force: true });
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.#agent?.stop('the fuzzing is over');
    this.#agent?.close();
  }
}

async function openAgent(folder: string, logger: CollectingLogger): Promise<Agent> {
  await mkdir(folder, { recursive: true });
  let ids = 0;
  const agent = new Agent({
    folder,
    drivers: fuzzBoard,
    clock: systemClock,
    logger,
    version: 'fuzzed',
    newId: () => `id-${process.pid}-${++ids}`,
  });
  await agent.start();
  return agent;
}

/** What the server calls an error of its own must not happen. The rest is not kept. */
class LoggerThatMinds extends CollectingLogger {
  readonly problems: string[] = [];

  override error(message: string, fields: Record<string, unknown> = {}): void {
    if (
      !/^(a step failed|an effect was not|an operation failed|a route failed|an upgrade failed)/.test(message)
    )
      return;
    const { error, ...rest } = fields;
    const why = error instanceof Error ? error.stack : String(error);
    this.problems.push(`the server says: ${message} ${JSON.stringify(rest)} ${why}`);
  }

  override warn(): void {}

  override info(): void {}

  override child(): CollectingLogger {
    return this;
  }
}
