// One job at the agent: turns the world's events into inputs of the job machine (job-machine.ts) and carries out its
// effects. Nothing is decided here.
import type { BoardDriver, BoardHooks, BoardJob, BoardSession } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { AgentJobResult, ServerToAgent } from '../protocol/agent-messages.ts';
import type { MachineSpec } from '../protocol/machine.ts';
import { ConsoleSpool } from './console-spool.ts';
import type { ImageCache } from './image-cache.ts';
import type { JobFiles } from './job-files.ts';
import { loadJob } from './job-load.ts';
import {
  firstState,
  type JobEffect,
  type JobInput,
  type JobPlan,
  type JobState,
  mayBeOn,
  ownLimitSeconds,
  planOf,
  step,
} from './job-machine.ts';
import { actionEndSeconds, inputWaitBytesMax } from './limits.ts';
import { findUnable, type PowerSwitch, powerOff, type SwitchAction, switchPower } from './power.ts';

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
  /** Before the board starts, and so before the first console byte. */
  readonly onStarted: () => void;
  /** The agent leaves: a result that can't be stored is given up, and its successor reports a lab fault. */
  readonly leaving: AbortSignal;
}

export interface ChildHooks {
  readonly env: Readonly<Record<string, string>>;
  readonly onChild: (child: { readonly pid: number }) => void;
}

export class Job {
  readonly id: number;
  readonly board: string;
  readonly token: string;
  readonly #message: StartMessage;
  readonly #context: JobContext;
  readonly #plan: JobPlan;
  /** Rejects where the console can't be kept. */
  readonly spool: Promise<ConsoleSpool>;
  readonly #done = Promise.withResolvers<AgentJobResult>();
  readonly #starting = new AbortController();
  readonly #fetching = new AbortController();
  /** Everything that switches the power for this job or beside it. */
  readonly #powers: { readonly outcome: Promise<unknown>; readonly released: Promise<unknown> }[] = [];
  #switching: AbortController | undefined;
  readonly #waitingInput: Uint8Array[] = [];
  #waitingInputBytes = 0;
  #powering: AbortController | undefined;
  #sessionStart: Promise<BoardSession | undefined> = Promise.resolve(undefined);
  #session: BoardSession | undefined;
  #openSpool: ConsoleSpool | undefined;
  #loading: Promise<void> = Promise.resolve();
  #boardJob: BoardJob | undefined;
  #state: JobState = firstState;
  #timers: (() => void)[] = [];
  #hasStarted = false;
  #isLeftOn = false;

  constructor(message: StartMessage, context: JobContext) {
    this.id = message.job;
    this.board = message.board;
    this.token = message.token;
    this.#message = message;
    this.#context = context;
    this.#plan = planOf(message, context.driver.watches);
    this.spool = this.#makeSpool();
    // Who needs it looks at it again.
    this.spool.catch(() => undefined);
    // A reservation lives as long as its client, and so does a console.
    if (this.#plan.kind === 'image') this.#after(message.jobMaxSeconds, { kind: 'time-up', limit: 'policy' });
  }

  /** The result, once it is on the disk. Never rejects. */
  get done(): Promise<AgentJobResult> {
    return this.#done.promise;
  }

  /** Resolves when nothing of the job runs any more, but a session that is to be left on: usually with `done`. */
  async released(): Promise<void> {
    await this.#done.promise;
    await Promise.all(this.#powers.map((one) => one.released));
    const session = await this.#sessionStart;
    if (!this.#isLeftOn) await session?.exit;
  }

  /** The board that the ended job left on, where it lives in this process. Resolves when it is gone. */
  async endLeftOn(): Promise<void> {
    if (this.#isLeftOn) await (await this.#sessionStart)?.stop();
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  get isOpen(): boolean {
    return this.#state.phase === 'open';
  }

  get consoleLength(): number {
    return this.#openSpool?.length ?? 0;
  }

  input(input: JobInput): void {
    const next = step(this.#plan, this.#state, input);
    this.#state = next.state;
    for (const effect of next.effects) this.#carryOut(effect);
  }

  /** Console input, in order; what comes while the board is being started waits for it. */
  write(bytes: Uint8Array): void {
    if (this.#session) return this.#session.write(bytes);
    if (this.#waitingInputBytes + bytes.length > inputWaitBytesMax) return;
    this.#waitingInput.push(bytes);
    this.#waitingInputBytes += bytes.length;
  }

  /** The holder switches the power while the job goes on. Undefined where it has ended: then it is not in the way. */
  switchPower(action: SwitchAction): PowerSwitch | undefined {
    if (this.#state.phase === 'ended') return undefined;
    const why = this.#findHindrance(action);
    if (why !== undefined) {
      return { outcome: Promise.resolve({ outcome: 'refused', detail: why }), released: Promise.resolve() };
    }
    this.#switching = new AbortController();
    const power = switchPower(this.#context, action, this.#switching.signal);
    this.#powers.push(power);
    return power;
  }

  /** The job itself has the power while it starts and ends; and always where the board is one with its job. */
  #findHindrance(action: SwitchAction): string | undefined {
    const { phase } = this.#state;
    const name = `job ${this.id}`;
    if (phase === 'stopping' || phase === 'powering-off') return `${name} is ending`;
    const isUp = this.#plan.kind === 'image' ? this.#session !== undefined : phase === 'open';
    if (!isUp) return `${name} is being started`;
    const { driver } = this.#context;
    if (action === 'status' || (!driver.watches && findUnable(driver, 'on') === undefined)) return undefined;
    return `${name} runs on it: mq cancel ${this.id}`;
  }

  async #makeSpool(): Promise<ConsoleSpool> {
    const { files, logBytesMax, clock } = this.#context;
    const { watches, keepOn } = this.#plan;
    const { endText, errorText } = this.#message.spec;
    const spool = await ConsoleSpool.open(
      {
        folder: files.consoleFolder(this.id),
        logBytesMax,
        // Of a program that watches by itself it is only asked when its client may take over.
        endText: watches && !keepOn ? '' : endText,
        errorText: watches ? '' : errorText,
        wallMs: () => clock.wallMs(),
      },
      {
        onMatch: (text, matchEnd) => this.input({ kind: 'matched', text, matchEnd }),
        onFailure: (why) => this.input({ kind: 'spool-failed', why }),
      },
    );
    this.#openSpool = spool;
    return spool;
  }

  #carryOut(effect: JobEffect): void {
    switch (effect.kind) {
      case 'power-off-first':
      case 'power-off-last':
        return this.#powerOff();
      case 'fetch-files':
        this.#loading = this.#fetchFiles();
        return;
      case 'start':
        this.#sessionStart = this.#start();
        return;
      case 'tell-started':
        this.#hasStarted = true;
        return this.#context.onStarted();
      case 'stop':
        return void this.#stop();
      case 'abort-power':
        return this.#powering?.abort(new Error('a newer token has the board'));
      case 'conclude':
        return void this.#conclude();
    }
  }

  #powerOff(): void {
    const powering = new AbortController();
    this.#powering = powering;
    const power = powerOff(this.#context, powering.signal);
    this.#powers.push(power);
    void power.outcome.then(({ ok, detail }) => this.input({ kind: 'powered-off', ok, why: detail }));
  }

  async #fetchFiles(): Promise<void> {
    const { images, files } = this.#context;
    try {
      const workFolder = files.makeWorkFolder(this.id);
      const { signal } = this.#fetching;
      this.#boardJob = await loadJob(this.#message.spec, { images, workFolder, signal });
      await this.spool;
      this.input({ kind: 'files', ok: true, why: '' });
    } catch (error) {
      this.input({ kind: 'files', ok: false, why: textOf(error) });
    }
  }

  /** Never rejects. The limits count from here. */
  async #start(): Promise<BoardSession | undefined> {
    this.#cancelTimers();
    const own = ownLimitSeconds(this.#plan);
    if (own !== undefined) this.#after(own, { kind: 'time-up', limit: 'own' });
    if (this.#plan.kind === 'image')
      this.#after(this.#plan.jobMaxSeconds, { kind: 'time-up', limit: 'policy' });
    const hooks = {
      ...this.#context.hooks,
      onConsole: (bytes: Uint8Array) => this.#openSpool?.take(bytes),
      holdConsole: () => this.#openSpool?.hold(),
    };
    try {
      const session = await this.#openSession(hooks);
      this.#useSession(session);
      return session;
    } catch (error) {
      this.input({ kind: 'exited', exit: { kind: 'fault', message: textOf(error) } });
      return undefined;
    }
  }

  async #openSession(hooks: BoardHooks): Promise<BoardSession> {
    const { driver } = this.#context;
    const { signal } = this.#starting;
    if (this.#plan.kind === 'console') {
      await this.spool;
      if (!driver.openConsole) throw new Error('this board has no console without a job');
      return driver.openConsole(hooks, { signal });
    }
    if (!this.#boardJob) throw new Error(`job ${this.id} starts without its files`);
    return driver.start(this.#boardJob, hooks, { signal });
  }

  #useSession(session: BoardSession): void {
    this.#session = session;
    for (const bytes of this.#waitingInput.splice(0)) session.write(bytes);
    void session.exit.then(async (exit) => {
      // Its last bytes decide before its end does.
      await this.#openSpool?.endInput();
      this.input({ kind: 'exited', exit });
    });
  }

  /** Ends what is in flight and waits for it; a session that does not end in time is said. */
  async #stop(): Promise<void> {
    this.#cancelTimers();
    this.#openSpool?.stopMatching();
    this.#fetching.abort(new Error('the job has ended'));
    this.#switching?.abort(new Error('the job has ended'));
    const state = this.#state;
    const isCompleted = state.phase === 'stopping' && state.outcome.verdict === 'completed';
    // A program that watches is not the board: that stays on without it.
    this.#isLeftOn = isCompleted && this.#plan.leaveOn && !this.#plan.watches;
    const late = Promise.withResolvers<string>();
    const cancelLate = this.#context.clock.setTimer(actionEndSeconds * 1000, () =>
      late.resolve(`the board did not stop within ${actionEndSeconds} s`),
    );
    const why = await Promise.race([this.#endSession().then(() => '', textOf), late.promise]);
    cancelLate();
    // These have their own limits.
    await Promise.all([this.#loading, ...this.#powers.map(({ outcome }) => outcome)]);
    this.input({ kind: 'quiet', ok: why === '', why });
  }

  async #endSession(): Promise<void> {
    if (!this.#isLeftOn) this.#starting.abort(new Error('the job has ended'));
    const session = await this.#sessionStart;
    if (!this.#isLeftOn) await session?.stop();
  }

  async #conclude(): Promise<void> {
    if (this.#state.phase !== 'ended') throw new Error(`job ${this.id} concludes while ${this.#state.phase}`);
    this.#cancelTimers();
    const { outcome, trouble } = this.#state;
    const spool = await this.spool.catch(() => undefined);
    await spool?.close().catch((error: unknown) => this.#log('a console could not be closed', error));
    const result: AgentJobResult = {
      verdict: outcome.verdict,
      detail: [outcome.detail, trouble].filter((text) => text).join('; '),
      mayBeOn: trouble !== undefined || mayBeOn(this.#state),
      consoleLength: spool?.length ?? 0,
      ...(outcome.exitCode === undefined ? {} : { exitCode: outcome.exitCode }),
      ...(outcome.matchEnd === undefined ? {} : { matchEnd: outcome.matchEnd }),
    };
    await this.#storeResult(result);
    this.#done.resolve(result);
    await this.#context.files
      .clearWork(this.id)
      .catch((error: unknown) => this.#log('a work folder could not be cleared', error));
  }

  /** A full disk delays the end of a job; it does not lose it. */
  async #storeResult(result: AgentJobResult): Promise<void> {
    const { files, machine, leaving, clock } = this.#context;
    const note = { id: this.id, board: this.board, token: this.token, machine, result };
    while (!leaving.aborted) {
      try {
        return await files.writeResult(note);
      } catch (error) {
        this.#log('a result could not be stored; it is tried again', error);
        const pause = Promise.withResolvers<void>();
        const cancel = clock.setTimer(1_000, pause.resolve);
        leaving.addEventListener('abort', () => pause.resolve(), { once: true });
        await pause.promise;
        cancel();
      }
    }
  }

  #after(seconds: number, input: JobInput): void {
    this.#timers.push(this.#context.clock.setTimer(seconds * 1000, () => this.input(input)));
  }

  #cancelTimers(): void {
    for (const cancel of this.#timers.splice(0)) cancel();
  }

  #log(message: string, error: unknown): void {
    this.#context.logger.error(message, { error });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
