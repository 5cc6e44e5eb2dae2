// An agent in this process with boards that do what a test says, a clock that stands still, and servers to connect.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Agent, type AgentOptions } from '../../src/agent/agent.ts';
import type { ServerToAgent } from '../../src/protocol/agent-messages.ts';
import type { MachineSpec } from '../../src/protocol/machine.ts';
import type { JobSpec } from '../../src/protocol/schema.ts';
import { CollectingLogger } from '../../src/testing/collecting-logger.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { TestBoard } from './test-board.ts';
import { TestServer, type TestServerOptions, TestStore, testSpec } from './test-server.ts';

export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'agent-test-'));
}

/** Machines of tests are named by their path. */
export function machineOf(name: string): MachineSpec {
  return { driver: 'script', path: `/${name}` };
}

export class TestLab {
  readonly clock = new SimulatedClock();
  readonly logger = new CollectingLogger();
  readonly store = new TestStore();
  readonly folder: string;
  readonly #boards = new Map<string, TestBoard>();
  #agent: Agent | undefined;
  #ids = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** With an agent that runs, and no server yet. */
  static async open(t: TestContext, options: Partial<AgentOptions> = {}): Promise<TestLab> {
    const lab = await TestLab.make(t);
    await lab.startAgent(options);
    return lab;
  }

  /** Only the folder. */
  static async make(t: TestContext): Promise<TestLab> {
    const lab = new TestLab(await makeFolder());
    t.after(async () => {
      await lab.#end();
      await rm(lab.folder, { recursive: true, force: true });
    });
    return lab;
  }

  get agent(): Agent {
    assert.ok(this.#agent);
    return this.#agent;
  }

  /** As the next agent process on the same folder; the one before must have been left. */
  async startAgent(options: Partial<AgentOptions> = {}): Promise<void> {
    const agent = new Agent({
      folder: this.folder,
      drivers: (machine) => this.board(machine.driver === 'script' ? machine.path.slice(1) : '').driver,
      clock: this.clock,
      logger: this.logger,
      version: 'test',
      newId: () => `id-${process.pid}-${++this.#ids}`,
      ...options,
    });
    await agent.start();
    this.#agent = agent;
  }

  board(name = 'pc1'): TestBoard {
    const board = this.#boards.get(name) ?? new TestBoard();
    this.#boards.set(name, board);
    return board;
  }

  /** A server that has welcomed the agent, and knows which boards are ready. */
  async connect(
    options: TestServerOptions & { readonly names?: readonly string[] } = {},
  ): Promise<TestServer> {
    const server = await this.dial(options);
    await server.message('boards');
    return server;
  }

  /** Over a real socket, so that it breaks as connections do. */
  async dial(options: TestServerOptions & { readonly names?: readonly string[] } = {}): Promise<TestServer> {
    const { names = ['pc1'], ...rest } = options;
    const boards = names.map((name) => ({ name, machine: machineOf(name) }));
    const path = join(this.folder, 's');
    const listener = createServer((stream) => this.agent.accept(stream));
    await new Promise<void>((resolve) => listener.listen(path, resolve));
    const stream = connect(path);
    const server = new TestServer(stream, this.store, { boards, ...rest });
    await new Promise((resolve) => listener.once('connection', resolve));
    listener.close();
    return server;
  }

  /** Starts a job and waits until its board was told to. */
  async run(server: TestServer, changes: StartChanges = {}): Promise<void> {
    const before = this.board(changes.board).events.filter((one) => one === 'started').length;
    server.send(start(changes));
    await this.board(changes.board).sees('started', before + 1);
  }

  async #end(): Promise<void> {
    for (const board of this.#boards.values()) {
      for (const conduct of ['powerOffs', 'starts', 'stops'] as const) board[conduct] = 'works';
      board.letGo();
      assert.deepEqual(
        board.events.filter((event) => event.startsWith('OVERLAP')),
        [],
      );
    }
    await this.#agent?.stop('the test is over');
    this.#agent?.close();
    assert.equal(this.clock.timerCount, 0, 'no timer is left when the agent has stopped');
  }
}

type StartOf = Extract<ServerToAgent, { type: 'start' }>;
type StartChanges = Partial<Omit<StartOf, 'spec'>> & { readonly spec?: Partial<JobSpec> };

/** Job 1 on pc1 with token 1.1, unless it is said otherwise. */
export function start(changes: StartChanges = {}): StartOf {
  const { spec, ...rest } = changes;
  return {
    type: 'start',
    job: 1,
    board: 'pc1',
    token: '1.1',
    jobMaxSeconds: 7_200,
    leaveOn: false,
    ...rest,
    spec: testSpec(spec),
  };
}
