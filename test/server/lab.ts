// A running lab for tests: two boards in a pool behind a fake agent, over any store, with clients that are a few lines.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ChannelMessage } from '../../src/protocol/channel.ts';
import { defaultLimits, defaultRetention, type LabConfig } from '../../src/protocol/lab.ts';
import type { OperationName, RequestOf, ResponseOf } from '../../src/protocol/operations.ts';
import { Images } from '../../src/server/images.ts';
import { LabServer, type LabServerOptions } from '../../src/server/lab-server.ts';
import type { Call, Handler } from '../../src/server/operations/call.ts';
import { handlers } from '../../src/server/operations/table.ts';
import type { ChannelPort, Session } from '../../src/server/sessions.ts';
import { CollectingLogger } from '../../src/testing/collecting-logger.ts';
import { FakeAgent } from './fake-agent.ts';
import { ScriptedStore } from './scripted-store.ts';

const board = (name: string) => ({
  name,
  aliases: [],
  attributes: { arch: 'x86' },
  files: { plain: { min: 0, max: 2 }, linux: { min: 0, max: 2 } },
  takesLinux: true,
  takesDtb: true,
  machine: { driver: 'script' as const, path: '/bin/true' },
});

export const labConfig: LabConfig = {
  name: 'Test lab',
  boards: [board('a'), board('b')],
  pools: [{ name: 'p', boards: ['a', 'b'], spread: false }],
  priorityHigh: [],
  force: 'anyone',
  admins: ['root'],
  gatherSeconds: 600,
  discipline: 'turns',
  limits: { ...defaultLimits, imageBytesMax: 100_000, imagesBytesMax: 1_000_000 },
  retention: defaultRetention,
};

export interface RunningLab {
  readonly lab: LabServer;
  readonly agent: FakeAgent;
  readonly store: ScriptedStore;
  readonly logger: CollectingLogger;
  readonly folder: string;
  /** A new server on the same store, folder and agent, after this one was stopped as by a crash. */
  restart(changes?: Partial<LabServerOptions>): Promise<RunningLab>;
}

export async function startLab(
  t: TestContext,
  more: Partial<LabServerOptions> = {},
  boards: Pick<FakeAgent, 'can'> = { can: ['power-on', 'power-status', 'console'] },
): Promise<RunningLab> {
  const folder = mkdtempSync(join(tmpdir(), 'lab-'));
  const running = await startOn(t, {
    folder,
    store: new ScriptedStore(),
    agent: Object.assign(new FakeAgent(['a', 'b']), boards),
    more,
  });
  // Behind the stop, which runs first: what still writes must not meet a folder that goes away.
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  await open(running);
  return running;
}

/** How long the clock runs ahead at a start (see startOn). */
const hurryMs = 20;

/** Settling over: nobody is waited for, and the clock goes as clocks do, so that no offer runs out in its first moment. */
async function open({ lab }: RunningLab): Promise<void> {
  await lab.agents.firstBoards;
  const endAt = performance.now() + hurryMs;
  while (performance.now() < endAt) await new Promise((resolve) => setImmediate(resolve));
  await lab.core.run({ name: 'tick', body: {} });
}

async function startOn(
  t: TestContext,
  on: { folder: string; store: ScriptedStore; agent: FakeAgent; more: Partial<LabServerOptions> },
): Promise<RunningLab> {
  const { folder, store, agent, more } = on;
  const logger = new CollectingLogger();
  const images = new Images(join(folder, 'images'), (more.config ?? labConfig).limits);
  await images.start();
  // Five seconds pass in the first moment, so that settling is soon over.
  const startMs = performance.now();
  const lab = await LabServer.start({
    config: labConfig,
    loadConfig: async () => ({ ok: true, config: labConfig, warnings: [] }),
    store,
    images,
    consoleFolder: join(folder, 'consoles'),
    stateFolder: folder,
    version: '1.2.3',
    time: {
      nowMs: () => performance.now() - startMs + 5_000 * Math.min(1, (performance.now() - startMs) / hurryMs),
      wallMs: () => Date.now(),
    },
    logger,
    connectAgent: agent.connect,
    isRoot: (uid) => uid === 0,
    onFatal: (message) => logger.error('fatal', { message }),
    acceptClock: false,
    users: { nameOf: async (uid) => `user-${uid}`, idOf: async () => undefined },
    openKeeper: () => {
      throw new Error('this lab has no lock files');
    },
    ...more,
  });
  let isStopped = false;
  const stop = async () => {
    if (isStopped) return;
    isStopped = true;
    await lab.stop();
  };
  t.after(stop);
  const restart = async (changes: Partial<LabServerOptions> = {}) => {
    await stop();
    return startOn(t, { ...on, more: { ...on.more, ...changes } });
  };
  return { lab, agent, store, logger, folder, restart };
}

/** A client on a channel of its own. */
export class TestClient implements ChannelPort {
  readonly caller: { user: string; admin: boolean };
  readonly messages: ChannelMessage[] = [];
  readonly session: Session;
  readonly bytes = new Map<number, Buffer>();
  isGone = false;
  answersPings = true;
  /** Everything in the order it came: event names, and `data` for bytes. */
  readonly order: string[] = [];
  readonly #lab: LabServer;
  #changed = Promise.withResolvers<void>();

  constructor(lab: LabServer, user: string) {
    this.caller = { user, admin: user === 'root' };
    this.#lab = lab;
    this.session = lab.sessions.open(this);
  }

  send(message: ChannelMessage): void {
    if (!('event' in message)) return;
    if (message.event === 'ping') {
      if (this.answersPings) queueMicrotask(() => this.#lab.sessions.pong(this.session, message.nonce));
      return;
    }
    this.messages.push(message);
    this.order.push(message.event);
    this.#tell();
  }

  async sendData(frame: { streamId: number; offset: number; bytes: Uint8Array }): Promise<void> {
    const before = this.bytes.get(frame.streamId) ?? Buffer.alloc(0);
    if (frame.offset > before.length) this.order.push(`hole at ${before.length}`);
    const whole = Buffer.alloc(Math.max(before.length, frame.offset + frame.bytes.length));
    before.copy(whole);
    whole.set(frame.bytes, frame.offset);
    this.bytes.set(frame.streamId, whole);
    this.order.push('data');
    this.#tell();
  }

  isPeerGone(): boolean {
    return this.isGone;
  }

  call<N extends OperationName>(name: N, body: RequestOf<N>, again = false): Promise<ResponseOf<N>> {
    const call: Call = {
      lab: this.#lab,
      caller: this.caller,
      session: this.session,
      again,
      signal: this.session.closed.signal,
    };
    return (handlers[name] as Handler<N>)(call, body);
  }

  lock(target: string, more: Partial<RequestOf<'submit'>> = {}) {
    return this.call('submit', { requestId: newId(), target, kind: 'lock', key: '0', ...more });
  }

  /** Starts a job on the target and returns its number. */
  async run(target: string, more: Partial<RequestOf<'submit'>> = {}): Promise<number> {
    const job = {
      kind: 'image' as const,
      files: [],
      linux: false,
      endText: '',
      errorText: '',
      timeoutSeconds: -1,
      keepOn: false,
      detached: false,
    };
    const { ticket, view } = await this.lock(target, { kind: 'run', job, ...more });
    if (view.state === 'offered') await this.confirm(ticket, view.token);
    return ticket;
  }

  confirm(ticket: number, token: string) {
    return this.call('confirm', { requestId: newId(), ticket, token });
  }

  close(): void {
    this.#lab.sessions.close(this.session);
  }

  /** The first event that fits; waits for it. */
  async event(fits: (message: ChannelMessage & { event: string }) => boolean): Promise<ChannelMessage> {
    for (;;) {
      const found = this.messages.find((message) => 'event' in message && fits(message));
      if (found) return found;
      await this.#changed.promise;
    }
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

let ids = 0;
export function newId(): string {
  ids += 1;
  return `request-${ids}`;
}
