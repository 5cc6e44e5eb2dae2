// A bad agent, as a server hears it: messages of every type changed in a place or two, about jobs that are and are not,
// console bytes out of order, frames that are none. Several inputs go over one connection, until the server has enough.
import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { Check } from 'typebox/value';
import { FrameReader } from '../../platform/frames.ts';
import { operations } from '../../protocol/operations.ts';
import type { JobSpec } from '../../protocol/schema.ts';
import { agentMessages } from '../../server/agent-message.ts';
import { MemoryStore } from '../memory-store.ts';
import type { Random } from '../simulation/random.ts';
import {
  anyJson,
  dataFrame,
  piecesOf,
  rawFrame,
  type WireFrame,
  type WireInput,
  wireInput,
} from './frame-bytes.ts';
import { fromSchema, mutate } from './from-schema.ts';
import { hostileText, hostileWord } from './hostile-text.ts';
import type { Kind, Target } from './kind.ts';
import { boardNames, FuzzLab, quietBoard } from './lab.ts';

const types = Object.keys(agentMessages) as (keyof typeof agentMessages)[];
/** A server that had enough tries again by and by: a new one is quicker. */
const inputsPerServer = 40;

function make(random: Random, index: number): WireInput {
  const frames: WireFrame[] = [];
  for (let left = random.between(1, 5); left > 0; left -= 1) frames.push(frameOf(random, index));
  return wireInput(random, frames);
}

/** Numbers as a server gives them that runs a job at each input. */
function frameOf(random: Random, index: number): WireFrame {
  const kind = random.between(0, 19);
  const job = random.between(1, (index % inputsPerServer) + 2);
  if (kind === 0) return rawFrame(random);
  if (kind === 1) return anyJson(random);
  if (kind <= 4) return dataFrame(random, random.chance(0.8) ? job : random.between(0, 2 ** 32 - 1));
  const known = (name: string): unknown => {
    if (name === 'job' || name === 'id') return job;
    if (name === 'token' || name === 'highestToken') return `1.${random.between(1, 2 * job + 2)}`;
    if (name === 'board') return hostileWord(random, boardNames);
    if (name === 'ready') return [...boardNames, quietBoard];
    if (name === 'consoleLength' || name === 'matchEnd') return random.pick([0, 0, 7, 64, 2 ** 53 - 1]);
    if (name === 'protocol') return 1;
    return name === 'detail' || name === 'why' ? hostileText(random) : undefined;
  };
  const message = fromSchema(agentMessages[random.pick(types)], random, known);
  return { json: random.chance(0.7) ? message : mutate(message, random) };
}

class AgentTarget implements Target {
  readonly #folder: string;
  #server: ServerOfBadAgent | undefined;
  #inputs = 0;
  #servers = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async take(input: unknown): Promise<string[]> {
    this.#inputs += 1;
    if (this.#server?.isOver || this.#inputs % inputsPerServer === 0) await this.#leave();
    this.#servers += 1;
    this.#server ??= await ServerOfBadAgent.open(`${this.#folder}/server-${this.#servers}`);
    return this.#server.take(input as WireInput);
  }

  async check(): Promise<string[]> {
    const problems = (await this.#server?.check()) ?? [];
    await this.#leave();
    return problems;
  }

  async #leave(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  close(): Promise<void> {
    return this.#leave();
  }
}

class ServerOfBadAgent {
  readonly #lab: FuzzLab;
  readonly #stream: Duplex;

  static async open(folder: string): Promise<ServerOfBadAgent> {
    const [ours, theirs] = duplexPair();
    const connection = Promise.withResolvers<Duplex>();
    let isTaken = false;
    const connectAgent = async (signal: AbortSignal): Promise<Duplex> => {
      if (isTaken) await once(signal, 'abort');
      signal.throwIfAborted();
      isTaken = true;
      return connection.promise;
    };
    const lab = await FuzzLab.open({ folder, connectAgent, store: new MemoryStore() });
    ours.on('error', () => undefined);
    const hello = { agent: 'bad', version: '0', boot: 'b', pid: 1, highestToken: '0.0', jobs: [] };
    const first = { type: 'hello', protocol: 1, ...hello };
    const can = ['power-on', 'power-status', 'console'];
    const ready = [...boardNames, quietBoard];
    const abilities = ready.map((board) => ({ board, can }));
    for (const json of [first, { type: 'boards', ready, failed: [], abilities }])
      for (const piece of piecesOf({ frames: [{ json }], changes: [], cuts: [] })) ours.write(piece);
    answerPowerOffs(ours);
    connection.resolve(theirs);
    await lab.settle();
    return new ServerOfBadAgent(lab, ours);
  }

  private constructor(lab: FuzzLab, stream: Duplex) {
    this.#lab = lab;
    this.#stream = stream;
  }

  get isOver(): boolean {
    return this.#stream.destroyed || this.#stream.readableEnded || !this.#lab.server.agents.isConnected;
  }

  async take(input: WireInput): Promise<string[]> {
    await this.#startJob();
    for (const piece of piecesOf(input)) {
      if (!this.#stream.destroyed) this.#stream.write(piece);
      await turns(2);
    }
    await turns(5);
    return this.#look();
  }

  /** So that there is one to talk about. */
  async #startJob(): Promise<void> {
    const lab = this.#lab;
    const submit = { requestId: lab.newId(), target: 'pool', kind: 'run', key: '0', waitSeconds: 0 } as const;
    const offered = await lab.call('ana', 'submit', { ...submit, job: plainJob() }).catch(() => undefined);
    if (offered?.view.state !== 'offered') return;
    const { ticket, view } = offered;
    await lab.call('ana', 'confirm', { requestId: lab.newId(), ticket, token: view.token });
  }

  /** What the agent said is shown to everybody, and must fit what clients are promised. */
  async #look(): Promise<string[]> {
    const [status, jobs] = await Promise.all([
      this.#lab.call('ben', 'status', {}),
      this.#lab.call('ben', 'jobs', {}),
    ]);
    const problems: string[] = [];
    if (!Check(operations.status.response, status))
      problems.push(`no status that clients know: ${JSON.stringify(status)}`);
    if (!Check(operations.jobs.response, jobs))
      problems.push(`no jobs that clients know: ${JSON.stringify(jobs)}`);
    return [...problems, ...this.#lab.logger.problems.splice(0)];
  }

  /** With the agent that it has an ordinary client may get nothing; but the state must be sound. */
  async check(): Promise<string[]> {
    return this.#lab.checkState();
  }

  async close(): Promise<void> {
    this.#stream.destroy();
    await this.#lab.close();
  }
}

function plainJob(): JobSpec {
  const texts = { endText: 'x', errorText: '' };
  return {
    kind: 'image',
    files: [],
    linux: false,
    ...texts,
    timeoutSeconds: -1,
    keepOn: false,
    detached: true,
  };
}

/** Else every board would soon be ending for good. */
function answerPowerOffs(stream: Duplex): void {
  const reader = new FrameReader({ payloadBytesMax: 8 * 1024 * 1024 });
  stream.on('data', (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      const message = frame.kind === 'json' ? (frame.value as { type: string }) : undefined;
      if (message?.type !== 'power-off') continue;
      const json = { ...message, type: 'powered-off', ok: true, detail: '' };
      for (const piece of piecesOf({ frames: [{ json }], changes: [], cuts: [] })) stream.write(piece);
    }
  });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export const agentKind: Kind = {
  name: 'agent',
  share: 8,
  checkEvery: 100,
  make,
  open: async (folder) => new AgentTarget(folder),
};
