// A bad server, as an agent hears it: messages of every type changed in a place or two, images whose names would leave
// their folder and whose bytes are not those of their sum, frames that are none. The boards do nothing real.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { Agent } from '../../agent/agent.ts';
import { serverMessages } from '../../agent/server-message.ts';
import type { BoardDriver, BoardJob } from '../../drivers/board/contract.ts';
import { systemClock } from '../../platform/clock.ts';
import { encodeJson, FrameReader } from '../../platform/frames.ts';
import { checkAgentMessage } from '../../server/agent-message.ts';
import { CollectingLogger } from '../collecting-logger.ts';
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
import { fuzzBoard } from './fuzz-board.ts';
import { hostileText, hostileWord } from './hostile-text.ts';
import type { Kind, Target } from './kind.ts';
import { boardNames } from './lab.ts';

const types = Object.keys(serverMessages) as (keyof typeof serverMessages)[];
const image = Buffer.from('an image');
const imageHash = createHash('sha256').update(image).digest('hex');

function make(random: Random, index: number): WireInput {
  const frames: WireFrame[] = [welcome(random)];
  for (let left = random.between(1, 5); left > 0; left -= 1) frames.push(frameOf(random, index));
  return wireInput(random, frames);
}

function welcome(random: Random): WireFrame {
  const boards = boardNames.map((name) => ({ name, machine: { driver: 'script', path: `/${name}` } }));
  const whole = { type: 'welcome', protocol: 1, server: 'bad', boards, consoleFrom: [], logBytesMax: 65_536 };
  return { json: random.chance(0.9) ? whole : mutate(whole, random) };
}

function frameOf(random: Random, index: number): WireFrame {
  const kind = random.between(0, 19);
  const job = random.between(Math.max(1, index - 3), index + 1);
  if (kind === 0) return rawFrame(random);
  if (kind === 1) return anyJson(random);
  if (kind <= 4) return dataFrame(random, random.chance(0.8) ? random.between(0, 3) : 2 ** 32 - 1);
  const type = random.chance(0.4) ? 'start' : random.pick(types);
  const message = fromSchema(serverMessages[type], random, (name) => known(name, random, { job, index }));
  return { json: random.chance(0.75) ? message : mutate(message, random) };
}

function known(name: string, random: Random, { job, index }: { job: number; index: number }): unknown {
  switch (name) {
    case 'job':
      return job;
    case 'token':
      return `1.${index + random.between(0, 2)}`;
    case 'board':
      return hostileWord(random, boardNames);
    case 'hash':
      return random.chance(0.7) ? imageHash : hostileText(random);
    case 'size':
      return random.chance(0.8) ? image.length : undefined;
    case 'machine':
      return { driver: 'script', path: '/x' };
    case 'timeoutSeconds':
    case 'jobMaxSeconds':
      return 1;
    case 'transfer':
      return random.between(0, 3);
    case 'endText':
    case 'errorText':
      return random.pick(['', 'x', '[', '(a|b)*']);
    case 'name':
      return random.chance(0.5) ? `${'../'.repeat(random.between(1, 8))}etc/new` : hostileText(random) || 'x';
    default:
      return undefined;
  }
}

class ServerTarget implements Target {
  readonly #folder: string;
  readonly #problems: string[] = [];
  #agent: Agent | undefined;
  #ids = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async take(input: unknown): Promise<string[]> {
    const agent = await this.#open();
    const [ours, theirs] = duplexPair();
    agent.accept(theirs);
    this.#hear(ours);
    for (const piece of piecesOf(input as WireInput)) {
      if (!ours.destroyed) ours.write(piece);
      await turns(3);
    }
    await turns(10);
    ours.destroy();
    return this.#problems.splice(0);
  }

  async #open(): Promise<Agent> {
    if (this.#agent && !this.#agent.isRetired) return this.#agent;
    await this.#leave();
    const folder = join(this.#folder, 'agent');
    // Where names that climb would find a folder.
    for (const above of [this.#folder, folder, join(folder, 'work')])
      mkdirSync(join(above, 'etc'), { recursive: true });
    const agent = new Agent({
      folder,
      drivers: () => this.#driver(),
      clock: systemClock,
      logger: new CollectingLogger(),
      version: 'fuzzed',
      newId: () => `id-${process.pid}-${++this.#ids}`,
      imageCacheBytesMax: 1_000_000,
    });
    await agent.start();
    this.#agent = agent;
    return agent;
  }

  /** What an agent would load must lie in its own folder. */
  #driver(): BoardDriver {
    const whole = fuzzBoard();
    return {
      ...whole,
      start: (job, hooks, options) => {
        this.#checkPaths(job);
        return whole.start(job, hooks, options);
      },
    };
  }

  #checkPaths({ files, dtbPath, bitstreamPath, logPath, workFolder }: BoardJob): void {
    for (const path of [...files.map((file) => file.path), dtbPath, bitstreamPath, logPath, workFolder]) {
      if (path !== undefined && !`${resolve(path)}/`.startsWith(`${workFolder}/`))
        this.#problems.push(`a job's file is at ${path}`);
    }
  }

  /** The agent, too, says only what it may; an image that it asks for it gets, and a ping. */
  #hear(stream: Duplex): void {
    const reader = new FrameReader({ payloadBytesMax: 8 * 1024 * 1024 });
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        if (frame.kind !== 'json') continue;
        const checked = checkAgentMessage(frame.value);
        if (checked.kind !== 'message')
          this.#problems.push(`the agent sent ${checked.kind} ${JSON.stringify(frame.value)}`);
        else if (checked.message.type === 'need-image') sendImage(stream, checked.message);
      }
    });
  }

  async check(): Promise<string[]> {
    const agent = await this.#open();
    const [ours, theirs] = duplexPair();
    const { promise, resolve } = Promise.withResolvers<void>();
    const reader = new FrameReader({ payloadBytesMax: 8 * 1024 * 1024 });
    ours.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        const message = frame.kind === 'json' ? (frame.value as { type?: string; nonce?: number }) : {};
        if (message.type === 'pong' && message.nonce === 7) resolve();
      }
    });
    agent.accept(theirs);
    ours.write(encodeJson({ type: 'ping', nonce: 7 }));
    await promise;
    await this.#leave();
    return this.#problems.splice(0);
  }

  async #leave(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.stop('the fuzzing is over');
    agent?.close();
  }

  close(): Promise<void> {
    return this.#leave();
  }
}

function sendImage(stream: Duplex, { transfer, hash }: { transfer: number; hash: string }): void {
  const frames: WireFrame[] = [
    { json: { type: 'image-size', transfer, hash, size: image.length } },
    { streamId: transfer, offset: 0, atMs: 0, bytes: image.toString('latin1') },
  ];
  for (const piece of piecesOf({ frames, changes: [], cuts: [] })) if (!stream.destroyed) stream.write(piece);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export const serverKind: Kind = {
  name: 'server',
  share: 7,
  checkEvery: 100,
  make,
  open: async (folder) => new ServerTarget(folder),
};
