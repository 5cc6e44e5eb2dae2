// An agent and its boards: runs jobs, switches power, loses its link, is killed and comes back, hangs. It keeps to
// the rules of the wire: a report is said again until it is heard, a token lower than the board has seen is refused.
import type { Effect } from '../../domain/commands.ts';
import type { JobRecord, JobResult, Token, Verdict } from '../../domain/records.ts';
import { compareTokens, formatToken, sameToken } from '../../domain/records.ts';
import { boardOf } from './lab.ts';
import type { World } from './world.ts';

interface Bench {
  highest: Token;
  isOn: boolean;
  job: number | undefined;
  /** The power action of its holder that is under way. */
  switching: string | undefined;
}

interface AgentJob {
  readonly job: JobRecord;
  state: 'starting' | 'running' | 'ended';
  result?: JobResult;
}

/** What the boards have seen in another life of the lab: a restored server must go above it. */
const seenBefore: Token = { generation: 2, number: 40 };
/** How long a message is under way, each way; the same for all, so that none overtakes another. */
const delayMs = 2;

export class SimulatedAgent {
  readonly #world: World;
  readonly #boards: Map<string, Bench>;
  readonly #jobs = new Map<number, AgentJob>();
  readonly #powerReports = new Map<string, { token: Token; ok: boolean }>();
  /** What became of each holder's action, as long as this process lives. */
  readonly #switched = new Map<string, boolean>();
  #isLinked = false;
  /** Rises with each link and each life, so that what was under way before is dropped. */
  #link = 0;
  #life = 0;

  constructor(world: World, boards: readonly string[]) {
    this.#world = world;
    this.#boards = new Map(
      boards.map((name) => [
        name,
        { highest: seenBefore, isOn: false, job: undefined, switching: undefined },
      ]),
    );
  }

  drives(board: string): boolean {
    return this.#boards.has(boardOf(board));
  }

  /** Why nobody else may have the board now, as far as the metal goes. */
  occupation(board: string): string | undefined {
    const bench = this.#boards.get(boardOf(board));
    if (bench?.job !== undefined) return `job ${bench.job} runs`;
    return bench?.switching === undefined ? undefined : 'it is being switched';
  }

  isOn(board: string): boolean {
    return this.#boards.get(boardOf(board))?.isOn ?? false;
  }

  get isIdle(): boolean {
    return [...this.#boards.values()].every((bench) => bench.job === undefined);
  }

  /** Finds the server, when there is one, and says what it has and knows. */
  connect(): void {
    if (this.#isLinked || !this.#world.server.isUp) return;
    this.#isLinked = true;
    this.#link += 1;
    const boards = this.#names();
    if (boards.length > 0 && !this.#world.isCalm && this.#world.random.chance(0.02)) {
      const board = this.#world.random.pick(boards);
      this.#post({ name: 'boardFailed', body: { board, why: 'no console' } });
    }
    this.#announce(boards);
    for (const [id, job] of this.#jobs) if (job.state === 'ended') this.#tellEnd(id);
    for (const board of this.#powerReports.keys()) this.#tellPower(board);
  }

  /** The server has another configuration: boards that were not with it come, and get the names that they have now. */
  heed(): void {
    const { mirror } = this.#world.server.checker;
    const away = this.#names().filter((name) => mirror.get('board', name)?.agent === 'away');
    if (away.length > 0) this.#announce(away);
  }

  #announce(boards: readonly string[]): void {
    const jobs = [...this.#jobs].map(([id, { state }]) => ({ id, state }));
    const highest = [...this.#boards.values()]
      .map((bench) => bench.highest)
      .reduce((a, b) => (compareTokens(a, b) >= 0 ? a : b));
    this.#post({ name: 'agentPresent', body: { boards, jobs, highest } });
  }

  /** Every name that a board of it has or had in the lab. */
  #names(): string[] {
    const { mirror } = this.#world.server.checker;
    return mirror
      .all('board')
      .map(({ name }) => name)
      .filter((name) => this.drives(name));
  }

  /** The link breaks; the server sees it unless it died itself. */
  disconnect(): void {
    if (!this.#isLinked) return;
    this.#isLinked = false;
    this.#link += 1;
    this.#tellAway();
  }

  /** The server has died: nobody is told. */
  lose(): void {
    this.#isLinked = false;
    this.#link += 1;
  }

  #tellAway(): void {
    const link = this.#link;
    this.#world.server.post({ name: 'agentAway', body: { boards: this.#names() } }, (heard) => {
      if (heard.kind === 'reply') return;
      this.#world.agenda.in(100, () => {
        if (link === this.#link && this.#world.server.isUp) this.#tellAway();
      });
    });
  }

  /** The process is killed and starts again: leftovers are ended and their boards switched off before it says a word. */
  restart(): void {
    this.disconnect();
    this.#life += 1;
    this.#switched.clear();
    for (const bench of this.#boards.values()) {
      // Without a job it is not looked at.
      if (bench.job !== undefined) bench.isOn = false;
      bench.job = undefined;
      bench.switching = undefined;
    }
    // Some it finds in its notes and reports, of others nothing is left.
    for (const [id, job] of this.#jobs) {
      if (job.state === 'ended') continue;
      if (this.#world.random.chance(0.5)) this.#jobs.delete(id);
      else
        this.#jobs.set(id, {
          ...job,
          state: 'ended',
          result: { verdict: 'lab-fault', detail: 'the agent was killed', mayBeOn: false },
        });
    }
  }

  act(effect: Effect): void {
    if (!this.#isLinked) return;
    this.#later(delayMs, () => this.#act(effect));
  }

  #act(effect: Effect): void {
    switch (effect.kind) {
      case 'start-job':
        return this.#start(effect.job);
      case 'cancel-job':
        return this.#cancel(effect.job);
      case 'finish-job':
        return this.#later(this.#soon(), () => this.#end(effect.job.id, 'completed'));
      case 'power-off':
        return this.#powerOff(effect.board, effect.token);
      case 'power':
        return this.#power(effect);
    }
  }

  #admit(board: string, token: Token, what: string): Bench | undefined {
    const bench = this.#boards.get(boardOf(board));
    if (!bench) return undefined;
    if (compareTokens(token, bench.highest) < 0) {
      const seen = formatToken(bench.highest);
      this.#world.fail(
        `the agent refuses to ${what} ${board} under ${formatToken(token)}: it has seen ${seen}`,
      );
      return undefined;
    }
    if (compareTokens(token, bench.highest) > 0) this.#abortSwitch(board, bench);
    bench.highest = token;
    return bench;
  }

  #start(job: JobRecord): void {
    if (this.#jobs.has(job.id)) return;
    if (job.state !== 'starting') this.#world.fail(`job ${job.id} is started although it is ${job.state}`);
    const bench = this.#admit(job.board, job.token, 'start a job on');
    if (!bench) return;
    if (bench.job !== undefined)
      this.#world.fail(`job ${job.id} starts on ${job.board} while job ${bench.job} runs`);
    bench.job = job.id;
    if (!job.consoleOnly) bench.isOn = true;
    this.#jobs.set(job.id, { job, state: 'starting' });
    this.#here(this.#soon(), () => {
      const known = this.#jobs.get(job.id);
      if (known?.state !== 'starting') return;
      known.state = 'running';
      this.#post({ name: 'jobStarted', body: { job: job.id, token: job.token } });
      const { random, isCalm } = this.#world;
      this.#here(isCalm ? random.between(1, 500) : random.wait(8_000), () =>
        this.#end(job.id, this.#verdict()),
      );
    });
  }

  #cancel(job: JobRecord): void {
    const known = this.#jobs.get(job.id);
    if (!known || known.state === 'ended') return;
    if (!this.#admitsAgain(job)) return;
    // Now and then one hangs: until the agent is killed, or for a long time.
    const hangs = !this.#world.isCalm && this.#world.random.chance(0.04);
    this.#here(hangs ? this.#world.random.between(10_000, 400_000) : this.#soon(), () =>
      this.#end(job.id, 'cancelled'),
    );
  }

  #admitsAgain(job: JobRecord): boolean {
    const bench = this.#boards.get(boardOf(job.board));
    if (bench && compareTokens(job.token, bench.highest) >= 0) return true;
    this.#world.fail(`the agent refuses to cancel job ${job.id}: the board went to another`);
    return false;
  }

  #end(id: number, verdict: Verdict): void {
    const known = this.#jobs.get(id);
    if (!known || known.state === 'ended') return;
    const bench = this.#boards.get(boardOf(known.job.board));
    const mayBeOn = this.#world.random.chance(0.15) || known.job.consoleOnly === true;
    if (bench?.job === id) {
      bench.job = undefined;
      this.#abortSwitch(known.job.board, bench);
      if (!known.job.consoleOnly) bench.isOn = mayBeOn;
    }
    known.state = 'ended';
    known.result = { verdict, detail: verdict, mayBeOn };
    this.#tellEnd(id);
  }

  #tellEnd(id: number): void {
    const known = this.#jobs.get(id);
    if (!known?.result) return;
    const { job, result } = known;
    // What it says of the power meanwhile may be heard before its last console bytes are there, and so before this.
    this.#later(this.#world.random.between(0, 60), () =>
      this.#post({ name: 'jobEnded', body: { job: id, token: job.token, result } }, () =>
        this.#jobs.delete(id),
      ),
    );
  }

  #powerOff(board: string, token: Token): void {
    const bench = this.#admit(board, token, 'switch off');
    if (!bench) return;
    this.#abortSwitch(board, bench);
    const { random, isCalm } = this.#world;
    const hangs = !isCalm && random.chance(0.02);
    this.#here(hangs ? random.between(10_000, 400_000) : random.between(5, 400), () => {
      if (!sameToken(bench.highest, token)) return;
      const ok = isCalm || random.chance(0.95);
      if (ok) this.#cut(bench);
      this.#powerReports.set(board, { token, ok });
      this.#tellPower(board);
    });
  }

  /** A job in flight under an older token ends with the power. */
  #cut(bench: Bench): void {
    bench.isOn = false;
    if (bench.job === undefined) return;
    this.#jobs.delete(bench.job);
    bench.job = undefined;
  }

  /** The holder's own action, beside a job where one runs under the same token. */
  #power({ board, token, action, request, again }: Extract<Effect, { kind: 'power' }>): void {
    const known = this.#switched.get(request);
    if (known !== undefined) return this.#tellSwitched(board, request, known);
    const bench = this.#boards.get(boardOf(board));
    if (!bench || bench.switching === request) return;
    // It was lost on its way, or with the process that had it.
    if (again) return this.#tellSwitched(board, request, false);
    if (!this.#admit(board, token, action)) return;
    if (bench.switching !== undefined) this.#world.fail(`two actions switch ${board} at once`);
    bench.switching = request;
    const { random, isCalm } = this.#world;
    const forMs = !isCalm && random.chance(0.1) ? random.between(5_000, 40_000) : random.between(5, 3_000);
    this.#here(forMs / 2, () => {
      if (bench.switching === request && action === 'on') bench.isOn = true;
      else if (bench.switching === request) bench.isOn = false;
    });
    this.#here(forMs, () => {
      if (bench.switching !== request) return;
      bench.switching = undefined;
      const ok = isCalm || random.chance(0.9);
      bench.isOn = action !== 'off' || (!ok && random.chance(0.5) && this.#mayBeOn(board));
      this.#switched.set(request, ok);
      this.#tellSwitched(board, request, ok);
    });
  }

  /** Something newer has the board, or its lock ends. */
  #abortSwitch(board: string, bench: Bench): void {
    if (bench.switching === undefined) return;
    const request = bench.switching;
    bench.switching = undefined;
    this.#switched.set(request, false);
    this.#tellSwitched(board, request, false);
  }

  #mayBeOn(board: string): boolean {
    return this.#world.server.checker.mirror.get('board', board)?.mayBeOn === true;
  }

  #tellSwitched(board: string, request: string, ok: boolean): void {
    this.#post({ name: 'powered', body: { board, request, ok, detail: ok ? '' : 'no answer' } });
  }

  #tellPower(board: string): void {
    const report = this.#powerReports.get(board);
    if (!report) return;
    const { token, ok } = report;
    const answer = { name: 'poweredOff', body: { board, token, ok, detail: ok ? '' : 'no answer' } } as const;
    // It may come a second time, and late: to a question that was asked again after a break of the link.
    if (this.#world.random.chance(0.5))
      this.#later(this.#world.random.between(100, 60_000), () => this.#post(answer));
    this.#post(answer, () => {
      if (this.#powerReports.get(board) === report) this.#powerReports.delete(board);
    });
  }

  /** Says something over the link that is up now. What is not heard is said again after a reconnect. */
  #post(command: Parameters<World['server']['post']>[0], onHeard: () => void = () => undefined): void {
    if (!this.#isLinked) return;
    this.#later(delayMs, () =>
      this.#world.server.post(command, (heard) => {
        if (heard.kind === 'reply') onHeard();
        else this.#reconnectSoon();
      }),
    );
  }

  /** A report was not stored: the link is cut, so that everything is said again. */
  #reconnectSoon(): void {
    this.disconnect();
    this.#world.agenda.in(500, () => this.connect());
  }

  #verdict(): Verdict {
    const { random } = this.#world;
    if (random.chance(0.06)) return 'lab-fault';
    return random.pick(['completed', 'completed', 'error-text', 'timed-out', 'boot-failed']);
  }

  #soon(): number {
    return this.#world.random.between(5, 300);
  }

  /** After a delay, if the link is still the same. */
  #later(afterMs: number, action: () => void): void {
    const link = this.#link;
    this.#world.agenda.in(afterMs, () => {
      if (link === this.#link) action();
    });
  }

  /** After a delay, if the process is still the same. */
  #here(afterMs: number, action: () => void): void {
    const life = this.#life;
    this.#world.agenda.in(afterMs, () => {
      if (life === this.#life) action();
    });
  }
}
