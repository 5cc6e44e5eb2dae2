// A day of a small lab in which everything happens once: locks, waits, hand over, several boards, jobs, extend, give, steal,
// withdraw, a reload. It is played once as it is, and then once for each commit with a server that dies there: the clients send
// what was not answered again, under the same ids, and the end must be the same.

import { type Client, connectClient } from '../../client/client.ts';
import type { OpenLink, Timers } from '../../client/link.ts';
import { submitTicket, type Ticket } from '../../client/ticket.ts';
import { uploadMissing } from '../../client/upload.ts';
import { systemClock } from '../../platform/clock.ts';
import { IdSource } from '../../platform/ids.ts';
import type { OperationName, RequestOf } from '../../protocol/operations.ts';
import type { StatusView } from '../../protocol/views.ts';
import { Random } from '../simulation/random.ts';
import type { Absence, Call, JobEnd, News } from './history.ts';
import { within } from './lab-processes.ts';
import { readWhole } from './person.ts';
import { Recorder } from './recorder.ts';
import { pickJob, type Wish } from './wishes.ts';

/** What the scenario needs; boards `a`, `b`, `c` and the pool `bc` of the last two. */
export interface ScenarioLab {
  /** To the server that runs, or to the next one. */
  readonly openLink: OpenLink;
  /** Who everybody is. */
  readonly user: string;
  /** Puts a configuration in place that has the board `d` too; the scenario then has it loaded. */
  readonly addBoard: () => Promise<void>;
}

export interface Played {
  /** What was seen up to the end, without the repeats. */
  readonly calls: readonly Call[];
  readonly news: readonly News[];
  readonly absences: readonly Absence[];
  readonly jobs: readonly JobEnd[];
  /** How the lab stood at the end, without what differs from run to run. */
  readonly end: unknown;
  /** What was otherwise when everything was sent once more at the end: answers, or the lab. */
  readonly unlike: readonly string[];
}

/** Attempts to reach a server come ten times as soon as a command's. */
const timers: Timers = {
  now: systemClock.nowMs,
  after: (ms, action) => systemClock.setTimer(ms <= 1_000 ? ms / 10 : ms, action),
};
const names = ['ana', 'bob', 'cyd', 'dan', 'eve'] as const;
type Name = (typeof names)[number];
const ids = new IdSource();
const lookMs = 10;
const settleMs = 60_000;

export async function playScenario(lab: ScenarioLab): Promise<Played> {
  const recorder = new Recorder();
  const clients = new Map<Name, Client>();
  try {
    for (const name of names) clients.set(name, await connect(recorder, name, lab.openLink));
    const scenario = new Scenario(lab, clients);
    await scenario.locks();
    await scenario.jobs();
    await scenario.boards();
    const end = await scenario.end();
    const { news, absences } = recorder;
    const calls = [...recorder.calls];
    const unlike = await scenario.repeat(calls);
    const [before, after] = [end, await scenario.end()].map((one) => JSON.stringify(one));
    if (before !== after) unlike.push(`the lab was ${before}, and after the repeats ${after}`);
    return { calls, news, absences, jobs: await scenario.readJobs(), end, unlike };
  } finally {
    for (const client of clients.values()) client.close();
  }
}

function connect(recorder: Recorder, name: string, openLink: OpenLink): Promise<Client> {
  return connectClient({
    openLink: recorder.link(name, openLink),
    timers,
    newRequestId: () => ids.next(),
    firstSeconds: 60,
    reconnectSeconds: 60,
  });
}

class Scenario {
  readonly #lab: ScenarioLab;
  readonly #clients: ReadonlyMap<Name, Client>;
  readonly #started: number[] = [];

  constructor(lab: ScenarioLab, clients: ReadonlyMap<Name, Client>) {
    this.#lab = lab;
    this.#clients = clients;
  }

  /** One board goes from hand to hand; a refusal, and tickets that end unserved. */
  async locks(): Promise<void> {
    await this.#hold('ana', { target: 'a', key: 'ana-1', holdSeconds: 3_600 });
    const bob = await this.#ask('bob', { target: 'a', key: 'bob-1' });
    const cyd = await this.#ask('cyd', { target: 'a', key: 'cyd-1', set: 'nightly' });
    await this.#getNothing('dan', { target: 'a', key: 'dan-1', waitSeconds: 0 });
    const dan = await this.#ask('dan', { target: 'a', key: 'dan-2' });
    await this.#change('ana', 'extend', { board: 'a', key: 'ana-1', holdSeconds: 7_200 });
    await this.#change('ana', 'release', { target: 'a', key: 'ana-1' });
    await this.#settled(bob);
    await dan.withdraw();
    const eve = await this.#ask('eve', { target: 'a', key: 'eve-1' });
    await this.#change('ana', 'cancel', { id: eve.id });
    await this.#settled(eve);
    const { user } = this.#lab;
    await this.#change('bob', 'give', { board: 'a', key: 'bob-1', user, newKey: 'ana-2' });
    await this.#change('ana', 'release', { target: 'a', key: 'ana-2' });
    await this.#settled(cyd);
  }

  /** A job under a lock, and one that brings its own. */
  async jobs(): Promise<void> {
    await this.#run('cyd', 'cyd-1', 'slot', 'a');
    await this.#run('dan', 'dan-3', 'run', 'bc');
  }

  /** Several boards at once, somebody else's lock, boards that go out of service and come. */
  async boards(): Promise<void> {
    await this.#hold('bob', { target: 'bc', key: 'bob-2', count: 2 });
    await this.#change('bob', 'release', { target: 'b', key: 'bob-2' });
    await this.#change('ana', 'steal', { board: 'c', newKey: 'ana-3' });
    await this.#change('ana', 'board', { targets: ['b'], action: 'drain', note: 'is being looked at' });
    await this.#change('ana', 'board', { targets: ['b'], action: 'resume' });
    await this.#lab.addBoard();
    await this.#client('ana').request('reload', {});
    await this.#hold('dan', { target: 'd', key: 'dan-4' });
    await this.#ask('eve', { target: 'a', key: 'eve-2' });
    await this.#ask('bob', { target: 'a', key: 'bob-3' });
  }

  /** When the lab has settled. */
  async end(): Promise<unknown> {
    const client = this.#client('ana');
    const endAt = performance.now() + settleMs;
    for (;;) {
      const status = await client.request('status', {});
      if (performance.now() > endAt) throw new Error(`the lab does not settle: ${JSON.stringify(status)}`);
      const isSettled = status.mode === 'open' && status.queue.every(({ state }) => state === 'waiting');
      if (isSettled && status.boards.every(({ agentPresent }) => agentPresent)) return summary(status);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  /** Everything that was answered is asked once more under its id. Returns what was answered otherwise. */
  async repeat(calls: readonly Call[]): Promise<string[]> {
    const unlike: string[] = [];
    const changes = calls.filter(({ body, answer }) => body.requestId && answer);
    for (const { op, body, answer, client } of changes) {
      const again = await this.#client(client as Name).request(op as 'confirm', body as RequestOf<'confirm'>);
      // How a ticket or a board stands is told as it is now.
      const isView = op === 'withdraw' || op === 'board';
      if (!isView && JSON.stringify(again) !== JSON.stringify(answer))
        unlike.push(`${op} of ${client}: ${JSON.stringify(answer)}, and then ${JSON.stringify(again)}`);
    }
    return unlike;
  }

  async readJobs(): Promise<JobEnd[]> {
    const client = this.#client('ana');
    return Promise.all(
      this.#started.map(async (id): Promise<JobEnd> => {
        const { job } = await client.request('job', { id });
        const { text, isWhole } = await readWhole(client, id);
        const { state, verdict = 'none' } = job;
        return { id, state, verdict, console: text, isWhole };
      }),
    );
  }

  #client(name: Name): Client {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`there is no ${name}`);
    return client;
  }

  #ask(name: Name, wish: Omit<Wish, 'kind'>): Promise<Ticket> {
    return submitTicket(this.#client(name), { kind: 'lock', members: false, ...wish });
  }

  #settled(ticket: Ticket): Promise<unknown> {
    return within(ticket.settled(), `ticket ${ticket.id} to settle`);
  }

  async #hold(name: Name, wish: Omit<Wish, 'kind'>): Promise<void> {
    await this.#settled(await this.#ask(name, wish));
  }

  async #run(name: Name, key: string, kind: 'run' | 'slot', target: string): Promise<void> {
    const { wish, source } = pickJob(new Random(1), key, kind, target);
    await uploadMissing(this.#client(name), [source]);
    const ticket = await submitTicket(this.#client(name), wish);
    await this.#settled(ticket);
    this.#started.push(ticket.id);
    await within(ticket.jobEnded(), `job ${ticket.id} to end`);
  }

  #change<N extends OperationName>(name: Name, op: N, body: object): Promise<unknown> {
    const client = this.#client(name);
    return client.request(op, { ...body, requestId: client.newRequestId() } as unknown as RequestOf<N>);
  }

  /** Now or never: refused at once, or soon after where the server has just started. */
  async #getNothing(name: Name, wish: Omit<Wish, 'kind'>): Promise<void> {
    const outcome = await this.#ask(name, wish).then(
      async (ticket) => ((await this.#settled(ticket)) as { reason?: string }).reason,
      ({ code }) => code,
    );
    if (outcome !== 'NOT_GRANTED_IN_TIME' && outcome !== 'timed-out')
      throw new Error(`${name} was to get nothing at once, and it came to ${outcome}`);
  }
}

function summary({ boards, queue, jobs, pools }: StatusView): unknown {
  return {
    boards: boards.map(({ board, state, service, health, lock }) => ({
      board,
      state,
      service,
      health,
      ...(lock ? { key: lock.key, holdSeconds: lock.holdSeconds } : {}),
    })),
    queue: queue.map(({ target, key, kind, set }) => ({ target, key, kind, set })),
    jobs: jobs.length,
    pools,
  };
}
