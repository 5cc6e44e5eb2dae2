// A board itself, which lives on whatever becomes of agents: power, what runs on it, and what it prints. Its driver
// belongs to one agent process. It notes what must never happen: two things done to it at once.

import type {
  BoardDriver,
  BoardExit,
  BoardHooks,
  BoardJob,
  BoardSession,
  PowerOffOptions,
} from '../../drivers/board/contract.ts';
import { ProcessEnded, type SimulatedProcess } from '../simulated-host/host.ts';
import type { Random } from '../simulation/random.ts';

export interface MetalOptions {
  readonly name: string;
  readonly random: Random;
  /** Power and console are apart: it can be switched without a job. */
  readonly isOfParts: boolean;
  /** An image has begun to run; its end text tells whose it is. */
  readonly onStart: (board: string, endText: string) => void;
  readonly onProblem: (problem: string) => void;
  /** What happened, for the trace. */
  readonly onNote: (what: string) => void;
}

/** What an image does in the end. */
type Ending = 'passes' | 'fails' | 'hangs' | 'crashes' | 'exits' | 'chatters';
const endings: readonly Ending[] = [
  'passes',
  'passes',
  'passes',
  'fails',
  'hangs',
  'crashes',
  'exits',
  'chatters',
];

export class Metal {
  readonly name: string;
  isOn = false;
  /** Its outlet does not work. */
  isBroken = false;
  /** What it printed in each job, by the job's end text. */
  readonly printed = new Map<string, string>();
  readonly #options: MetalOptions;
  #session: Session | undefined;
  #action: string | undefined;

  constructor(options: MetalOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** What is being done to it, if anything. */
  get occupation(): string | undefined {
    // That one which is off is switched off once more, for an order that came twice, does nothing to it.
    if (this.#action !== undefined && (this.isOn || this.#action !== switchedTo('off'))) return this.#action;
    return this.#session && !this.#session.hasEnded ? `it runs a job (${this.#session.endText})` : undefined;
  }

  /** As an agent process drives it; when that dies, the board goes on without anybody who watches. */
  driver(process: SimulatedProcess): BoardDriver {
    process.onEnd(() => {
      this.#session = undefined;
      this.#action = undefined;
    });
    const whole: BoardDriver = {
      watches: false,
      start: (job, hooks, { signal }) => this.#start(process, job, hooks, signal),
      powerOff: (_hooks, options) => this.#powerOff(process, options),
    };
    if (!this.#options.isOfParts) return whole;
    return {
      ...whole,
      powerOn: (_hooks, { signal }) => this.#switch(process, 'on', signal),
      powerStatus: async () => (this.isOn ? 'on' : 'off'),
    };
  }

  async #start(
    process: SimulatedProcess,
    job: BoardJob,
    hooks: BoardHooks,
    signal: AbortSignal,
  ): Promise<BoardSession> {
    const { random, onStart, onProblem, onNote } = this.#options;
    if (!process.isAlive) throw new ProcessEnded();
    if (this.occupation !== undefined) onProblem(`${this.name} is started while ${this.occupation}`);
    const session = new Session(this, { process, job, hooks, random });
    this.#session = session;
    await process.sleep(random.between(1, 80));
    if (signal.aborted || !process.isAlive) session.end({ kind: 'stopped' });
    else {
      this.isOn = true;
      onNote(`${this.name} is on, with a job`);
      onStart(this.name, job.endText);
      signal.addEventListener('abort', () => void session.stop(), { once: true });
      session.begin(random.pick(endings));
    }
    return session;
  }

  async #powerOff(process: SimulatedProcess, { signal, besideJob = false }: PowerOffOptions): Promise<void> {
    const isApart = besideJob && this.#options.isOfParts;
    if (!isApart) await this.#session?.stop();
    await this.#switch(process, 'off', signal);
  }

  async #switch(process: SimulatedProcess, to: 'on' | 'off', signal: AbortSignal): Promise<void> {
    const { random, onProblem, onNote } = this.#options;
    if (!process.isAlive) throw new ProcessEnded();
    onNote(`${this.name} is to be ${to}`);
    if (this.#action !== undefined) onProblem(`${this.name} is switched ${to} while ${this.#action}`);
    this.#action = switchedTo(to);
    const takesMs = random.chance(0.02) ? random.between(1_000, 90_000) : random.between(0, 40);
    // Its program is killed.
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    await Promise.race([process.sleep(takesMs), aborted]);
    if (!process.isAlive) throw new ProcessEnded();
    this.#action = undefined;
    if (signal.aborted) throw new Error('given up');
    if (this.isBroken) throw new Error('the outlet does not answer');
    this.isOn = to === 'on';
    onNote(`${this.name} is ${to}`);
  }

  print(endText: string, text: string): void {
    this.printed.set(endText, (this.printed.get(endText) ?? '') + text);
  }
}

function switchedTo(to: 'on' | 'off'): string {
  return `it is switched ${to}`;
}

interface SessionOptions {
  readonly process: SimulatedProcess;
  readonly job: BoardJob;
  readonly hooks: BoardHooks;
  readonly random: Random;
}

class Session implements BoardSession {
  readonly #metal: Metal;
  readonly #options: SessionOptions;
  readonly #exit = Promise.withResolvers<BoardExit>();
  #stopping: Promise<void> | undefined;
  hasEnded = false;

  constructor(metal: Metal, options: SessionOptions) {
    this.#metal = metal;
    this.#options = options;
  }

  get endText(): string {
    return this.#options.job.endText;
  }

  get exit(): Promise<BoardExit> {
    return this.#exit.promise;
  }

  write(): void {}

  stop(): Promise<void> {
    const { process, random } = this.#options;
    this.#stopping ??= process.sleep(random.between(0, 30)).then(() => this.end({ kind: 'stopped' }));
    return this.#stopping;
  }

  end(exit: BoardExit): void {
    this.hasEnded = true;
    this.#exit.resolve(exit);
  }

  /** Prints a few lines, then what its end is. */
  begin(ending: Ending): void {
    const { random } = this.#options;
    const lines = random.between(0, 4);
    let atMs = 0;
    for (let line = 1; line <= lines; line += 1) {
      atMs += random.wait(150);
      this.#later(atMs, () => this.#print(`line ${line} of ${this.#metal.name}\r\n`));
    }
    this.#later(atMs + random.wait(300), () => this.#finish(ending));
  }

  #finish(ending: Ending): void {
    const { job } = this.#options;
    switch (ending) {
      case 'passes':
        return this.#print(`${job.endText}\r\n`);
      case 'fails':
        return this.#print(`${job.errorText}\r\n`);
      case 'hangs':
        return;
      case 'crashes':
        return this.end({ kind: 'crashed', message: 'triple fault' });
      case 'exits':
        return this.end({ kind: 'exited', code: 0 });
      case 'chatters':
        this.#print('x'.repeat(200));
        this.#later(100, () => this.#finish('chatters'));
    }
  }

  #later(ms: number, action: () => void): void {
    this.#options.process.later(ms, () => {
      if (!this.hasEnded) action();
    });
  }

  #print(text: string): void {
    // A board that the holder switched off says nothing.
    if (!this.#metal.isOn) return;
    this.#metal.print(this.endText, text);
    this.#options.hooks.onConsole(Buffer.from(text));
  }
}
