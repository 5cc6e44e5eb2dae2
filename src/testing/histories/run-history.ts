// One history from beginning to end: a lab, its clients and what befalls them, from a seed; then peace, a last restart, and the
// judgement. The seed decides what is asked for and what goes wrong; when exactly, the machine has its say too.

import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../simulation/random.ts';
import { digest, views } from './attempts.ts';
import { Caretaker } from './caretaker.ts';
import { Commands } from './commands.ts';
import { Faults } from './faults.ts';
import type { History } from './history.ts';
import { judge } from './judge.ts';
import { LabProcesses, within } from './lab-processes.ts';
import { LineProxy } from './line-proxy.ts';
import { Person } from './person.ts';
import { Recorder } from './recorder.ts';
import { pickShape } from './wishes.ts';

export interface HistoryOptions {
  readonly seed: number;
  /** Times that the server is killed. */
  readonly kills: number;
  /** Clients in this process, and commands at a time. */
  readonly persons: number;
  readonly commands: number;
  /** In the middle, a time for pauses beyond every grace; it takes most of a minute. */
  readonly calm: boolean;
  /** A mistake of planted-bugs that server and agent are to have. */
  readonly planted?: string | undefined;
}

export interface Figures {
  readonly calls: number;
  readonly answered: number;
  readonly kills: number;
  readonly agentKills: number;
  readonly clientKills: number;
  readonly pauses: number;
  readonly cuts: number;
  readonly stalls: number;
  readonly locks: number;
  readonly jobs: number;
  readonly touches: number;
  readonly ordered: number;
  readonly pairs: number;
  readonly seconds: number;
}

export interface HistoryReport {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly figures: Figures;
  readonly history: History;
}

const peaceMs = 90_000;

export async function runHistory(options: HistoryOptions): Promise<HistoryReport> {
  const run = await HistoryRun.begin(options);
  try {
    return await run.go().catch((error: unknown) => run.brokeOff(error));
  } finally {
    await run.close();
  }
}

class HistoryRun {
  readonly #options: HistoryOptions;
  readonly #lab: LabProcesses;
  readonly #proxy: LineProxy;
  readonly #recorder = new Recorder();
  readonly #random: Random;
  readonly #liveKeys = new Set<string>();
  readonly #persons = new Set<Person>();
  readonly #commands: Commands;
  readonly #faults: Faults;
  readonly #complaints: string[];
  /** No more trouble; and nobody asks for anything more. */
  readonly #peace = new AbortController();
  readonly #beginAt = performance.now();
  #count = 0;
  #keeper: Person | undefined;

  private constructor(options: HistoryOptions, lab: LabProcesses, random: Random, complaints: string[]) {
    this.#options = options;
    this.#lab = lab;
    this.#random = random;
    this.#complaints = complaints;
    this.#proxy = new LineProxy(lab.lineFolder, lab.socketPath);
    const own = (): Random => new Random(random.between(0, 2 ** 31));
    this.#faults = new Faults({
      random: own(),
      lab,
      proxy: this.#proxy,
      recorder: this.#recorder,
      signal: this.#peace.signal,
    });
    this.#commands = new Commands({
      random: own(),
      recorder: this.#recorder,
      liveKeys: this.#liveKeys,
      openLine: (name) => this.#openLine(name),
      closeLine: (name) => this.#proxy.close(name),
      jobFile: (name, bytes) => lab.jobFile(name, bytes),
      stopMs: (random) => (options.calm && random.chance(0.3) ? 28_000 : random.between(100, 2_500)),
    });
  }

  static async begin(options: HistoryOptions): Promise<HistoryRun> {
    const random = new Random(options.seed);
    const complaints: string[] = [];
    const lab = await LabProcesses.make({
      shape: pickShape(random),
      onComplaint: (line) => complaints.push(line),
      planted: options.planted,
    });
    return new HistoryRun(options, lab, random, complaints);
  }

  async go(): Promise<HistoryReport> {
    const { kills, persons, commands, calm } = this.#options;
    this.#lab.start();
    await this.#lab.ready();
    const caretaker = await this.#caretaker();
    const looking = new AbortController();
    const looks = caretaker.run(looking.signal);
    const clients = [
      ...Array.from({ length: persons }, () => this.#crowd()),
      ...Array.from({ length: commands }, () => this.#commandsInARow()),
    ];
    const trouble = this.#faults.trouble();
    const busy = Promise.all([...clients, trouble]);
    const storm = async (): Promise<void> => {
      await this.#faults.killServers(calm ? Math.ceil(kills / 2) : kills);
      if (!calm) return;
      await this.#faults.calm();
      await this.#faults.killServers(Math.floor(kills / 2));
    };
    await Promise.race([
      storm(),
      looks.then(() => undefined),
      busy.then(() => Promise.reject(new Error('the clients ended'))),
    ]);
    this.#recorder.event('peace');
    this.#peace.abort();
    await within(busy, 'the clients to end', peaceMs).catch((error) => this.#complaints.push(String(error)));
    looking.abort();
    await looks;
    await this.#drain(caretaker);
    return this.#report(caretaker);
  }

  async #caretaker(): Promise<Caretaker> {
    const person = await this.#person('caretaker', this.#lab.socketPath);
    this.#keeper = person;
    return new Caretaker(person, this.#liveKeys);
  }

  /** Half of them have a line of their own that can be cut; of the others the server sees the end at once. */
  async #openLine(name: string): Promise<string> {
    return this.#random.chance(0.6) ? this.#proxy.open(name) : this.#lab.socketPath;
  }

  #person(name: string, path: string): Promise<Person> {
    return Person.connect({
      name,
      path,
      random: new Random(this.#random.between(0, 2 ** 31)),
      recorder: this.#recorder,
      liveKeys: this.#liveKeys,
      user: userInfo().username,
    });
  }

  /** One person after the other: now and then one vanishes, and another takes the place. */
  async #crowd(): Promise<void> {
    const { signal } = this.#peace;
    const random = new Random(this.#random.between(0, 2 ** 31));
    while (!signal.aborted) {
      this.#count += 1;
      const name = `p${this.#count}`;
      const person = await this.#person(name, await this.#openLine(name));
      this.#persons.add(person);
      const attempts = random.between(3, 40);
      for (let at = 0; at < attempts && !signal.aborted; at += 1) {
        const late = random.between(1, 300);
        if (at === attempts - 1) setTimeout(() => person.vanish(), late).unref();
        await person.attempt();
      }
      person.vanish();
      this.#persons.delete(person);
      this.#proxy.close(name);
    }
  }

  async #commandsInARow(): Promise<void> {
    const { signal } = this.#peace;
    while (!signal.aborted) await this.#commands.attempt();
  }

  /** Everything that was asked for comes to its end, and nobody's board is left. */
  async #drain(caretaker: Caretaker): Promise<void> {
    for (const person of this.#persons) person.vanish();
    this.#commands.killAll();
    this.#liveKeys.clear();
    const endAt = performance.now() + peaceMs;
    while (!(await caretaker.look())) {
      await sleep(50);
      if (performance.now() > endAt) {
        this.#complaints.push('after peace came the lab did not drain');
        return;
      }
    }
    this.#recorder.event('drained');
    await this.#lab.kill();
    this.#lab.start();
    await this.#lab.ready();
    await caretaker.look();
  }

  /** What was seen until then is judged all the same. */
  async brokeOff(error: unknown): Promise<HistoryReport> {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#complaints.push(`the run broke off: ${text}`, `the end of the server's log: ${this.#lab.logEnd}`);
    this.#peace.abort();
    return this.#judged(await this.#history(undefined));
  }

  async #report(caretaker: Caretaker): Promise<HistoryReport> {
    const before = await this.#history(undefined);
    const { byTicket } = digest(before);
    const started = new Set<number>();
    for (const { view } of views(before))
      if (view.state === 'started' && byTicket.has(view.ticket)) started.add(view.ticket);
    const jobs = await within(caretaker.readJobs([...started]), 'the jobs to be read');
    return this.#judged(await this.#history(jobs));
  }

  #judged(history: History): HistoryReport {
    const verdict = judge(history);
    const { calls, touches, jobs } = history;
    return {
      seed: this.#options.seed,
      problems: [...this.#complaints, ...verdict.problems],
      history,
      figures: {
        calls: calls.length,
        answered: calls.filter(({ answer, error }) => answer !== undefined || error !== undefined).length,
        kills: this.#faults.kills,
        agentKills: this.#faults.agentKills,
        clientKills: this.#commands.kills + history.absences.filter(({ isEnd }) => isEnd).length,
        pauses: this.#faults.pauses + this.#commands.stops,
        cuts: this.#proxy.cuts,
        stalls: this.#faults.stalls,
        locks: digest(history).sightings.length,
        jobs: jobs.length,
        touches: touches.length,
        ordered: verdict.ordered,
        pairs: verdict.pairs,
        seconds: (performance.now() - this.#beginAt) / 1000,
      },
    };
  }

  async #history(jobs: History['jobs'] | undefined): Promise<History> {
    const { calls, news, absences, events } = this.#recorder;
    const { boards, pools } = this.#lab.shape;
    const touches = await this.#lab.touches();
    const { seed } = this.#options;
    const isOver = jobs !== undefined;
    return { seed, isOver, boards, pools, calls, news, absences, touches, jobs: jobs ?? [], events };
  }

  async close(): Promise<void> {
    this.#peace.abort();
    for (const person of this.#persons) person.vanish();
    this.#keeper?.vanish();
    this.#commands.killAll();
    this.#proxy.closeAll();
    await this.#lab.close();
  }
}
