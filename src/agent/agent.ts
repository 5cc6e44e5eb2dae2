// The agent: boards, their jobs, and the server they belong to. Carries out what the server says, reports what happened,
// and says it again after each reconnect until the server has it.
import type { Duplex } from 'node:stream';
import type { BoardDriver } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { readStartTime } from '../platform/process-table.ts';
import {
  type AgentBoard,
  type AgentJobReport,
  type AgentToServer,
  agentProtocol,
  type MachineSpec,
  type ServerToAgent,
} from '../protocol/agent-messages.ts';
import { BoardRunner } from './board-runner.ts';
import { ConsoleSpool } from './console-spool.ts';
import { type StreamedJob, streamConsole } from './console-stream.ts';
import { ImageCache } from './image-cache.ts';
import { type ChildHooks, Job, type StartMessage } from './job.ts';
import { JobFiles, type JobNote } from './job-files.ts';
import { clearLeftovers, type LostJob } from './leftovers.ts';
import { ServerLink } from './server-link.ts';

export interface AgentOptions {
  readonly folder: string;
  readonly drivers: (machine: MachineSpec) => BoardDriver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  readonly newId: () => string;
}

/** A job the server has not told to forget: live, ended, or lost by a killed agent. */
interface Known extends StreamedJob {
  readonly board: string;
  readonly job: Job | undefined;
  ended: boolean;
}

export class Agent {
  readonly #options: AgentOptions;
  readonly #files: JobFiles;
  readonly #images: ImageCache;
  readonly #boards = new Map<string, BoardRunner>();
  readonly #jobs = new Map<number, Known>();
  readonly #boot: string;
  readonly #hooks: ChildHooks;
  readonly #stopping = new AbortController();
  #link: ServerLink | undefined;
  #logBytesMax = 256 * 1024 * 1024;
  #retiring = false;
  #quiet: () => void = () => undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#boot = options.newId();
    this.#files = new JobFiles(options.folder, options.newId);
    this.#images = new ImageCache(this.#files.imageFolder());
    this.#hooks = {
      env: { MQ_AGENT: this.#files.agentId },
      onChild: ({ pid }) => this.#files.noteChild({ pid, startTime: readStartTime(pid) ?? '' }),
    };
  }

  /** Reads what an earlier agent left; its jobs are cleared up while others may already run. */
  async start(): Promise<void> {
    await this.#images.start();
    for (const note of this.#files.readNotes()) if (note.result) this.#rememberEnded(note);
    const { drivers, clock, logger } = this.#options;
    const signal = this.#stopping.signal;
    const lost = clearLeftovers({ files: this.#files, drivers, clock, logger, hooks: this.#hooks, signal });
    for (const job of lost) this.#rememberLost(job);
  }

  /** Serves a connection of the server; the one before it ends. */
  accept(stream: Duplex): void {
    this.#link?.close();
    const link: ServerLink = new ServerLink(stream, this.#options.logger, {
      onMessage: (message) => this.#onMessage(link, message),
      onImage: ({ transfer, offset, bytes }) => this.#images.take(transfer, offset, bytes),
      onClose: () => this.#onClose(link),
    });
    this.#link = link;
    link.send(this.#hello());
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  /** Whether a job lives; one that has ended lives on disk. */
  get isBusy(): boolean {
    return [...this.#jobs.values()].some((known) => !known.ended);
  }

  /** No server wants it any more, and nothing is left to tell. */
  get isRetired(): boolean {
    return this.#retiring && !this.isBusy && (this.#jobs.size === 0 || !this.isConnected);
  }

  /** Called whenever one of the above may have changed. */
  onQuiet(listener: () => void): void {
    this.#quiet = listener;
  }

  /** Ends all jobs and powers their boards off; resolves when nothing runs any more. */
  async stop(why: string): Promise<void> {
    const live = [...this.#jobs.values()].filter((known) => !known.ended);
    for (const known of live) known.job?.input({ kind: 'cancel', why });
    await Promise.all(live.map((known) => known.done));
    this.#stopping.abort(new Error(why));
    this.#link?.close();
  }

  #hello(): AgentToServer {
    return {
      type: 'hello',
      protocol: agentProtocol,
      agent: this.#files.agentId,
      version: this.#options.version,
      boot: this.#boot,
      pid: process.pid,
      highestToken: this.#files.highestToken(),
      jobs: [...this.#jobs.values()].map(report),
    };
  }

  #onMessage(link: ServerLink, message: ServerToAgent): void {
    if (link !== this.#link) return;
    switch (message.type) {
      case 'welcome':
        return this.#onWelcome(link, message);
      case 'start':
        return this.#start(link, message);
      case 'cancel':
        return this.#withJob(message, (job) => job.input({ kind: 'cancel', why: message.why }));
      case 'finish':
        return this.#withJob(message, (job) => job.input({ kind: 'finish' }));
      case 'write':
        return this.#withJob(message, (job) => job.write(Buffer.from(message.bytes, 'base64')));
      case 'power-off':
        return void this.#powerOff(link, message);
      case 'image-size':
        return this.#images.size(message.transfer, message.size);
      case 'image-missing':
        return this.#images.fail(message.transfer, message.why);
      case 'forget':
        return this.#forget(message.job);
      case 'retire':
        this.#retiring = true;
        return this.#quiet();
      case 'ping':
        return link.send({ type: 'pong', nonce: message.nonce });
    }
  }

  #onWelcome(link: ServerLink, welcome: Extract<ServerToAgent, { type: 'welcome' }>): void {
    this.#retiring = false;
    this.#logBytesMax = welcome.logBytesMax;
    this.#setBoards(welcome.boards);
    this.#images.connected((transfer, hash) => link.send({ type: 'need-image', transfer, hash }));
    const from = new Map(welcome.consoleFrom.map(({ job, offset }) => [job, offset]));
    for (const known of this.#jobs.values()) this.#stream(link, known, from.get(known.id) ?? 0);
    const clearing = [...this.#jobs.values()].filter((known) => !known.ended && known.job === undefined);
    const busy = new Set(clearing.map((known) => known.board));
    const names = welcome.boards.map((board) => board.name);
    link.send({ type: 'boards', ready: names.filter((name) => !busy.has(name)), failed: [] });
    for (const known of clearing) {
      void known.done.then(() =>
        link.send({
          type: 'boards',
          ready: [known.board].filter((name) => names.includes(name)),
          failed: [],
        }),
      );
    }
  }

  /** A board whose machine is the same keeps its runner, and what runs on it. */
  #setBoards(boards: readonly AgentBoard[]): void {
    for (const { name, machine } of boards) {
      const runner = this.#boards.get(name);
      if (runner && JSON.stringify(runner.machine) === JSON.stringify(machine)) continue;
      const { drivers, clock } = this.#options;
      this.#boards.set(
        name,
        new BoardRunner({
          name,
          machine,
          driver: drivers(machine),
          files: this.#files,
          clock,
          hooks: this.#hooks,
        }),
      );
    }
  }

  #start(link: ServerLink, message: StartMessage): void {
    const { job: id, board: name, token } = message;
    const known = this.#jobs.get(id);
    if (known) {
      if (known.job?.hasStarted) link.send({ type: 'started', job: id, token });
      return;
    }
    const board = this.#boards.get(name);
    const why = board ? board.admit(token) : 'the agent does not drive this board';
    if (!board || why !== undefined)
      return this.#refuse(link, { action: 'start', board: name, token, why: why ?? '' });
    this.#files.writeNote({ id, board: name, token, machine: board.machine });
    const job = new Job(message, {
      driver: board.driver,
      machine: board.machine,
      files: this.#files,
      images: this.#images,
      clock: this.#options.clock,
      logger: this.#options.logger.child({ job: id, board: name }),
      logBytesMax: this.#logBytesMax,
      hooks: { ...this.#hooks, env: { ...this.#hooks.env, MQ_AGENT_JOB: String(id) } },
      onStarted: () => this.#link?.send({ type: 'started', job: id, token }),
    });
    this.#remember({
      id,
      board: name,
      token,
      job,
      spool: job.spool,
      done: job.done,
      ended: false,
      get isOpen() {
        return job.isOpen;
      },
    });
    board.run(job);
    const added = this.#jobs.get(id);
    if (added) this.#stream(link, added, 0);
  }

  #withJob(message: { job: number; token: string }, act: (job: Job) => void): void {
    const known = this.#jobs.get(message.job);
    if (known?.job && known.token === message.token && !known.ended) act(known.job);
  }

  async #powerOff(link: ServerLink, message: { board: string; token: string }): Promise<void> {
    const { board: name, token } = message;
    const board = this.#boards.get(name);
    const why = board ? board.admit(token) : 'the agent does not drive this board';
    if (!board || why !== undefined) {
      this.#refuse(link, { action: 'power-off', board: name, token, why: why ?? '' });
      return link.send({ type: 'powered-off', board: name, token, ok: false, detail: why ?? '' });
    }
    const { ok, detail } = await board.powerOff(token);
    link.send({ type: 'powered-off', board: name, token, ok, detail });
  }

  #refuse(link: ServerLink, what: { action: string; board: string; token: string; why: string }): void {
    this.#options.logger.error('refused an action', what);
    link.send({ type: 'refused', ...what });
  }

  #forget(id: number): void {
    const known = this.#jobs.get(id);
    if (!known?.ended) return;
    this.#jobs.delete(id);
    this.#files.forget(id);
    this.#quiet();
  }

  #onClose(link: ServerLink): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#images.disconnected();
    this.#quiet();
  }

  #stream(link: ServerLink, known: Known, from: number): void {
    streamConsole(link, known, from).catch((error: unknown) => {
      this.#options.logger.error('a console could not be sent', { job: known.id, error });
      link.close();
    });
  }

  #remember(known: Known): void {
    this.#jobs.set(known.id, known);
    void known.done.then(() => {
      known.ended = true;
      this.#quiet();
    });
  }

  /** Ended under an earlier agent, and not yet forgotten. */
  #rememberEnded(note: JobNote): void {
    const { result } = note;
    if (!result) return;
    const { id, board, token } = note;
    const spool = this.#reopen(note);
    this.#remember({
      id,
      board,
      token,
      job: undefined,
      spool,
      done: Promise.resolve(result),
      ended: true,
      isOpen: false,
    });
  }

  #rememberLost({ note, result }: LostJob): void {
    const { id, board, token } = note;
    const spool = result.then(() => this.#reopen(note));
    this.#remember({ id, board, token, job: undefined, spool, done: result, ended: false, isOpen: false });
  }

  /** Only to be read: nothing comes any more. */
  async #reopen(note: JobNote): Promise<ConsoleSpool> {
    const spool = await ConsoleSpool.open(
      {
        folder: this.#files.consoleFolder(note.id),
        logBytesMax: this.#logBytesMax,
        endText: '',
        errorText: '',
        matches: false,
        wallMs: () => this.#options.clock.wallMs(),
      },
      { onMatch: () => undefined, onFailure: () => undefined },
    );
    spool.matchEnd = note.result?.matchEnd;
    await spool.close();
    return spool;
  }
}

function report(known: Known): AgentJobReport {
  const { id, board, token } = known;
  const consoleLength = known.job?.consoleLength ?? 0;
  if (known.ended) return { id, board, token, consoleLength, state: 'ended' };
  // A lost one counts as running until its board is safe and its result is known.
  const state = known.job === undefined || known.job.hasStarted ? 'running' : 'starting';
  return { id, board, token, consoleLength, state };
}
