// One job at the agent: turns the world's events into inputs of the job machine (job-machine.ts) and carries out its
// effects. Nothing is decided here.
import { link, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoardDriver, BoardFile, BoardJob, BoardSession } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { AgentJobResult, MachineSpec, ServerToAgent } from '../protocol/agent-messages.ts';
import type { FileRef, JobSpec } from '../protocol/schema.ts';
import { ConsoleSpool } from './console-spool.ts';
import type { ImageCache } from './image-cache.ts';
import type { JobFiles } from './job-files.ts';
import {
  firstState,
  type JobEffect,
  type JobInput,
  type JobPlan,
  type JobState,
  mayBeOn,
  ownLimitSeconds,
  step,
} from './job-machine.ts';
import { actionEndSeconds } from './limits.ts';
import { powerOff } from './power.ts';

export type StartMessage = Extract<ServerToAgent, { type: 'start' }>;

export interface JobContext {
  readonly driver: BoardDriver;
  readonly machine: MachineSpec;
  readonly files: JobFiles;
  readonly images: ImageCache;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logBytesMax: number;
  /** Marks children, and notes them before they are used. */
  readonly hooks: ChildHooks;
  readonly onStarted: () => void;
}

export interface ChildHooks {
  readonly env: Readonly<Record<string, string>>;
  readonly onChild: (child: { readonly pid: number }) => void;
}

export class Job {
  readonly id: number;
  readonly board: string;
  readonly token: string;
  readonly spec: JobSpec;
  readonly #context: JobContext;
  readonly #plan: JobPlan;
  readonly #spoolReady: Promise<ConsoleSpool>;
  readonly #done = Promise.withResolvers<AgentJobResult>();
  readonly #starting = new AbortController();
  readonly #fetching = new AbortController();
  #powering: AbortController | undefined;
  #powerOff: Promise<void> = Promise.resolve();
  #session: BoardSession | undefined;
  #sessionStart: Promise<void> = Promise.resolve();
  #spool: ConsoleSpool | undefined;
  #state: JobState = firstState;
  #paths: ReadonlyMap<string, string> = new Map();
  #timers: (() => void)[] = [];
  #started = false;

  constructor(message: StartMessage, context: JobContext) {
    this.id = message.job;
    this.board = message.board;
    this.token = message.token;
    this.spec = message.spec;
    this.#context = context;
    this.#plan = {
      kind: message.spec.kind,
      watches: context.driver.watches,
      keepOn: message.spec.keepOn,
      hasEndText: message.spec.endText !== '',
      leaveOn: message.leaveOn,
      timeoutSeconds: message.spec.timeoutSeconds,
      jobMaxSeconds: message.jobMaxSeconds,
    };
    this.#spoolReady = this.#openSpool();
    this.#spoolReady.then(
      (spool) => {
        this.#spool = spool;
      },
      (error: Error) => this.input({ kind: 'spool-failed', why: error.message }),
    );
    if (this.#plan.kind === 'image') this.#after(message.jobMaxSeconds, { kind: 'time-up', limit: 'policy' });
  }

  /** Resolves with the result once nothing of the job runs any more and its result is on disk. Never rejects. */
  get done(): Promise<AgentJobResult> {
    return this.#done.promise;
  }

  get spool(): Promise<ConsoleSpool> {
    return this.#spoolReady;
  }

  get hasStarted(): boolean {
    return this.#started;
  }

  /** Open for its client after the end text. */
  get isOpen(): boolean {
    return this.#state.phase === 'open';
  }

  get consoleLength(): number {
    return this.#spool?.length ?? 0;
  }

  input(input: JobInput): void {
    const next = step(this.#plan, this.#state, input);
    this.#state = next.state;
    for (const effect of next.effects) this.#carryOut(effect);
  }

  write(bytes: Uint8Array): void {
    this.#session?.write(bytes);
  }

  #openSpool(): Promise<ConsoleSpool> {
    const { files, logBytesMax, clock } = this.#context;
    return ConsoleSpool.open(
      {
        folder: files.consoleFolder(this.id),
        logBytesMax,
        endText: this.spec.endText,
        errorText: this.spec.errorText,
        matches: !this.#plan.watches,
        wallMs: () => clock.wallMs(),
      },
      {
        onMatch: (text, matchEnd) => this.input({ kind: 'matched', text, matchEnd }),
        onFailure: (why) => this.input({ kind: 'spool-failed', why }),
      },
    );
  }

  #carryOut(effect: JobEffect): void {
    switch (effect.kind) {
      case 'power-off-first':
      case 'power-off-last':
        return this.#powerOffBoard();
      case 'fetch-files':
        return void this.#fetchFiles();
      case 'start':
        this.#sessionStart = this.#start();
        return;
      case 'tell-started':
        this.#started = true;
        return this.#context.onStarted();
      case 'tell-completed':
        // The console's stream says it, at its place between the bytes (console-stream.ts).
        return;
      case 'stop':
        return void this.#stop();
      case 'abort-power':
        return this.#powering?.abort(new Error('a newer token has the board'));
      case 'conclude':
        return void this.#conclude();
    }
  }

  #powerOffBoard(): void {
    const powering = new AbortController();
    this.#powering = powering;
    this.#powerOff = powerOff(this.#context, powering.signal).then((outcome) => {
      if (this.#powering === powering) this.#powering = undefined;
      this.input({ kind: 'powered-off', ok: outcome.ok, why: outcome.detail });
    });
  }

  async #fetchFiles(): Promise<void> {
    try {
      const refs = [...this.spec.files, this.spec.dtb, this.spec.bitstream].filter(
        (ref) => ref !== undefined,
      );
      const { signal } = this.#fetching;
      const paths = await Promise.all(refs.map((ref) => this.#context.images.get(ref.hash, signal)));
      this.#paths = new Map(refs.map((ref, at) => [ref.hash, paths[at] ?? '']));
      await this.#spoolReady;
      this.input({ kind: 'files', ok: true, why: '' });
    } catch (error) {
      this.input({ kind: 'files', ok: false, why: error instanceof Error ? error.message : String(error) });
    }
  }

  async #start(): Promise<void> {
    for (const cancel of this.#timers.splice(0)) cancel();
    const own = ownLimitSeconds(this.#plan);
    if (own !== undefined) this.#after(own, { kind: 'time-up', limit: 'own' });
    this.#after(this.#plan.jobMaxSeconds, { kind: 'time-up', limit: 'policy' });
    try {
      const job = await this.#boardJob();
      const hooks = { ...this.#context.hooks, onConsole: (bytes: Uint8Array) => this.#spool?.take(bytes) };
      const session = await this.#context.driver.start(job, hooks, { signal: this.#starting.signal });
      this.#session = session;
      void session.exit.then((exit) => {
        this.#spool?.endInput();
        this.input({ kind: 'exited', exit });
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.input({ kind: 'exited', exit: { kind: 'fault', message } });
    }
  }

  /** Each file under its user's own name where that can be, since some loaders look at it. */
  async #boardJob(): Promise<BoardJob> {
    const { files } = this.#context;
    const workFolder = files.workFolder(this.id);
    const place = async (ref: FileRef, at: number): Promise<BoardFile> => {
      const folder = join(workFolder, `file-${at}`);
      await mkdir(folder, { recursive: true });
      const path = join(folder, plainName(ref.name));
      await placeCopy(this.#paths.get(ref.hash) ?? '', path);
      return { path, name: ref.name };
    };
    const placed = await Promise.all(this.spec.files.map(place));
    const dtb = this.spec.dtb && (await place(this.spec.dtb, placed.length));
    const bitstream = this.spec.bitstream && (await place(this.spec.bitstream, placed.length + 1));
    return {
      files: placed,
      ...(dtb ? { dtbPath: dtb.path } : {}),
      ...(bitstream ? { bitstreamPath: bitstream.path } : {}),
      linux: this.spec.linux,
      endText: this.spec.endText,
      errorText: this.spec.errorText,
      timeoutSeconds: this.spec.timeoutSeconds,
      keepOn: this.spec.keepOn,
      logPath: join(workFolder, 'log'),
      workFolder,
    };
  }

  /** Ends what is in flight and waits for it; what does not end in time is said. */
  async #stop(): Promise<void> {
    for (const cancel of this.#timers.splice(0)) cancel();
    this.#spool?.stopMatching();
    this.#fetching.abort(new Error('the job has ended'));
    const isLeftOn =
      this.#plan.leaveOn && this.#state.phase === 'stopping' && this.#state.outcome.verdict === 'completed';
    const ending = isLeftOn ? this.#sessionStart : this.#endSession();
    const late = Promise.withResolvers<'late'>();
    const cancel = this.#context.clock.setTimer(actionEndSeconds * 1000, () => late.resolve('late'));
    const quiet = Promise.all([ending, this.#powerOff]).then(() => 'quiet' as const);
    const outcome = await Promise.race([quiet, late.promise]).catch((error: Error) => error);
    cancel();
    if (outcome === 'quiet') this.input({ kind: 'quiet', ok: true, why: '' });
    else if (outcome === 'late')
      this.input({ kind: 'quiet', ok: false, why: 'the board did not stop in time' });
    else this.input({ kind: 'quiet', ok: false, why: outcome.message });
  }

  async #endSession(): Promise<void> {
    this.#starting.abort(new Error('the job has ended'));
    await this.#sessionStart;
    await this.#session?.stop();
  }

  async #conclude(): Promise<void> {
    if (this.#state.phase !== 'ended') throw new Error(`job ${this.id} concludes while ${this.#state.phase}`);
    for (const cancel of this.#timers.splice(0)) cancel();
    const { outcome, trouble } = this.#state;
    const { files, machine, logger } = this.#context;
    const spool = await this.#spoolReady.catch(() => undefined);
    const matchEnd = spool?.matchEnd ?? outcome.matchEnd;
    await spool?.close().catch((error: unknown) => logger.error('a console could not be closed', { error }));
    const result: AgentJobResult = {
      verdict: outcome.verdict,
      detail: [outcome.detail, trouble].filter((text) => text).join('; '),
      mayBeOn: trouble !== undefined || mayBeOn(this.#state),
      consoleLength: spool?.length ?? 0,
      ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
      ...(matchEnd === undefined ? {} : { matchEnd }),
    };
    await this.#keepResult(() =>
      files.writeNote({ id: this.id, board: this.board, token: this.token, machine, result }),
    );
    files.clearWork(this.id);
    this.#done.resolve(result);
  }

  /** A full disk delays the end of a job; it does not lose it. */
  async #keepResult(write: () => void): Promise<void> {
    for (;;) {
      try {
        return write();
      } catch (error) {
        this.#context.logger.error('a result could not be stored; trying again', { job: this.id, error });
        await new Promise<void>((resolve) => this.#context.clock.setTimer(1_000, resolve));
      }
    }
  }

  #after(seconds: number, input: JobInput): void {
    this.#timers.push(this.#context.clock.setTimer(seconds * 1000, () => this.input(input)));
  }
}

/** The last part of the user's name, without what a path could not take. */
function plainName(name: string): string {
  const last = name.split('/').at(-1)?.replaceAll('\0', '') ?? '';
  return last === '' || last === '.' || last === '..' ? 'file' : last.slice(0, 200);
}

async function placeCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch {
    await symlink(from, to);
  }
}
