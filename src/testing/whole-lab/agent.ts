// The agent of the simulated host, as a process of its own: the real one, over simulated boards. It outlives servers, is
// started where none is, and can be killed.

import { Agent } from '../../agent/agent.ts';
import type { Clock } from '../../platform/clock.ts';
import { CollectingLogger } from '../collecting-logger.ts';
import { SimulatedProcess } from '../simulated-host/host.ts';
import { Wire } from '../simulated-host/wire.ts';
import { boardOf } from '../simulation/lab.ts';
import type { World } from './world.ts';

/** Milliseconds until a new agent listens, at most. */
const startMsMax = 400;

export class AgentOfHost {
  readonly #world: World;
  #process: SimulatedProcess | undefined;
  #agent: Agent | undefined;
  #starting: Promise<void> | undefined;
  #wire: Wire | undefined;
  #lives = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** For a server: finds or starts the agent, and connects. */
  async connect(server: SimulatedProcess): Promise<Wire['ends'][0]> {
    const { host } = this.#world;
    await server.sleep(host.random.between(0, 5));
    if (!this.#process?.isAlive) {
      this.#starting = this.#start();
    }
    await this.#starting;
    const [process, agent] = [this.#process, this.#agent];
    if (!process?.isAlive || !agent || !server.isAlive) throw new Error('the agent did not come up');
    const wire = new Wire([server, process], {
      isRemote: false,
      delayMsMax: 2,
      doubles: this.#world.doubles,
      isAgents: true,
      onSend: [(bytes) => this.#world.judge.onSent(bytes), () => undefined],
    });
    this.#wire = wire;
    process.later(0, () => agent.accept(wire.ends[1]));
    return wire.ends[0];
  }

  async #start(): Promise<void> {
    const { host, judge, metals } = this.#world;
    this.#lives += 1;
    const process = new SimulatedProcess(host, `agent ${this.#lives}`);
    this.#process = process;
    this.#agent = undefined;
    judge.note(`an agent starts (${process.name})`);
    const drivers = new Map([...metals].map(([name, metal]) => [name, metal.driver(process)]));
    try {
      await process.sleep(host.random.between(20, startMsMax));
      const agent = process.run(
        () =>
          new Agent({
            folder: `${host.folder}/agent`,
            drivers: (machine) => {
              const driver = machine.driver === 'script' && drivers.get(boardOf(machine.path.slice(1)));
              if (!driver) throw new Error(`there is no board ${JSON.stringify(machine)}`);
              return driver;
            },
            clock: clockOf(process),
            logger: new CollectingLogger(),
            version: 'simulated',
            newId: () => `id-${host.names.between(0, 2 ** 31)}`,
          }),
      );
      await process.run(() => agent.start());
      this.#agent = agent;
      agent.onChange(() => {
        if (agent.isRetired) this.kill('it has retired');
      });
    } catch (error) {
      // A full disk: the next one who asks starts another.
      judge.note(`that agent did not come up: ${String(error)}`);
      process.kill();
    }
  }

  kill(why: string): void {
    if (!this.#process?.isAlive) return;
    this.#world.judge.note(`the agent is gone: ${why}`);
    this.#process.kill();
  }

  freeze(ms: number): void {
    this.#process?.freeze(ms);
  }

  thaw(): void {
    this.#process?.thaw();
  }

  cut(): void {
    this.#wire?.cut();
  }

  stall(ms: number): void {
    this.#wire?.stall(ms);
  }
}

function clockOf(process: SimulatedProcess): Clock {
  return {
    nowMs: () => process.host.nowMs,
    wallMs: () => process.host.wallMs,
    setTimer: (delayMs, action) => process.later(delayMs, action),
  };
}
