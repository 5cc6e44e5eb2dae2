// What befalls the lab of a history, from chance: the server and the agent are killed and stopped, lines are cut and stalled,
// people vanish. One loop for each.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import type { LabProcesses } from './lab-processes.ts';
import type { LineProxy } from './line-proxy.ts';
import type { Recorder } from './recorder.ts';

export interface FaultsOptions {
  readonly random: Random;
  readonly lab: LabProcesses;
  readonly proxy: LineProxy;
  readonly recorder: Recorder;
  /** Ends all loops. */
  readonly signal: AbortSignal;
}

export class Faults {
  readonly #options: FaultsOptions;
  kills = 0;
  agentKills = 0;
  pauses = 0;
  stalls = 0;
  #isCalm = false;

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Kills the server so many times, each at a moment of its life that chance picks, and starts it again. */
  async killServers(times: number): Promise<void> {
    const { random, lab, recorder, signal } = this.#options;
    for (let at = 0; at < times && !signal.aborted; at += 1) {
      await this.#life();
      await lab.kill();
      this.kills += 1;
      recorder.event('server killed');
      await sleep(random.pick([0, 0, 10, 60]));
      this.#start();
    }
  }

  /** A third are killed on their way up, most soon after, and some live long enough to get work done. */
  async #life(): Promise<void> {
    const { random, lab } = this.#options;
    if (random.chance(0.3)) return void (await sleep(random.between(30, 700)));
    await lab.ready();
    await sleep(random.chance(0.85) ? random.between(20, 700) : random.between(700, 3_000));
  }

  #start(): void {
    const { lab, recorder } = this.#options;
    recorder.event('server started');
    lab.start();
    lab.ready().then(
      () => recorder.event('server ready'),
      () => undefined,
    );
  }

  /** All else that happens by itself, until the signal aborts. */
  async trouble(): Promise<void> {
    const { lab, proxy, random, recorder } = this.#options;
    await Promise.all([
      this.#often(3_000, async () => {
        if (!(await lab.killAgent())) return;
        this.agentKills += 1;
        recorder.event('agent killed');
      }),
      this.#often(150, () => {
        const name = this.#someLine();
        if (name === undefined) return;
        if (random.chance(0.5)) proxy.cut(name);
        else proxy.cutAfter(name, random.between(0, 400));
      }),
      this.#often(500, () => this.stall(random.chance(0.05) ? 4_000 : random.between(20, 900))),
      this.#often(4_000, () => this.stopServer(random.between(20, 700))),
    ]);
  }

  /** Neither cuts nor kills: for what takes its time. The server is stopped, and lines are stalled, beyond every grace. */
  async calm(): Promise<void> {
    this.#isCalm = true;
    const { random, recorder } = this.#options;
    recorder.event('calm begins');
    await Promise.all([1, 2, 3].map(() => this.stall(random.between(21_000, 27_000))));
    await this.stopServer(random.between(16_000, 19_000));
    await sleep(8_000);
    recorder.event('calm ends');
    this.#isCalm = false;
  }

  /** Nothing passes on somebody's line for so long. */
  async stall(ms: number): Promise<void> {
    const { proxy, recorder } = this.#options;
    const name = this.#someLine();
    if (name === undefined) return;
    this.stalls += 1;
    const from = recorder.now();
    proxy.stall(name);
    await sleep(ms);
    proxy.release(name);
    recorder.stalled(name, from);
  }

  async stopServer(ms: number): Promise<void> {
    const { lab, recorder } = this.#options;
    const from = recorder.now();
    this.pauses += 1;
    recorder.event(`server stopped for ${ms} ms`);
    lab.signal('SIGSTOP');
    await sleep(ms);
    lab.signal('SIGCONT');
    recorder.stalled('*', from);
  }

  #someLine(): string | undefined {
    const { proxy, random } = this.#options;
    const { names } = proxy;
    return names.length === 0 ? undefined : random.pick(names);
  }

  async #often(meanMs: number, action: () => Promise<void> | void): Promise<void> {
    const { random, signal } = this.#options;
    while (!signal.aborted) {
      await sleep(random.wait(meanMs), undefined, { signal }).catch(() => undefined);
      if (!signal.aborted && !this.#isCalm) await action();
    }
  }
}
