// Bad clients on the channel: requests of every operation changed in a place or two, ids used twice with other bodies,
// uploads that do not fit what was announced, frames that are none. Each input is a connection of its own.
import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { Check } from 'typebox/value';
import { serveChannel } from '../../http/channel.ts';
import { encodeJson, FrameReader } from '../../platform/frames.ts';
import { messageBytesMax } from '../../protocol/channel.ts';
import { errorClasses } from '../../protocol/errors.ts';
import { type Operation, operations } from '../../protocol/operations.ts';
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
import { hostileNumber, hostileText } from './hostile-text.ts';
import type { Kind, Target } from './kind.ts';
import { knownFields } from './known-fields.ts';
import { FuzzLab, users } from './lab.ts';

interface ChannelInput extends WireInput {
  readonly user: string;
}

interface Answer {
  readonly id?: unknown;
  readonly ok?: unknown;
  readonly body?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown };
  readonly event?: unknown;
}

const table = Object.entries(operations as Record<string, Operation>);
const lastId = 999_999;

function make(random: Random, index: number): ChannelInput {
  const frames: WireFrame[] = [];
  for (let left = random.between(1, 6); left > 0; left -= 1) frames.push(frameOf(random, index));
  return { user: random.pick(users), ...wireInput(random, frames) };
}

function frameOf(random: Random, index: number): WireFrame {
  const kind = random.between(0, 19);
  if (kind === 0) return rawFrame(random);
  if (kind === 1) return anyJson(random);
  if (kind === 2) return { json: { pong: hostileNumber(random) } };
  if (kind <= 4) return dataFrame(random, random.pick([0, 1, 2, 3, 2 ** 32 - 1]));
  const [op, { request }] = random.pick(table);
  const body = mutate(fromSchema(request, random, knownFields(index)), random);
  const message = {
    id: random.between(1, 4),
    op: random.chance(0.97) ? op : hostileText(random),
    body,
    ...(random.chance(0.2) ? { again: true } : {}),
  };
  return { json: random.chance(0.95) ? message : mutate(message, random) };
}

class ChannelTarget implements Target {
  readonly #lab: FuzzLab;

  constructor(lab: FuzzLab) {
    this.#lab = lab;
  }

  async take(input: unknown): Promise<string[]> {
    const { user, ...wire } = input as ChannelInput;
    const [ours, theirs] = duplexPair();
    serveChannel({
      lab: this.#lab.server,
      // What the channel uses of it any byte stream has.
      socket: theirs as Duplex as Socket,
      head: Buffer.alloc(0),
      caller: () => ({ user, admin: user === 'root' }),
      isPeerGone: () => true,
    });
    const client = new BadClient(ours, opsOf(wire.frames));
    for (const piece of piecesOf(wire)) {
      if (!ours.destroyed) ours.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    // An answer to this shows that the channel goes on; its end shows that it had enough. Half a frame would swallow it.
    const raw = wire.frames.find((frame) => 'raw' in frame);
    const isWhole = wire.changes.length === 0 && raw === undefined;
    // One that announces too much is refused at its head.
    if (wire.changes.length === 0 && isTooLong(raw)) await client.answered;
    if (!ours.destroyed && isWhole) {
      ours.write(encodeJson({ id: lastId, op: 'hello', body: {} }));
      await client.answered;
    }
    ours.destroy();
    return client.problems;
  }

  async check(): Promise<string[]> {
    const problems = await this.#lab.check();
    await this.#lab.clear();
    return problems;
  }

  close(): Promise<void> {
    return this.#lab.close();
  }
}

function isTooLong(frame: WireFrame | undefined): boolean {
  if (!frame || !('raw' in frame)) return false;
  const head = Buffer.from(frame.raw, 'latin1');
  return head.length >= 5 && head.readUInt32BE(0) > messageBytesMax;
}

/** Which operation an answer is to, where its id was used once. */
function opsOf(frames: readonly WireFrame[]): ReadonlyMap<unknown, string> {
  const ops = new Map<unknown, string>();
  const twice = new Set<unknown>();
  for (const frame of frames) {
    const { id, op } = ('json' in frame ? (frame.json ?? {}) : {}) as { id?: unknown; op?: unknown };
    if (ops.has(id)) twice.add(id);
    if (typeof op === 'string') ops.set(id, op);
  }
  for (const id of twice) ops.delete(id);
  return ops;
}

class BadClient {
  readonly problems: string[] = [];
  readonly answered: Promise<void>;
  readonly #ops: ReadonlyMap<unknown, string>;

  constructor(stream: Duplex, ops: ReadonlyMap<unknown, string>) {
    this.#ops = ops;
    const reader = new FrameReader({ payloadBytesMax: 64 * 1024 * 1024 });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.answered = promise;
    stream.on('error', () => undefined);
    stream.on('end', resolve);
    stream.on('close', resolve);
    stream.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        if (frame.kind !== 'json') continue;
        const answer = frame.value as Answer;
        this.#judge(answer);
        if (answer.id === lastId) resolve();
      }
    });
  }

  #judge({ id, ok, body, error, event }: Answer): void {
    if (event !== undefined) return;
    if (ok === true) {
      const op = this.#ops.get(id);
      const operation = op === undefined ? undefined : (operations as Record<string, Operation>)[op];
      if (operation && !Check(operation.response, body))
        this.problems.push(`the answer to ${op} does not fit its schema: ${JSON.stringify(body)}`);
      return;
    }
    const { code, message } = error ?? {};
    if (typeof code !== 'string' || !Object.hasOwn(errorClasses, code) || typeof message !== 'string')
      this.problems.push(`no answer and no error: ${JSON.stringify(error)}`);
    else if (code === 'INTERNAL') this.problems.push(`INTERNAL: ${message}`);
    else if (message.length > 20_000)
      this.problems.push(`a message of ${message.length} characters: ${message.slice(0, 200)}`);
  }
}

export const channelKind: Kind = {
  name: 'channel',
  share: 20,
  checkEvery: 250,
  make,
  async open(folder) {
    const lab = await FuzzLab.open({ folder });
    await lab.settle();
    return new ChannelTarget(lab);
  },
};
