// The server's side of its agents: finds or starts the agent of this host, tells the scheduler which boards are there,
// carries effects to it and its reports back. Everything may be said twice; the agent and the scheduler don't mind.
import type { Duplex } from 'node:stream';
import type { Effect } from '../domain/commands.ts';
import type { JobRecord, JobResult } from '../domain/records.ts';
import { parseToken } from '../domain/records.ts';
import type { State } from '../domain/state.ts';
import type { Logger } from '../platform/logger.ts';
import { type AgentToServer, agentProtocol, type ServerToAgent } from '../protocol/agent-messages.ts';
import type { LabConfig } from '../protocol/lab.ts';
import { AgentLink } from './agent-link.ts';
import { naming, orderOf } from './agent-orders.ts';
import { BoardPowers } from './board-powers.ts';
import type { Consoles } from './consoles.ts';
import type { Core } from './core.ts';
import { agentBoards } from './definition.ts';
import type { Images } from './images.ts';
import { pause } from './pause.ts';

export interface AgentsOptions {
  /** Connects to the agent, starting it where there is none. Rejects where that fails; it is tried again. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  /** The lab as it is configured now. */
  readonly config: () => LabConfig;
  readonly core: Core;
  readonly consoles: Consoles;
  readonly images: Images;
  readonly logger: Logger;
  /** The end or error text of a job has come. */
  readonly onMatch: (job: number, match: { end: number; open: boolean }) => Promise<void>;
}

const retryMs = [20, 50, 100, 200, 500, 1_000, 2_000] as const;
/** An agent that says nothing for so long hangs: its link is cut, and it is away until it answers again. */
/** A link that lasted so long was a good one. */
const steadyMs = 5_000;
const pingEveryMs = 5_000;
/** How long the last word to an agent may take to leave. */
const farewellMs = 500;
const silenceMaxMs = 20_000;

export class Agents {
  /** What boards can do without a job, and what became of what their holders asked for. */
  readonly powers = new BoardPowers();
  readonly #options: AgentsOptions;
  readonly #stop = new AbortController();
  #link: AgentLink | undefined;
  /** The link on which the agent has been given its boards. */
  #welcomed: AgentLink | undefined;
  /** Boards that it said it can't drive, with why: each is told once. */
  readonly #failed = new Map<string, string>();
  #known = new Map<number, 'starting' | 'running' | 'ended'>();
  #present: readonly string[] = [];
  #highest = '0.0';
  #lastWord = 0;
  /** Connections in a row that came to nothing. */
  #failures = 0;
  /** The messages of a job are handled one after the other; jobs do not wait for each other. */
  readonly #chains = new Map<number, Promise<void>>();
  #loop: Promise<void> | undefined;
  readonly #firstBoards = Promise.withResolvers<void>();

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  /** Resolves when an agent has first said which boards are ready. */
  get firstBoards(): Promise<void> {
    return this.#firstBoards.promise;
  }

  start(): void {
    this.#loop = this.#keepConnected();
  }

  /** `retire`: no server will need the agent soon; it leaves when its jobs have ended. */
  async stop(options: { retire: boolean }): Promise<void> {
    if (options.retire) {
      this.#link?.send({ type: 'retire' });
      await Promise.race([this.#link?.flush(), pause(farewellMs, this.#stop.signal)]);
    }
    this.#stop.abort();
    this.powers.stop();
    this.#link?.close();
    await this.#loop;
  }

  /** Carries out what the scheduler wants done at the boards. Without a link nothing is lost: a resync says it again. */
  act(effect: Effect): void {
    const order = orderOf(effect, { jobMaxSeconds: this.#options.config().limits.jobSecondsMax });
    if (effect.kind === 'power') this.powers.expect(effect.request);
    if (effect.kind === 'start-job' && this.#link) this.#openConsole(effect.job);
    if (order) this.send(order);
  }

  /** Lost without a link. */
  send(message: ServerToAgent): void {
    this.#link?.send(message);
  }

  write(job: JobRecord, bytes: string): void {
    this.#link?.send({ type: 'write', ...naming(job), bytes });
  }

  /** Another configuration: the agent gets its boards before any action that was decided under it. */
  changeBoards(state: State): void {
    if (this.#welcomed === undefined || this.#welcomed !== this.#link) return;
    const { logBytesMax } = this.#options.config().limits;
    this.#welcomed.send({ type: 'boards', boards: agentBoards(state), logBytesMax });
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        const stream = await this.#options.connect(signal);
        const since = performance.now();
        await this.#serve(stream);
        if (performance.now() - since > steadyMs) this.#failures = 0;
        else await this.#backOff(this.#failures++);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.logger.warn('the agent can not be reached', { error: String(error) });
        await this.#backOff(this.#failures++);
      }
    }
  }

  /** Also behind a link that broke at once: what broke it, such as a full disk, is likely still there. */
  #backOff(failures: number): Promise<void> {
    return pause(retryMs[Math.min(failures, retryMs.length - 1)] ?? 2_000, this.#stop.signal);
  }

  /** Serves one connection to its end. */
  #serve(stream: Duplex): Promise<void> {
    return new Promise((resolve) => {
      this.#lastWord = performance.now();
      let nonce = 0;
      const link = new AgentLink(stream, {
        onMessage: (message) => this.#onMessage(message),
        onConsole: (frame) => this.#onConsole(frame),
        onClose: (error) => {
          clearInterval(pings);
          if (error) this.#options.logger.warn('the link to the agent broke', { error: String(error) });
          this.#onClose().finally(resolve);
        },
      });
      const pings = setInterval(() => {
        if (performance.now() - this.#lastWord > silenceMaxMs)
          link.close(new Error('the agent does not answer'));
        else link.send({ type: 'ping', nonce: ++nonce });
      }, pingEveryMs);
      this.#link = link;
    });
  }

  async #onClose(): Promise<void> {
    this.#link = undefined;
    const boards = this.#present;
    this.#present = [];
    this.#known = new Map();
    if (boards.length > 0) await this.#tellAway(boards);
  }

  /** Until it is stored: a board whose agent is away must not count as free. */
  async #tellAway(boards: readonly string[]): Promise<void> {
    const { core, logger } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; ; failures += 1) {
      try {
        await core.run({ name: 'agentAway', body: { boards } });
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.error('that the agent is away was not stored', { error: String(error) });
        await this.#backOff(failures);
      }
    }
  }

  /** What is returned holds up the link: only what console bytes behind the message have to wait for. */
  #onMessage(message: AgentToServer): Promise<void> | undefined {
    this.#lastWord = performance.now();
    const link = this.#link;
    const work = () => this.#run(message.type, link, () => this.#handle(message));
    if (!('job' in message)) {
      void work();
      return undefined;
    }
    const done = (this.#chains.get(message.job) ?? Promise.resolve()).then(work);
    this.#chains.set(message.job, done);
    void done.then(() => {
      if (this.#chains.get(message.job) === done) this.#chains.delete(message.job);
    });
    return message.type === 'completed' || message.type === 'console-gap' ? done : undefined;
  }

  /** A report that could not be stored is said again by the agent after a reconnect: cut the link to get there. */
  async #run(what: string, link: AgentLink | undefined, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#options.logger.error('a report of the agent was not taken', { what, error: String(error) });
      await pause(500, this.#stop.signal);
      link?.close(new Error('a report could not be stored'));
    }
  }

  async #handle(message: AgentToServer): Promise<void> {
    const { core } = this.#options;
    switch (message.type) {
      case 'hello':
        return this.#welcome(message);
      case 'boards':
        return this.#onBoards(message);
      case 'need-image':
        return this.#sendImage(message);
      case 'started':
        this.#known.set(message.job, 'running');
        return void (await core.run({
          name: 'jobStarted',
          body: { job: message.job, token: parseToken(message.token) },
        }));
      case 'completed':
        return this.#options.onMatch(message.job, { end: message.matchEnd, open: message.open });
      case 'console-gap':
        return this.#onGap(message);
      case 'ended':
        return this.#onEnded(message);
      case 'powered-off':
        return this.#onPoweredOff(message);
      case 'power-done':
        return this.#onPowerDone(message);
      case 'refused':
        this.#options.logger.error('the agent refused an action', { ...message });
        return;
      case 'pong':
        return;
    }
  }

  async #welcome(hello: Extract<AgentToServer, { type: 'hello' }>): Promise<void> {
    if (hello.protocol !== agentProtocol) {
      throw new Error(
        `the agent speaks protocol ${hello.protocol}, this server ${agentProtocol}: stop the old agent`,
      );
    }
    const { consoles, config, core } = this.#options;
    const link = this.#link;
    this.#known = new Map(hello.jobs.map((job) => [job.id, job.state]));
    this.#highest = hello.highestToken;
    const consoleFrom: { job: number; offset: number }[] = [];
    for (const job of hello.jobs) consoleFrom.push({ job: job.id, offset: await consoles.reset(job.id) });
    await core.read((state) => {
      const { name: server, limits } = config();
      const { logBytesMax } = limits;
      const boards = agentBoards(state);
      link?.send({ type: 'welcome', protocol: agentProtocol, server, boards, consoleFrom, logBytesMax });
      if (link !== this.#link) return;
      this.#welcomed = link;
      this.#failed.clear();
      this.powers.forgetAbilities();
    });
    await this.#cancelStrangers(hello);
    this.#options.logger.info('the agent is here', { pid: hello.pid, jobs: hello.jobs.length });
  }

  /** A job that the agent still runs and the scheduler has no more, such as one given up by hand on a broken board. */
  async #cancelStrangers(hello: Extract<AgentToServer, { type: 'hello' }>): Promise<void> {
    const live = hello.jobs.filter((job) => job.state !== 'ended');
    const strangers = await this.#options.core.read((state) => live.filter((job) => !state.jobs.has(job.id)));
    const why = 'the server no longer has this job';
    for (const { id, token } of strangers) this.#link?.send({ type: 'cancel', job: id, token, why });
  }

  /** Also after a change of the boards, when most of them are present already: of those only what is new counts. */
  async #onBoards(message: Extract<AgentToServer, { type: 'boards' }>): Promise<void> {
    const { core } = this.#options;
    const link = this.#link;
    const names = [...message.ready, ...message.failed.map((one) => one.board)];
    this.#present = [...new Set([...this.#present, ...names])];
    const away = await core.read(
      (state) => new Set(names.filter((name) => state.boards.get(name)?.agent === 'away')),
    );
    this.powers.learn(message);
    for (const name of message.ready) this.#failed.delete(name);
    for (const { board, why } of message.failed) {
      const isNew = away.has(board) || this.#failed.get(board) !== why;
      this.#failed.set(board, why);
      if (isNew) await core.run({ name: 'boardFailed', body: { board, why } });
    }
    // The end of that link has told that they are away.
    if (link !== this.#link) return;
    const jobs = [...this.#known].map(([id, state]) => ({ id, state }));
    const highest = parseToken(this.#highest);
    await core.run({ name: 'agentPresent', body: { boards: [...away], jobs, highest } });
    this.#firstBoards.resolve();
  }

  /** For the job that is started in this turn. */
  #openConsole(job: JobRecord): void {
    const { consoles, logger } = this.#options;
    consoles.open(job.id).catch((error: unknown) => {
      logger.error('a console can not be opened', { job: job.id, error: String(error) });
    });
    this.#known.set(job.id, 'starting');
  }

  async #sendImage(message: Extract<AgentToServer, { type: 'need-image' }>): Promise<void> {
    const { transfer, hash } = message;
    const size = await this.#options.images.sizeOf(hash);
    const link = this.#link;
    if (size === undefined)
      return link?.send({ type: 'image-missing', transfer, hash, why: 'the server no longer has it' });
    link?.send({ type: 'image-size', transfer, hash, size });
    await link?.sendFile(transfer, this.#options.images.read(hash));
  }

  async #onConsole(frame: { job: number; offset: number; atMs: number; bytes: Buffer }): Promise<void> {
    this.#lastWord = performance.now();
    // Of no job that it has: a log would be opened for it, and never closed.
    if (!this.#known.has(frame.job)) return;
    const taken = await this.#options.consoles.append(frame.job, frame);
    // A write failed (disk full) or bytes are missing: a new hello asks for them again from where the log stands.
    if (!taken) throw new Error(`console bytes of job ${frame.job} could not be stored`);
  }

  async #onGap(gap: Extract<AgentToServer, { type: 'console-gap' }>): Promise<void> {
    if (!this.#known.has(gap.job)) return;
    const taken = await this.#options.consoles.skip(gap.job, gap);
    if (!taken) throw new Error(`a gap in the console of job ${gap.job} could not be stored`);
  }

  /** The result counts only when all console bytes are here; the agent repeats it until it is told to forget. */
  async #onEnded(message: Extract<AgentToServer, { type: 'ended' }>): Promise<void> {
    const { core, consoles } = this.#options;
    const { job, result } = message;
    const length = await consoles.settle(job);
    if (length < result.consoleLength) throw new Error(`job ${job} ended, but console bytes are missing`);
    const stored: JobResult = {
      verdict: result.verdict,
      detail: result.detail,
      mayBeOn: result.mayBeOn,
      consoleLength: length,
      ...(result.exitCode === undefined ? {} : { exitCode: result.exitCode }),
      ...(result.matchEnd === undefined ? {} : { matchEnd: result.matchEnd }),
    };
    this.#known.set(job, 'ended');
    await core.run({ name: 'jobEnded', body: { job, token: parseToken(message.token), result: stored } });
    await consoles.finish(job);
    this.#known.delete(job);
    this.#link?.send({ type: 'forget', job });
    this.#failures = 0;
  }

  /** The scheduler first: who asked finds the board as it is then. */
  async #onPowerDone(message: Extract<AgentToServer, { type: 'power-done' }>): Promise<void> {
    const { board, request, outcome, detail } = message;
    await this.#options.core.run({
      name: 'powered',
      body: { board, request, ok: outcome === 'done', detail },
    });
    this.powers.settle(request, message);
  }

  async #onPoweredOff(message: Extract<AgentToServer, { type: 'powered-off' }>): Promise<void> {
    const { board, token, ok, detail } = message;
    await this.#options.core.run({
      name: 'poweredOff',
      body: { board, token: parseToken(token), ok, detail },
    });
  }
}
