// An agent of a few lines: keeps its jobs and their consoles in memory over connections, says everything again after
// each, and cuts the link after so many frames where a test wants it.
import { type Duplex, duplexPair } from 'node:stream';
import { encodeData, encodeJson, FrameReader } from '../../src/platform/frames.ts';
import type {
  AgentJobResult,
  AgentToServer,
  BoardAbility,
  ServerToAgent,
} from '../../src/protocol/agent-messages.ts';

export type PowerOrder = Extract<ServerToAgent, { type: 'power' }>;
type PowerAnswer = Pick<Extract<AgentToServer, { type: 'power-done' }>, 'outcome' | 'power' | 'detail'>;

interface FakeJob {
  readonly board: string;
  readonly token: string;
  console: Buffer;
  /** Bytes before this offset are lost. */
  lostBefore: number;
  sent: number;
  matchEnd: number | undefined;
  result: AgentJobResult | undefined;
}

export class FakeAgent {
  readonly jobs = new Map<number, FakeJob>();
  /** Everything the server said, over all connections. */
  readonly heard: ServerToAgent[] = [];
  connections = 0;
  /** Until then no connection comes about. */
  hold: Promise<void> = Promise.resolve();
  forgotten: number[] = [];
  /** Frames until the link breaks; counted in both directions. */
  framesLeft = Number.POSITIVE_INFINITY;
  /** Boards that it can't drive. */
  failed: { board: string; why: string }[] = [];
  /** What its boards can do without a job; undefined: it is of before it said so. */
  can: readonly BoardAbility[] | undefined = ['power-on', 'power-status', 'console'];
  /** What becomes of an order to switch the power: `undefined` is silence. What is asked again is not known here. */
  onPower: (order: PowerOrder) => PowerAnswer | undefined = () => ({ outcome: 'done', detail: '' });
  /** What becomes of a start; by default the job is taken. */
  onStart: (job: number) => void = () => {};
  #stream: Duplex | undefined;
  #ready = false;
  #changed = Promise.withResolvers<void>();
  readonly #boards: readonly string[];

  constructor(boards: readonly string[]) {
    this.#boards = boards;
  }

  /** The server's end of a new connection. */
  connect = async (): Promise<Duplex> => {
    await this.hold;
    const [ours, theirs] = duplexPair();
    this.#stream = ours;
    this.#ready = false;
    this.connections += 1;
    const reader = new FrameReader({ payloadBytesMax: 8 * 1024 * 1024 });
    ours.on('error', () => {});
    ours.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        if (this.#stream !== ours || !this.#countFrame()) return;
        if (frame.kind === 'json') this.#onMessage(frame.value as ServerToAgent);
      }
    });
    const jobs = [...this.jobs].map(([id, job]) => ({
      id,
      board: job.board,
      token: job.token,
      consoleLength: job.console.length,
      state: job.result ? ('ended' as const) : ('running' as const),
    }));
    const about = { agent: 'fake', version: '0', boot: 'b', pid: 1, highestToken: '0.0' };
    this.send({ type: 'hello', protocol: 1, ...about, jobs });
    return theirs;
  };

  send(message: AgentToServer): void {
    if (this.#countFrame()) this.#stream?.write(encodeJson(message));
  }

  /** To an order to switch the power. */
  answer({ board, request }: PowerOrder, answer: PowerAnswer): void {
    this.send({ type: 'power-done', board, request, ...answer });
  }

  /** The board says something. */
  say(job: number, text: string): void {
    const one = this.#job(job);
    one.console = Buffer.concat([one.console, Buffer.from(text)]);
    this.#pump(job, one);
  }

  match(job: number): void {
    const one = this.#job(job);
    one.matchEnd = one.console.length;
    if (this.#ready) this.send({ type: 'completed', job, matchEnd: one.matchEnd, open: false });
  }

  end(job: number, verdict: AgentJobResult['verdict'] = 'completed'): void {
    const one = this.#job(job);
    one.result = { verdict, detail: verdict, mayBeOn: false, consoleLength: one.console.length };
    this.#pump(job, one);
  }

  cut(): void {
    this.#ready = false;
    this.#stream?.destroy();
    this.#stream = undefined;
  }

  /** Resolves when the condition holds; looked at after each message of the server. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }

  heardOf<T extends ServerToAgent['type']>(type: T): Extract<ServerToAgent, { type: T }>[] {
    return this.heard.filter((one): one is Extract<ServerToAgent, { type: T }> => one.type === type);
  }

  #job(id: number): FakeJob {
    const job = this.jobs.get(id);
    if (!job) throw new Error(`the agent has no job ${id}`);
    return job;
  }

  #countFrame(): boolean {
    this.framesLeft -= 1;
    if (this.framesLeft < 0) {
      this.framesLeft = Number.POSITIVE_INFINITY;
      this.cut();
    }
    return this.#stream !== undefined;
  }

  #onMessage(message: ServerToAgent): void {
    this.heard.push(message);
    this.#act(message);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #act(message: ServerToAgent): void {
    switch (message.type) {
      case 'welcome':
        return this.#onWelcome(message);
      case 'boards':
        return this.#tellBoards(message.boards.map(({ name }) => name));
      case 'start': {
        const { job, board, token } = message;
        if (!this.jobs.has(job) && !this.forgotten.includes(job)) {
          const begun = { console: Buffer.alloc(0), lostBefore: 0, sent: 0 };
          this.jobs.set(job, { board, token, ...begun, matchEnd: undefined, result: undefined });
        }
        this.send({ type: 'started', job, token });
        return this.onStart(job);
      }
      case 'cancel':
        if (this.jobs.has(message.job)) this.end(message.job, 'cancelled');
        else this.send({ type: 'refused', action: 'cancel', board: '', token: message.token, why: 'no job' });
        return;
      case 'power-off':
        return this.send({ ...message, type: 'powered-off', ok: true, detail: '' });
      case 'power': {
        const answer = this.onPower(message);
        return answer && this.answer(message, answer);
      }
      case 'forget':
        this.jobs.delete(message.job);
        this.forgotten.push(message.job);
        return;
      case 'ping':
        return this.send({ type: 'pong', nonce: message.nonce });
    }
  }

  #tellBoards(names: readonly string[]): void {
    const ready = names.filter((name) => !this.failed.some(({ board }) => board === name));
    const { can } = this;
    const abilities = can && { abilities: ready.map((board) => ({ board, can })) };
    this.send({ type: 'boards', ready, failed: this.failed, ...abilities });
  }

  #onWelcome(welcome: Extract<ServerToAgent, { type: 'welcome' }>): void {
    this.#ready = true;
    this.#tellBoards(this.#boards);
    for (const { job, offset } of welcome.consoleFrom) {
      const one = this.jobs.get(job);
      if (!one) continue;
      one.sent = offset;
      this.#pump(job, one);
      if (one.matchEnd !== undefined)
        this.send({ type: 'completed', job, matchEnd: one.matchEnd, open: false });
    }
  }

  #pump(job: number, one: FakeJob): void {
    if (!this.#ready) return;
    if (one.sent < one.lostBefore) {
      this.send({ type: 'console-gap', job, offset: one.sent, length: one.lostBefore - one.sent });
      one.sent = one.lostBefore;
    }
    while (one.sent < one.console.length && this.#stream) {
      const bytes = one.console.subarray(one.sent, one.sent + 7);
      const [head, body] = encodeData({ streamId: job, offset: one.sent, atMs: one.sent, bytes });
      if (!this.#countFrame()) return;
      this.#stream?.write(Buffer.concat([head, body]));
      one.sent += bytes.length;
    }
    if (one.result) this.send({ type: 'ended', job, token: one.token, result: one.result });
  }
}
