// A board that does what a test says, and notes what is done to it. It fails the test that lets two actions overlap.
import assert from 'node:assert/strict';
import type {
  BoardDriver,
  BoardExit,
  BoardHooks,
  BoardJob,
  BoardSession,
} from '../../src/drivers/board/contract.ts';

/** `held`: goes on until `letGo` or its signal. `deaf`: goes on until `letGo`. */
export type Conduct = 'works' | 'fails' | 'held' | 'deaf';

export class TestSession {
  readonly hooks: BoardHooks;
  readonly #job: BoardJob | undefined;
  readonly written: string[] = [];
  readonly #exit = Promise.withResolvers<BoardExit>();
  #hasEnded = false;
  /** Was told to, once or more. */
  isStopping = false;

  /** Without a job it is a console. */
  constructor(job: BoardJob | undefined, hooks: BoardHooks) {
    this.#job = job;
    this.hooks = hooks;
  }

  get job(): BoardJob {
    assert.ok(this.#job, 'a console has no job');
    return this.#job;
  }

  get exit(): Promise<BoardExit> {
    return this.#exit.promise;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  print(text: string | Uint8Array): void {
    assert.ok(!this.#hasEnded, 'a board that has ended prints');
    const bytes = Buffer.from(text);
    this.hooks.onConsole(bytes);
    // The buffer is the driver's: what keeps it must have copied it.
    bytes.fill('#');
  }

  end(exit: BoardExit): void {
    this.#hasEnded = true;
    this.#exit.resolve(exit);
  }
}

export class TestBoard {
  watches = false;
  /** It can be switched, and has a console, without a job; a job's session goes on when the power is off. Set it first. */
  isOfParts = false;
  isOn = false;
  powerOffs: Conduct = 'works';
  starts: Conduct = 'works';
  stops: Conduct = 'works';
  /** What was begun and ended, in order. */
  readonly events: string[] = [];
  readonly sessions: TestSession[] = [];
  readonly #held: (() => void)[] = [];
  readonly #listeners = new Set<() => void>();
  #busyWith: string | undefined;
  #isSwitching = false;

  get driver(): BoardDriver {
    const whole = this.#makeDriver();
    if (!this.isOfParts) return whole;
    return {
      ...whole,
      powerOn: (_hooks, { signal }) => this.#switch('on', signal),
      powerOff: async (_hooks, { signal, besideJob = false }) => {
        const session = this.sessions.at(-1);
        if (!besideJob && session && !session.hasEnded) await this.#stop(session);
        await this.#switch('off', signal);
      },
      powerStatus: async () => (this.isOn ? 'on' : 'off'),
      openConsole: (hooks, { signal }) => this.#start(undefined, hooks, signal),
    };
  }

  #makeDriver(): BoardDriver {
    const board = this;
    return {
      get watches() {
        return board.watches;
      },
      start: (job, hooks, { signal }) => board.#start(job, hooks, signal),
      powerOff: (_hooks, { signal }) => board.#powerOff(signal),
    };
  }

  /** Ends all that is held. */
  letGo(): void {
    for (const end of this.#held.splice(0)) end();
  }

  get session(): TestSession {
    const session = this.sessions.at(-1);
    assert.ok(session, 'the board was not started');
    return session;
  }

  /** Waits until this was noted so many times. */
  async sees(event: string, times = 1): Promise<void> {
    while (this.events.filter((one) => one === event).length < times) {
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  #note(event: string): void {
    this.events.push(event);
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  #begin(action: string): void {
    this.#note(action);
    if (this.#busyWith !== undefined) this.#note(`OVERLAP of ${action} with ${this.#busyWith}`);
    this.#busyWith = action;
  }

  async #powerOff(signal: AbortSignal): Promise<void> {
    // The board's program is ended before the power goes off, as drivers do.
    const session = this.sessions.at(-1);
    if (session && !session.hasEnded) await this.#stop(session);
    this.#begin('power off');
    const conduct = this.powerOffs;
    const isDone = await this.#conduct(conduct, signal);
    this.#busyWith = undefined;
    this.#note(isDone ? 'is off' : 'is not off');
    if (conduct === 'fails') throw new Error('the outlet does not answer');
    if (!isDone) throw new Error('given up');
  }

  async #switch(to: 'on' | 'off', signal: AbortSignal): Promise<void> {
    this.#note(`power ${to}`);
    if (this.#isSwitching) this.#note(`OVERLAP of power ${to} with another`);
    this.#isSwitching = true;
    const conduct = this.powerOffs;
    const isDone = await this.#conduct(conduct, signal);
    this.#isSwitching = false;
    if (isDone && conduct !== 'fails') this.isOn = to === 'on';
    this.#note(isDone ? `is ${this.isOn ? 'on' : 'off'}` : 'given up');
    if (conduct === 'fails') throw new Error('the outlet does not answer');
    if (!isDone) throw new Error('given up');
  }

  async #start(job: BoardJob | undefined, hooks: BoardHooks, signal: AbortSignal): Promise<BoardSession> {
    this.#begin(job ? 'start' : 'console');
    const isDone = await this.#conduct(this.starts, signal);
    if (this.starts === 'fails') {
      this.#busyWith = undefined;
      throw new Error('the loader is missing');
    }
    const session = new TestSession(job, hooks);
    if (job) this.isOn = true;
    this.sessions.push(session);
    void session.exit.then(() => {
      this.#busyWith = undefined;
      this.#note('ended');
    });
    const stop = () => this.#stop(session);
    if (!isDone || signal.aborted) session.end({ kind: 'stopped' });
    else signal.addEventListener('abort', () => void stop(), { once: true });
    this.#note('started');
    const write = (bytes: Uint8Array) => session.written.push(Buffer.from(bytes).toString());
    return { exit: session.exit, write, stop };
  }

  async #stop(session: TestSession): Promise<void> {
    if (!session.hasEnded && !session.isStopping) this.#note('stop');
    session.isStopping = true;
    await this.#conduct(this.stops, new AbortController().signal);
    if (!session.hasEnded) session.end({ kind: 'stopped' });
    await session.exit;
  }

  /** False when its signal ended it. */
  #conduct(conduct: Conduct, signal: AbortSignal): Promise<boolean> {
    if (conduct === 'works' || conduct === 'fails') return Promise.resolve(true);
    return new Promise((resolve) => {
      this.#held.push(() => resolve(true));
      if (conduct === 'held') signal.addEventListener('abort', () => resolve(false), { once: true });
    });
  }
}
