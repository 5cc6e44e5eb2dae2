// The agent: boards, their jobs, and the server they belong to. Carries out what the server says, reports what happened,
// and says it again after each reconnect until the server has it.
import type { Duplex } from 'node:stream';
import type { BoardDriver } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { type AgentToServer, agentProtocol, type ServerToAgent } from '../protocol/agent-messages.ts';
import type { MachineSpec } from '../protocol/machine.ts';
import { Boards } from './boards.ts';
import { ConsolePump } from './console-pump.ts';
import { ConsoleSpool } from './console-spool.ts';
import { ImageCache } from './image-cache.ts';
import { type ChildHooks, Job, type StartMessage } from './job.ts';
import { JobFiles } from './job-files.ts';
import { earlierJob, type KnownJob, liveJob, reportOf } from './known-job.ts';
import { agentMarkerName, clearLostJob, endEarlierProcesses } from './leftovers.ts';
import { imageCacheBytesMax, jobsMax } from './limits.ts';
import { ServerLink } from './server-link.ts';

export interface AgentOptions {
  /** Where all its state is; one agent at a time has it. */
  readonly folder: string;
  /** Makes the driver of a board. May throw for a machine that it can't drive. */
  readonly drivers: (machine: MachineSpec) => BoardDriver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  /** Random, never the same twice. */
  readonly newId: () => string;
  readonly imageCacheBytesMax?: number;
}

/** The connection of the server, with what is being sent over it. */
interface Session {
  readonly link: ServerLink;
  readonly pump: ConsolePump;
  hasWelcomed: boolean;
  /** Jobs whose end was asked for here before they were known: a start that was overtaken does nothing. */
  readonly goneBefore: Map<number, string>;
}

type Welcome = Extract<ServerToAgent, { type: 'welcome' }>;

export class Agent {
  readonly #options: AgentOptions;
  readonly #files: JobFiles;
  readonly #images: ImageCache;
  readonly #boards: Boards;
  readonly #jobs = new Map<number, KnownJob>();
  /** Files of forgotten jobs that are being removed. */
  readonly #forgetting = new Set<Promise<void>>();
  readonly #boot: string;
  readonly #hooks: ChildHooks;
  readonly #leaving = new AbortController();
  readonly #cleared: Promise<string | undefined>;
  #session: Session | undefined;
  #logBytesMax = 0;
  #isRetiring = false;
  #isStopping = false;
  #onChange: () => void = () => undefined;

  /** Reads the folder, and begins to end what an earlier agent left running. Throws where the folder can't be used. */
  constructor(options: AgentOptions) {
    this.#options = options;
    const { folder, newId, clock, logger, drivers } = options;
    this.#boot = newId();
    this.#files = new JobFiles(folder, newId);
    this.#images = new ImageCache(
      this.#files.imageFolder(),
      options.imageCacheBytesMax ?? imageCacheBytesMax,
    );
    this.#hooks = {
      env: { [agentMarkerName]: this.#files.agentId },
      onChild: ({ pid }) => this.#noteChild(pid),
    };
    this.#cleared = endEarlierProcesses({ files: this.#files, logger, signal: this.#leaving.signal });
    const cleared = this.#cleared;
    this.#boards = new Boards({ drivers, logger, files: this.#files, clock, hooks: this.#hooks, cleared });
  }

  /** Learns of the jobs of an earlier agent; their boards are made safe while others may already run. */
  async start(): Promise<void> {
    await this.#images.start();
    const { logger } = this.#options;
    const { notes, damaged } = this.#files.readNotes();
    if (damaged.length > 0) logger.error('notes of jobs are damaged and left out', { damaged });
    this.#files.clearStray(notes);
    for (const note of notes) {
      if (note.result) this.#remember(await earlierJob(note, this.#files));
      else {
        const board = this.#boards.add(note.board, note.machine);
        const context = { board, files: this.#files, logger, cleared: this.#cleared };
        this.#remember(await earlierJob(note, this.#files, clearLostJob(note, context)));
      }
    }
  }

  /** Serves a connection of the server; the one before it ends. */
  accept(stream: Duplex): void {
    this.#session?.link.close();
    const { logger } = this.#options;
    const link: ServerLink = new ServerLink(stream, logger, {
      onMessage: (message) => {
        if (this.#session?.link === link) this.#onMessage(this.#session, message);
      },
      onImage: ({ transfer, offset, bytes }) => this.#images.take(transfer, offset, bytes),
      onClose: () => this.#onClose(link),
    });
    const pump = new ConsolePump(link, logger);
    this.#session = { link, pump, hasWelcomed: false, goneBefore: new Map() };
    link.send(this.#hello());
    this.#onChange();
  }

  get isConnected(): boolean {
    return this.#session !== undefined;
  }

  /** Whether a job lives, or a holder switches a board; a job that has ended lives on disk. */
  get isBusy(): boolean {
    return this.#boards.areSwitching || [...this.#jobs.values()].some(({ result }) => result === undefined);
  }

  /** No server wants it any more, and nothing is left to tell. */
  get isRetired(): boolean {
    return this.#isRetiring && !this.isBusy && (this.#jobs.size === 0 || !this.isConnected);
  }

  /** The listener is called whenever one of the above may have changed. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /** Ends all jobs and powers their boards off; resolves when nothing runs any more and the server was told. */
  async stop(why: string): Promise<void> {
    this.#isStopping = true;
    const jobs = [...this.#jobs.values()];
    for (const { live } of jobs) live?.input({ kind: 'cancel', why });
    await Promise.all(jobs.map(({ live, done }) => live?.released() ?? done));
    await Promise.all([this.#boards.leave(), ...this.#forgetting]);
    await this.#session?.link.leave();
  }

  /** For the very end: what still waits is given up. */
  close(): void {
    this.#leaving.abort(new Error('the agent leaves'));
    this.#session?.link.close();
  }

  #hello(): AgentToServer {
    return {
      type: 'hello',
      protocol: agentProtocol,
      agent: this.#files.agentId,
      version: this.#options.version,
      boot: this.#boot,
      pid: process.pid,
      highestToken: this.#files.tokens.highestOfAll(),
      jobs: [...this.#jobs.values()].map(reportOf),
    };
  }

  #onMessage(session: Session, message: ServerToAgent): void {
    switch (message.type) {
      case 'welcome':
        return this.#onWelcome(session, message);
      case 'boards':
        return this.#onBoards(session, message);
      case 'start':
        return this.#onStart(session, message);
      case 'cancel':
        return this.#onCancel(session, message);
      case 'finish':
        return this.#withLive(message, (job) => job.input({ kind: 'finish' }));
      case 'write':
        return this.#withLive(message, (job) => job.write(Buffer.from(message.bytes, 'base64')));
      case 'power-off':
        return void this.#onPowerOff(session, message);
      case 'power':
        return void this.#onPower(session, message);
      case 'image-size':
        return this.#images.size(message.transfer, message.size);
      case 'image-missing':
        return this.#images.missing(message.transfer, message.why);
      case 'forget':
        return this.#forget(session, message.job);
      case 'retire':
        this.#isRetiring = true;
        return this.#onChange();
      case 'ping':
        return session.link.send({ type: 'pong', nonce: message.nonce });
    }
  }

  #onWelcome(session: Session, welcome: Welcome): void {
    const { link } = session;
    if (welcome.protocol !== agentProtocol) {
      const { protocol, server } = welcome;
      this.#options.logger.error('the server speaks another protocol', { protocol, agentProtocol, server });
      return link.close();
    }
    if (session.hasWelcomed) return;
    session.hasWelcomed = true;
    this.#isRetiring = false;
    this.#logBytesMax = welcome.logBytesMax;
    this.#images.connected((transfer, hash) => link.send({ type: 'need-image', transfer, hash }));
    const from = new Map(welcome.consoleFrom.map(({ job, offset }) => [job, offset]));
    for (const known of this.#jobs.values()) void this.#stream(session, known, from.get(known.id) ?? 0);
    link.send({ type: 'boards', ...this.#boards.offer(welcome.boards, this.#boardsBeingCleared()) });
    for (const { board, done, live } of [...this.#jobs.values()]) {
      if (live || !this.#boardsBeingCleared().has(board)) continue;
      void done.then(() => {
        if (link.isClosed || this.#boardsBeingCleared().has(board)) return;
        link.send({ type: 'boards', ...this.#boards.offerAgain(board) });
      });
    }
  }

  #onBoards({ link, hasWelcomed }: Session, message: Extract<ServerToAgent, { type: 'boards' }>): void {
    if (!hasWelcomed) return;
    this.#logBytesMax = message.logBytesMax;
    link.send({ type: 'boards', ...this.#boards.offer(message.boards, this.#boardsBeingCleared()) });
  }

  #boardsBeingCleared(): Set<string> {
    const lost = [...this.#jobs.values()].filter(({ live, result }) => !live && !result);
    return new Set(lost.map(({ board }) => board));
  }

  #onStart(session: Session, message: StartMessage): void {
    const { job: id, board: name, token } = message;
    const known = this.#jobs.get(id);
    if (known?.token === token) {
      if (known.live?.hasStarted) session.link.send({ type: 'started', job: id, token });
      return;
    }
    // The next agent is told again.
    if (this.#isStopping) return;
    if (session.goneBefore.get(id) === token) {
      return this.#sayGone(session, {
        job: id,
        token,
        verdict: 'cancelled',
        detail: 'cancelled before its start',
      });
    }
    const board = this.#boards.find(name);
    const why = board ? this.#refusal(id, board.refusal(token)) : 'the agent does not drive this board';
    if (!board || why !== undefined) {
      this.#refuse(session, { action: 'start', board: name, token, why: why ?? '' });
      return this.#sayGone(session, { job: id, token, verdict: 'lab-fault', detail: `refused: ${why}` });
    }
    const job = new Job(message, {
      driver: board.driver,
      machine: board.machine,
      files: this.#files,
      images: this.#images,
      clock: this.#options.clock,
      logger: this.#options.logger.child({ job: id, board: name }),
      logBytesMax: this.#logBytesMax,
      hooks: { ...this.#hooks, env: { ...this.#hooks.env, MQ_AGENT_JOB: String(id) } },
      onStarted: () => this.#session?.link.send({ type: 'started', job: id, token }),
      leaving: this.#leaving.signal,
    });
    const added = liveJob(job);
    this.#remember(added);
    void this.#stream(session, added, 0);
    board.run(job);
    this.#onChange();
  }

  #refusal(id: number, ofBoard: string | undefined): string | undefined {
    const known = this.#jobs.get(id);
    if (known) return `job ${id} is known with token ${known.token}; it has to be forgotten first`;
    if (this.#jobs.size >= jobsMax) return `the agent has ${jobsMax} jobs already`;
    return ofBoard;
  }

  /** Of a job that it does not have nothing runs, which is what the server wants to know. */
  #onCancel(session: Session, message: Extract<ServerToAgent, { type: 'cancel' }>): void {
    const { job, token, why } = message;
    if (this.#jobs.get(job)?.token === token) {
      return this.#withLive(message, (live) => live.input({ kind: 'cancel', why }));
    }
    if (session.goneBefore.size < jobsMax) session.goneBefore.set(job, token);
    this.#sayGone(session, { job, token, verdict: 'cancelled', detail: why });
  }

  #withLive(message: { job: number; token: string }, act: (job: Job) => void): void {
    const known = this.#jobs.get(message.job);
    if (known?.live && known.token === message.token) act(known.live);
  }

  async #onPowerOff(session: Session, message: { board: string; token: string }): Promise<void> {
    const { board: name, token } = message;
    const board = this.#boards.find(name);
    const why = board ? board.refusal(token) : 'the agent does not drive this board';
    if (board && why === undefined) {
      const { ok, detail } = await board.powerOff(token);
      return session.link.send({ type: 'powered-off', board: name, token, ok, detail });
    }
    this.#refuse(session, { action: 'power-off', board: name, token, why: why ?? '' });
    session.link.send({ type: 'powered-off', board: name, token, ok: false, detail: why ?? '' });
  }

  async #onPower({ link }: Session, message: Extract<ServerToAgent, { type: 'power' }>): Promise<void> {
    const { board, request } = message;
    const answer = this.#boards.find(board)?.switchPower(message);
    this.#onChange();
    const unknown = { outcome: 'refused', detail: 'the agent does not drive this board' } as const;
    link.send({ type: 'power-done', board, request, ...((await answer) ?? unknown) });
    this.#onChange();
  }

  #refuse(session: Session, what: { action: string; board: string; token: string; why: string }): void {
    this.#options.logger.error('refused an action', what);
    session.link.send({ type: 'refused', ...what });
  }

  #sayGone(
    session: Session,
    gone: { job: number; token: string; verdict: 'cancelled' | 'lab-fault'; detail: string },
  ): void {
    const { job, token, verdict, detail } = gone;
    const result = { verdict, detail, mayBeOn: true, consoleLength: 0 };
    session.link.send({ type: 'ended', job, token, result });
  }

  #forget(session: Session, id: number): void {
    if (!this.#jobs.get(id)?.result) return;
    this.#jobs.delete(id);
    session.pump.remove(id);
    const forgetting = this.#files
      .forget(id)
      .catch((error: unknown) => {
        this.#options.logger.error('the files of a job could not be removed', { job: id, error });
      })
      .finally(() => this.#forgetting.delete(forgetting));
    this.#forgetting.add(forgetting);
    this.#onChange();
  }

  #onClose(link: ServerLink): void {
    if (this.#session?.link !== link) return;
    this.#session = undefined;
    this.#images.disconnected();
    this.#onChange();
  }

  async #stream(session: Session, known: KnownJob, from: number): Promise<void> {
    const console = await known.console;
    const { pump } = session;
    if (this.#session !== session || this.#jobs.get(known.id) !== known) return;
    pump.add(known, console, from);
    if (console instanceof ConsoleSpool) {
      console.listener = (offset, bytes, atMs) => pump.takeChunk(known.id, offset, bytes, atMs);
    }
    pump.end(known.id, await known.done);
  }

  #remember(known: KnownJob): void {
    this.#jobs.set(known.id, known);
    void known.done.then((result) => {
      known.result = result;
      const { verdict, detail } = result;
      this.#options.logger.info('a job has ended', { job: known.id, board: known.board, verdict, detail });
      this.#onChange();
    });
  }

  /** Must not throw, for the child is there already: its mark in the environment is left to find it by. */
  #noteChild(pid: number): void {
    try {
      this.#files.children.note(pid);
    } catch (error) {
      this.#options.logger.error('a child process could not be noted', { pid, error });
    }
  }
}
