// One board at the agent: strictly one action at a time, under rising tokens. A newer token aborts the action in flight
// and acts only when that has ended; past its limit the newer action fails instead of overlapping the old one.
import type { BoardDriver } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { MachineSpec } from '../protocol/agent-messages.ts';
import type { ChildHooks, Job } from './job.ts';
import type { JobFiles } from './job-files.ts';
import { actionEndSeconds } from './limits.ts';
import { type PowerOutcome, powerOff } from './power.ts';
import { compareTokens } from './token.ts';

interface Action {
  readonly token: string;
  /** Ends it as soon as may be. */
  readonly supersede: (by: string) => void;
  readonly ended: Promise<unknown>;
}

export interface BoardRunnerOptions {
  readonly name: string;
  readonly machine: MachineSpec;
  readonly driver: BoardDriver;
  readonly files: JobFiles;
  readonly clock: Clock;
  readonly hooks: ChildHooks;
}

export class BoardRunner {
  readonly name: string;
  readonly machine: MachineSpec;
  readonly driver: BoardDriver;
  readonly #options: BoardRunnerOptions;
  /** Ends when everything that was begun on this board has ended. */
  #last: Action | undefined;
  #powering: { token: string; outcome: Promise<PowerOutcome> } | undefined;

  constructor(options: BoardRunnerOptions) {
    this.name = options.name;
    this.machine = options.machine;
    this.driver = options.driver;
    this.#options = options;
  }

  /** Why an action with this token may not be begun; undefined when it may. Durable before it returns. */
  admit(token: string): string | undefined {
    const { files } = this.#options;
    const highest = files.tokenOf(this.name);
    if (compareTokens(token, highest) < 0) return `the board has seen ${highest}`;
    files.raiseToken(this.name, token);
    return undefined;
  }

  /** Begins an admitted job when the board is its. */
  run(job: Job): void {
    const before = this.#last;
    this.#last = {
      token: job.token,
      supersede: (by) => job.input({ kind: 'superseded', by }),
      ended: Promise.all([job.done, before?.ended]),
    };
    void this.#endOf(before, job.token).then((isOver) =>
      job.input(
        isOver
          ? { kind: 'turn' }
          : { kind: 'blocked', why: 'the board is still busy with an earlier action' },
      ),
    );
  }

  /** Powers an admitted board off; the same token again joins the one in flight. Never rejects. */
  powerOff(token: string): Promise<PowerOutcome> {
    if (this.#powering?.token === token) return this.#powering.outcome;
    const before = this.#last;
    const abort = new AbortController();
    const outcome = this.#powerOffAfter(before, token, abort.signal);
    const powering = { token, outcome };
    this.#powering = powering;
    this.#last = {
      token,
      supersede: (by) => abort.abort(new Error(`token ${by} has the board`)),
      ended: Promise.all([outcome, before?.ended]),
    };
    void outcome.then(() => {
      if (this.#powering === powering) this.#powering = undefined;
    });
    return outcome;
  }

  async #powerOffAfter(
    before: Action | undefined,
    token: string,
    signal: AbortSignal,
  ): Promise<PowerOutcome> {
    if (!(await this.#endOf(before, token)))
      return { ok: false, detail: 'the board is still busy with an earlier action' };
    if (signal.aborted) return { ok: false, detail: 'a newer token has the board' };
    return powerOff(this.#options, signal);
  }

  /** Whether the earlier action has ended within its limit; an older token's is told to. */
  async #endOf(before: Action | undefined, token: string): Promise<boolean> {
    if (!before) return true;
    if (compareTokens(before.token, token) < 0) before.supersede(token);
    const late = Promise.withResolvers<false>();
    const cancel = this.#options.clock.setTimer(actionEndSeconds * 2 * 1000, () => late.resolve(false));
    const isOver = await Promise.race([before.ended.then(() => true), late.promise]);
    cancel();
    return isOver;
  }
}
