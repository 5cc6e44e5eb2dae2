// The lab as one running thing: scheduler and store behind the core, the agent, consoles, images and connected
// clients, and the wiring between them. The operations (operations/) are what clients may ask of it.
import type { Caller, Effect } from '../domain/commands.ts';
import type { TicketOutcome, Token } from '../domain/records.ts';
import { formatToken } from '../domain/records.ts';
import { replay } from '../domain/scheduler.ts';
import { State } from '../domain/state.ts';
import { standardTiming, type Timing } from '../domain/timing.ts';
import { systemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { LabConfig } from '../protocol/lab.ts';
import type { JobView } from '../protocol/views.ts';
import type { Store } from '../store/contract.ts';
import { Agents, type AgentsOptions } from './agents.ts';
import { ConsoleInput } from './console-input.ts';
import { Consoles } from './consoles.ts';
import { Core } from './core.ts';
import { toDefinition } from './definition.ts';
import { FreeWaits } from './free-waits.ts';
import type { Images } from './images.ts';
import type { OpenKeeper } from './lock-files/keeper.ts';
import { LabLockFiles } from './lock-files/lab-lock-files.ts';
import type { LockFileUsers } from './lock-files/lock-files.ts';
import { Tally } from './metrics/tally.ts';
import { neededImages } from './needed-images.ts';
import { type LoadedConfig, Reloader } from './reload.ts';
import { type DiskUse, Retention } from './retention.ts';
import { Room } from './room.ts';
import { clockJumpMaxMs, SchedulerClock, type TimeSource } from './scheduler-clock.ts';
import { Sessions } from './sessions.ts';
import { TicketNews } from './ticket-news.ts';
import { type JobExtras, viewJob, viewOutcome } from './views.ts';
import { Watches } from './watches.ts';

/** After a start clients get this long to come back before anything is granted. */
const settleMs = 2_000;

export interface LabServerOptions {
  /** What the lab starts with. */
  readonly config: LabConfig;
  /** Reads the configuration again. */
  readonly loadConfig: () => Promise<LoadedConfig>;
  readonly store: Store;
  readonly images: Images;
  readonly consoleFolder: string;
  /** Holds that folder, the images and all else that the lab writes. */
  readonly stateFolder: string;
  readonly version: string;
  readonly time: TimeSource;
  readonly logger: Logger;
  readonly connectAgent: AgentsOptions['connect'];
  /** Users who may do anything, beside the configuration's admins. */
  readonly isRoot: (uid: number) => boolean;
  /** The outcome of a commit is unknown, or the agent is not ours: leave the process. */
  readonly onFatal: (message: string) => void;
  /** The wall clock is right although it is more than a day ahead of the last commit. */
  readonly acceptClock: boolean;
  readonly timing?: Timing;
  /** Numbers and names of users, for lock files. */
  readonly users: LockFileUsers;
  /** Who works on lock files, where the lab has any. */
  readonly openKeeper: OpenKeeper;
}

export class ClockError extends Error {}

export class LabServer {
  readonly version: string;
  readonly core: Core;
  readonly store: Store;
  readonly images: Images;
  readonly consoles: Consoles;
  readonly input: ConsoleInput;
  readonly sessions: Sessions;
  readonly agents: Agents;
  readonly freeWaits = new FreeWaits();
  readonly watches: Watches;
  readonly lockFiles: LabLockFiles;
  readonly ticketNews = new TicketNews();
  readonly tally = new Tally();
  readonly logger: Logger;
  readonly clock: SchedulerClock;
  /** Loads the configuration again. */
  readonly reloader: Reloader;
  readonly #retention: Retention;
  #config: LabConfig;
  readonly connections = new Room('connections', {
    value: () => this.config.limits.connections,
    what: 'connections',
  });
  readonly consoleReaders = new Room('consoleReaders', {
    value: () => this.config.limits.consoleReaders,
    what: 'readers of consoles',
  });
  readonly #matches = new Map<number, { end: number; open: boolean }>();
  readonly #isRoot: (uid: number) => boolean;

  /** Loads the store, settles clients and agent. Throws StoreError, or ClockError with what to do. */
  static async start(options: LabServerOptions): Promise<LabServer> {
    const loaded = await options.store.load();
    const state = new State();
    replay(state, loaded.changes);
    checkClock(state, loaded.now, options);
    const clock = new SchedulerClock(options.time, loaded.now);
    const server = new LabServer(options, state, clock, loaded.answers);
    await server.core.run({ name: 'restart', body: { settleMs } });
    const before = state.lab;
    const lab = toDefinition(options.config);
    await server.core.run({ name: 'configure', body: { lab, by: 'system' } });
    server.lockFiles.use(lab, before);
    server.agents.start();
    server.#retention.start();
    return server;
  }

  private constructor(
    options: LabServerOptions,
    state: State,
    clock: SchedulerClock,
    answers: Awaited<ReturnType<Store['load']>>['answers'],
  ) {
    const { config, store, logger } = options;
    this.#config = config;
    this.version = options.version;
    this.store = store;
    this.images = options.images;
    this.logger = logger;
    this.clock = clock;
    this.#isRoot = options.isRoot;
    this.consoles = new Consoles(options.consoleFolder, () => this.config.limits);
    this.core = new Core(
      {
        state,
        store,
        clock,
        timing: options.timing ?? standardTiming,
        onEffects: (effects) => this.#onEffects(effects),
        onBug: (error, command) => logger.error('a step failed', { error, command: command.name }),
        onRefused: (message) => logger.error('a commit was refused', { message }),
        onBatch: (report) => this.tally.onBatch(report),
        onFatal: options.onFatal,
      },
      answers,
    );
    this.sessions = new Sessions({
      onDetach: (ticket, gone) => this.#quietly(this.core.run({ name: 'detach', body: { ticket, gone } })),
      onAlive: (ticket) => this.#quietly(this.core.run({ name: 'alive', body: { ticket } })),
      onBack: (ticket) => this.#quietly(this.core.run({ name: 'attach', body: { ticket } })),
    });
    this.input = new ConsoleInput(systemClock, (board, token) =>
      this.#quietly(this.core.run({ name: 'touch', body: { board, token } })),
    );
    this.watches = new Watches(this);
    this.agents = new Agents({
      connect: options.connectAgent,
      config: () => this.config,
      core: this.core,
      consoles: this.consoles,
      images: options.images,
      logger: logger.child({ part: 'agent' }),
      onMatch: (job, match) => this.#onMatch(job, match),
    });
    const { users, openKeeper } = options;
    const part = logger.child({ part: 'lock-files' });
    this.lockFiles = new LabLockFiles({ core: this.core, users, openKeeper, logger: part });
    this.reloader = new Reloader({
      load: options.loadConfig,
      apply: (changed, by) => this.#apply(changed, by),
      started: config,
      logger,
    });
    this.images.protect(() => this.core.read(neededImages));
    this.#retention = this.#keepInBounds(options);
  }

  #keepInBounds({ store, stateFolder, logger }: LabServerOptions): Retention {
    return new Retention({
      store,
      consoles: this.consoles,
      images: this.images,
      stateFolder,
      measuredApart: ['consoles', 'images'],
      rules: () => this.config.retention,
      wallMs: () => this.clock.wallAt(),
      logger: logger.child({ part: 'retention' }),
    });
  }

  /** The lab as it is configured now. Ask each time: another one may be loaded at any moment. */
  get config(): LabConfig {
    return this.#config;
  }

  /** In one step with the commit: whoever reads the state finds this configuration with it. */
  async #apply(config: LabConfig, by: string): Promise<{ before: LabConfig; leaving: readonly string[] }> {
    let before = this.#config;
    let leaving: string[] = [];
    const lab = toDefinition(config);
    await this.core.run({ name: 'configure', body: { lab, by } }, (state) => {
      before = this.#config;
      this.#config = config;
      this.images.takeUpTo(config.limits);
      this.agents.changeBoards(state);
      this.lockFiles.use(lab, toDefinition(before));
      leaving = [...state.boards.values()].filter(({ removed }) => removed).map(({ name }) => name);
    });
    return { before, leaving };
  }

  /** Holds all that the lab writes. */
  get stateFolder(): string {
    return this.#retention.stateFolder;
  }

  /** How much of the disk is taken; undefined until it was first measured, soon after the start. */
  get diskUse(): DiskUse | undefined {
    return this.#retention.diskUse;
  }

  /** Who is at the other end of a local socket, as the kernel named them. */
  callerOf(peer: { uid: number; user: string }): Caller {
    return { user: peer.user, admin: this.#isRoot(peer.uid) || this.config.admins.includes(peer.user) };
  }

  extras = (job: number): JobExtras => ({
    consoleLength: this.consoles.lengthOf(job),
    match: this.#matches.get(job),
  });

  /** Grants nothing more. Resolves when every job can outlive this process: its agent has all that it needs. */
  async drain(deadline: AbortSignal): Promise<void> {
    await this.core.run({ name: 'drain', body: {} });
    while (!deadline.aborted) {
      const starting = await this.core.read((state) =>
        [...state.jobs.values()].some((job) => job.state === 'starting'),
      );
      if (!starting) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async stop(): Promise<void> {
    await this.#retention.stop();
    this.tally.stop();
    this.watches.stop();
    this.sessions.stop();
    this.lockFiles.stop();
    this.input.stop();
    await this.agents.stop({ retire: true });
    await this.core.stop();
    await this.consoles.close();
    await this.store.close();
  }

  #onEffects(effects: readonly Effect[]): void {
    for (const effect of effects) {
      try {
        this.#onEffect(effect);
      } catch (error) {
        this.logger.error('an effect was not carried out', { effect: effect.kind, error });
      }
    }
  }

  #onEffect(effect: Effect): void {
    switch (effect.kind) {
      case 'offer': {
        const { ticket, board, token, boards } = effect;
        this.ticketNews.note(ticket);
        if (!this.sessions.ownerOf(ticket)) return this.#quietly(this.#confirmDetached(ticket, token));
        return this.sessions.send(ticket, {
          event: 'ticket',
          view: {
            state: 'offered',
            ticket,
            board,
            token: formatToken(token),
            ...(boards ? { boards: [...boards] } : {}),
          },
        });
      }
      case 'ticket-waiting':
        this.ticketNews.note(effect.ticket);
        return this.sessions.send(effect.ticket, {
          event: 'ticket',
          view: { state: 'waiting', ticket: effect.ticket, reasons: [] },
        });
      case 'ticket-ended':
        this.ticketNews.note(effect.ticket);
        return this.#endTicket(effect.ticket, effect.outcome);
      case 'start-job':
        this.ticketNews.note(effect.job.id);
        return this.agents.act(effect);
      case 'job-changed':
        return this.#sendJob(viewJob(effect.job, this.extras(effect.job.id)), effect.message);
      case 'board-free':
        return this.freeWaits.note(effect.board, effect.token);
      case 'ping':
        return this.sessions.ping(effect.ticket);
      case 'lock-ended':
        return this.#onLockEnded(effect);
      case 'lock-file':
        return this.lockFiles.note(effect.board);
      default:
        return this.agents.act(effect);
    }
  }

  /** One that has another holder now is over for whoever follows it; of others `board-free` tells the end. */
  #onLockEnded({ lock, reason, by, note }: Extract<Effect, { kind: 'lock-ended' }>): void {
    if (reason !== 'given' && reason !== 'stolen') return;
    const what = reason === 'given' ? `${by} gave it to another` : `${by} took it over`;
    this.freeWaits.note(lock.board, lock.token, note === '' ? what : `${what}: ${note}`);
  }

  /** Of a detached ticket whose client has left, the server is the client. */
  async #confirmDetached(id: number, token: Token): Promise<void> {
    const ticket = await this.core.read((state) => state.tickets.get(id));
    if (!ticket?.detached) return;
    await this.core.run({ name: 'confirm', body: { user: ticket.user, ticket: id, token } });
  }

  #endTicket(ticket: number, outcome: TicketOutcome): void {
    this.sessions.send(ticket, { event: 'ticket', view: viewOutcome({ id: ticket }, outcome) });
    this.sessions.disown(ticket);
  }

  #sendJob(job: JobView, message?: string): void {
    this.sessions.send(job.id, { event: 'job', job, ...(message === undefined ? {} : { message }) });
    if (job.state !== 'ended') return;
    this.sessions.disown(job.id);
    this.#matches.delete(job.id);
    this.input.forget(job.id);
    // Also where no agent told the end: who follows the console comes to it.
    this.#quietly(this.consoles.finish(job.id));
  }

  /** Told at once, so that it is ahead of the console bytes behind the text. */
  async #onMatch(job: number, match: { end: number; open: boolean }): Promise<void> {
    this.#matches.set(job, match);
    const record = await this.core.read((state) => state.jobs.get(job));
    if (record) this.#sendJob(viewJob(record, this.extras(job)));
  }

  /** What fails here is said in the log; the scheduler's own timers make good for what was lost. */
  #quietly(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.logger.warn('not done', { error }));
  }
}

function checkClock(state: State, lastAt: number, options: LabServerOptions): void {
  const aheadMs = options.time.wallMs() - lastAt;
  if (lastAt === 0 || aheadMs <= clockJumpMaxMs || options.acceptClock || state.timers.size === 0) return;
  const hours = Math.round(aheadMs / 3_600_000);
  throw new ClockError(
    `The clock is ${hours} hours ahead of this lab's last change, and ${state.timers.size} waits or holds would run out. ` +
      'If the clock is right, start with --accept-clock; else set it right first.',
  );
}
