// One board at the agent: strictly one action at a time, under rising tokens.
//
// An action is a job, a power off, or a switch of the power that the board's holder asked for. It waits until the one before
// has let go of the board. One with a newer token makes all before it end as soon as may be; a power off with the same token
// ends what it is sent behind. A switch with the token of a job that lives is carried out beside that job. When the
// one before has not let go within its limit, the new one fails, and does not overlap it; so does every later one, until
// it has let go at last.
import type { BoardDriver } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { MachineSpec } from '../protocol/machine.ts';
import type { ChildHooks, Job } from './job.ts';
import type { JobFiles } from './job-files.ts';
import { actionEndSeconds, powerOffGraceSeconds, powerOffSeconds } from './limits.ts';
import {
  findUnable,
  type PowerOff,
  type PowerOutcome,
  type PowerSwitch,
  powerOff,
  type SwitchAction,
  type SwitchOutcome,
  switchPower,
} from './power.ts';
import { compareTokens, lowestToken } from './token.ts';

interface Action {
  readonly token: string;
  /** Makes way for a power off of this token, which is not lower, or for anything that is newer. */
  readonly yieldTo: (token: string) => void;
  /** Never rejects. Nothing of it, nor of those before it, touches the board any more. */
  readonly released: Promise<unknown>;
  /** Ends what it left on. */
  readonly endLeftOn: () => Promise<void>;
}

/** The holder's switch of the power. `again`: it may have been said before, and is not to be begun now. */
export interface SwitchOrder {
  readonly request: string;
  readonly token: string;
  readonly action: SwitchAction;
  readonly again: boolean;
}

export interface BoardRunnerOptions {
  readonly name: string;
  readonly machine: MachineSpec;
  readonly driver: BoardDriver;
  readonly files: JobFiles;
  readonly clock: Clock;
  readonly hooks: ChildHooks;
  /** Resolves when nothing of an earlier agent runs any more. */
  readonly cleared: Promise<unknown>;
}

export class BoardRunner {
  readonly name: string;
  readonly #options: BoardRunnerOptions;
  /** Why the board is not to be used, where what a killed agent left could not be made safe; until an action works. */
  failure: string | undefined;
  #machine: MachineSpec;
  #driver: BoardDriver;
  #last: Action;
  /** Actions that have not let go of the board, the oldest first. */
  readonly #holding = new Set<Action>();
  #powering: { readonly token: string; readonly outcome: Promise<PowerOutcome> } | undefined;
  #job: Job | undefined;
  /** The holder's last switch but for questions, which may be asked about again; and whether one is under way. */
  #switched: { readonly request: string; readonly outcome: Promise<SwitchOutcome> } | undefined;
  #switching: { readonly abort: AbortController; readonly outcome: Promise<SwitchOutcome> } | undefined;

  constructor(options: BoardRunnerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#machine = options.machine;
    this.#driver = options.driver;
    this.#last = {
      token: lowestToken,
      yieldTo: () => undefined,
      released: options.cleared,
      endLeftOn: async () => undefined,
    };
  }

  get machine(): MachineSpec {
    return this.#machine;
  }

  get driver(): BoardDriver {
    return this.#driver;
  }

  /** The configuration has changed: later actions drive the board so. What runs goes on as it is. */
  useMachine(machine: MachineSpec, driver: BoardDriver): void {
    this.#machine = machine;
    this.#driver = driver;
  }

  /** Why an action with this token may not be begun; undefined when it may. */
  refusal(token: string): string | undefined {
    const highest = this.#options.files.tokens.highestOf(this.name);
    return compareTokens(token, highest) < 0 ? `the board has seen token ${highest}` : undefined;
  }

  /** Takes a job that `refusal` has nothing against; it learns of its turn by its input. */
  run(job: Job): void {
    this.failure = undefined;
    this.#job = job;
    const stored = this.#note(job);
    const turn = this.#enter(
      {
        token: job.token,
        yieldTo: (token) => {
          if (compareTokens(token, job.token) > 0) job.input({ kind: 'superseded', by: token });
          else job.input({ kind: 'cancel', why: 'the board was told to power off' });
        },
        released: job.released(),
        endLeftOn: () => job.endLeftOn(),
      },
      { endsEqual: true },
    );
    void Promise.all([turn, explain(stored)]).then(([busy, unstored]) => {
      const why = unstored ?? busy;
      job.input(why === undefined ? { kind: 'turn' } : { kind: 'blocked', why });
    });
  }

  /** Powers the board off under a token that `refusal` has nothing against; a repeat joins the one in flight. Never rejects. */
  powerOff(token: string): Promise<PowerOutcome> {
    if (this.#powering?.token === token) return this.#powering.outcome;
    const abort = new AbortController();
    const outcome = Promise.withResolvers<PowerOutcome>();
    const released = Promise.withResolvers<void>();
    // As the board was when this was asked for, should the configuration change before its turn.
    const driver = this.#driver;
    const powering = { token, outcome: outcome.promise };
    this.#powering = powering;
    const stored = this.#options.files.tokens.raise(this.name, token);
    const turn = this.#enter(
      {
        token,
        yieldTo: (newer) => {
          if (compareTokens(newer, token) > 0) abort.abort(new Error(`the board went to token ${newer}`));
        },
        released: released.promise,
        endLeftOn: async () => undefined,
      },
      { endsEqual: true },
    );
    void Promise.all([turn, explain(stored)]).then(async ([busy, unstored]) => {
      const power = this.#powerOffNow(driver, unstored ?? busy, abort.signal);
      const result = await power.outcome;
      if (result.ok) this.failure = undefined;
      outcome.resolve(result);
      if (this.#powering === powering) this.#powering = undefined;
      await power.released;
      released.resolve();
    });
    return outcome.promise;
  }

  /** Carries out what the holder asks for, or says what became of it where it was asked before. Never rejects. */
  switchPower(order: SwitchOrder): Promise<SwitchOutcome> {
    const { request, token, action, again } = order;
    if (this.#switched?.request === request) return this.#switched.outcome;
    if (again) return Promise.resolve({ outcome: 'unknown', detail: 'the agent was not told of it' });
    const why = this.refusal(token) ?? findUnable(this.#driver, action);
    const busy = this.#switching ? 'its power is being switched already' : undefined;
    if (why !== undefined || busy !== undefined) return Promise.resolve(refused(why ?? busy ?? ''));
    const abort = new AbortController();
    const beside = this.#job?.token === token ? this.#job.switchPower(action) : undefined;
    const running = beside ?? this.#switchAlone(order, abort);
    const switching = { abort, outcome: running.outcome };
    this.#switching = switching;
    if (action !== 'status') this.#switched = { request, outcome: running.outcome };
    void running.released.then(() => {
      if (this.#switching === switching) this.#switching = undefined;
    });
    return running.outcome;
  }

  get isSwitching(): boolean {
    return this.#switching !== undefined;
  }

  /** As an action of its own, in its turn. */
  #switchAlone({ token, action }: SwitchOrder, abort: AbortController): PowerSwitch {
    const released = Promise.withResolvers<void>();
    const driver = this.#driver;
    const stored = this.#options.files.tokens.raise(this.name, token);
    const turn = this.#enter(
      {
        token,
        yieldTo: (other) => abort.abort(new Error(`the board went to token ${other}`)),
        released: released.promise,
        endLeftOn: async () => undefined,
      },
      { endsEqual: false },
    );
    const outcome = Promise.all([turn, explain(stored)]).then(async ([late, unstored]) => {
      const hindrance = unstored ?? late ?? reasonOf(abort.signal);
      if (hindrance !== undefined) {
        released.resolve();
        return refused(hindrance);
      }
      const { clock, hooks } = this.#options;
      const power = switchPower({ driver, clock, hooks }, action, abort.signal);
      void power.released.then(() => released.resolve());
      const result = await power.outcome;
      if (result.outcome === 'done' && action !== 'status') this.failure = undefined;
      return result;
    });
    return { outcome, released: released.promise };
  }

  /** Waits for a power off in flight, and ends what the last job left on in this process without one. */
  async leave(): Promise<void> {
    this.#switching?.abort.abort(new Error('the agent leaves'));
    await Promise.all([this.#powering?.outcome, this.#switching?.outcome]);
    await this.#last.endLeftOn();
  }

  /** The note first, and at once: the job may be over, and its result stored, before the token is. */
  async #note(job: Job): Promise<void> {
    const { files } = this.#options;
    files.writeFirstNote({ id: job.id, board: this.name, token: job.token, machine: this.#machine });
    await files.tokens.raise(this.name, job.token);
  }

  #powerOffNow(driver: BoardDriver, hindrance: string | undefined, signal: AbortSignal): PowerOff {
    const why = hindrance ?? reasonOf(signal);
    if (why !== undefined) {
      return { outcome: Promise.resolve({ ok: false, detail: why }), released: Promise.resolve() };
    }
    const { clock, hooks } = this.#options;
    return powerOff({ driver, clock, hooks }, signal);
  }

  /** Puts the action behind the last one, and answers at its turn, or with why it has none. */
  async #enter(action: Action, { endsEqual }: { endsEqual: boolean }): Promise<string | undefined> {
    const before = this.#last;
    const free = before.released.then(() => before.endLeftOn()).catch(() => undefined);
    const released = Promise.all([free, action.released]);
    // Also those further back may not have let go yet.
    for (const one of this.#holding) {
      if (endsEqual || compareTokens(action.token, one.token) > 0) one.yieldTo(action.token);
    }
    this.#last = { ...action, released };
    this.#holding.add(action);
    void released.then(() => this.#holding.delete(action));
    // The end of a job by itself has a power off in it; one that is superseded leaves that out.
    const isNewer = compareTokens(action.token, before.token) > 0;
    const seconds = actionEndSeconds + (isNewer ? 0 : powerOffSeconds + powerOffGraceSeconds);
    const late = Promise.withResolvers<string>();
    const cancel = this.#options.clock.setTimer(seconds * 1000, () =>
      late.resolve(`what the board did before has not ended within ${seconds} s`),
    );
    const why = await Promise.race([free.then(() => undefined), late.promise]);
    cancel();
    return why;
  }
}

function refused(detail: string): SwitchOutcome {
  return { outcome: 'refused', detail };
}

function reasonOf(signal: AbortSignal): string | undefined {
  return signal.aborted ? (signal.reason as Error).message : undefined;
}

async function explain(stored: Promise<void>): Promise<string | undefined> {
  try {
    await stored;
    return undefined;
  } catch (error) {
    return `the agent can't note what it does: ${error instanceof Error ? error.message : String(error)}`;
  }
}
