// The story of the demonstration: who asks for which board, and what is told of it while it happens.
import { setTimeout as pause } from 'node:timers/promises';
import { endText, type LabFolder } from './lab.ts';
import { type Mq, orAborted, type Running } from './mq.ts';
import type { Voice } from './voice.ts';

export interface Wish {
  readonly who: string;
  readonly pool: 'north' | 'south';
  readonly image: keyof LabFolder['images'];
  readonly options: readonly string[];
  readonly verdict: 'completed' | 'error-text' | 'timed-out';
}

/** The board of both pools, which Ana holds while all jobs pass. */
export const heldBoard = 'pc2';

const errorOption = ['-e', 'Assertion failed.*[)]'];

export const wishes: readonly Wish[] = [
  { who: 'Ben', pool: 'north', image: 'slow', options: [], verdict: 'completed' },
  { who: 'Cem', pool: 'south', image: 'short', options: [], verdict: 'completed' },
  { who: 'Dan', pool: 'north', image: 'hello', options: [], verdict: 'completed' },
  { who: 'Eva', pool: 'south', image: 'fail', options: errorOption, verdict: 'error-text' },
  { who: 'Fay', pool: 'north', image: 'hang', options: ['-d', '2'], verdict: 'timed-out' },
  { who: 'Gus', pool: 'south', image: 'hello', options: [], verdict: 'completed' },
];

/** What was seen on the way, for the judge. */
export interface Seen {
  readonly exitCodes: Map<string, number | undefined>;
  /** Who had to wait, with the place that they were told: 0 is next in line. */
  readonly places: Map<string, number>;
  /** The record of Ana's lock before the jobs and after them. */
  readonly heldBefore: string;
  readonly heldAfter: string;
}

export interface Stage {
  readonly mq: Mq;
  readonly voice: Voice;
  readonly images: LabFolder['images'];
  readonly signal: AbortSignal;
}

export async function tellStory(stage: Stage): Promise<Seen> {
  const { mq, voice, signal } = stage;
  voice.say('This lab has three emulated PCs. Pool north is pc1 and pc2, pool south is pc2 and pc3.');
  voice.say('Everybody here uses your account and a key of their own (-k), so one machine can show a crowd.');
  voice.say();
  await mq.lines(['sem', '-wait', heldBoard, '-k', 'ana'], signal);
  voice.does('Ana', `takes ${heldBoard}, and keeps it for now`, `mq sem -wait ${heldBoard} -k ana`);
  voice.does('Ana', 'looks at a pool that it is in', 'mq sem -info south');
  for (const line of await mq.lines(['sem', '-info', 'south'], signal)) voice.hears('', line);
  const [heldBefore = ''] = await mq.lines(['sem', '-mr-info', heldBoard], signal);
  const ivo = mq.start(['sem', '-wait', heldBoard, '-k', 'ivo']);
  await placeOf(stage, 'ivo', ivo);
  voice.does(
    'Ivo',
    `wants ${heldBoard} and no other, so he waits for Ana`,
    `mq sem -wait ${heldBoard} -k ivo`,
  );
  voice.say();
  const { exitCodes, places } = await passJobs(stage);
  voice.say();
  const [heldAfter = ''] = await mq.lines(['sem', '-mr-info', heldBoard], signal);
  voice.does('Ana', `had ${heldBoard} all the while`, `mq sem -mr-info ${heldBoard}`);
  voice.hears('', heldAfter);
  await handOver(stage, ivo);
  return { exitCodes, places, heldBefore, heldAfter };
}

/** Ana gives the board back, and Ivo has it. */
async function handOver({ mq, voice, signal }: Stage, ivo: Running): Promise<void> {
  voice.does('Ana', `gives ${heldBoard} back`, `mq sem -signal ${heldBoard} -k ana`);
  await mq.lines(['sem', '-signal', heldBoard, '-k', 'ana'], signal);
  const { code } = await orAborted(ivo.ended, AbortSignal.any([signal, AbortSignal.timeout(20_000)]));
  const [record = ''] = await mq.lines(['sem', '-mr-info', heldBoard], signal);
  if (code !== 0 || !record.endsWith(' ivo'))
    throw new Error(`Ivo did not get ${heldBoard} from Ana: exit code ${code}, ${record}`);
  voice.does('Ivo', `has ${heldBoard}: his command has ended with 0; he gives it back too`);
  await mq.lines(['sem', '-signal', heldBoard, '-k', 'ivo'], signal);
}

async function passJobs(stage: Stage): Promise<Pick<Seen, 'exitCodes' | 'places'>> {
  const { voice, signal } = stage;
  voice.say('Six people each run an image on any board of a pool, and two boards are left for them:');
  voice.say(`      $ mq run -s POOL -k NAME -c '${endText}' -f IMAGE`);
  const lastOn = new Map<string, Predecessor>();
  const places = new Map<string, number>();
  const runs: RunTeller[] = [];
  for (const wish of wishes) {
    const teller = new RunTeller(stage, wish, lastOn);
    runs.push(teller);
    const place = await teller.begin();
    if (place !== undefined) places.set(wish.who, place);
  }
  const exitCodes = new Map<string, number | undefined>();
  await orAborted(
    Promise.all(runs.map(async (teller) => exitCodes.set(teller.who, await teller.finish()))),
    signal,
  );
  return { exitCodes, places };
}

/** Who had a board, and when their end has been told. */
interface Predecessor {
  readonly who: string;
  readonly told: Promise<void>;
}

/** Follows one `mq run` and tells what it prints. */
class RunTeller {
  readonly who: string;
  readonly #stage: Stage;
  readonly #wish: Wish;
  /** Who had each board last. */
  readonly #lastOn: Map<string, Predecessor>;
  readonly #asked = Promise.withResolvers<'has' | 'waits'>();
  readonly #begun = Promise.withResolvers<void>();
  readonly #told = Promise.withResolvers<void>();
  #running: Running | undefined;
  #board = '';
  #waitsSince: number | undefined;
  #has = false;
  /** What is told later: its place comes first, and the end of whoever had its board before. */
  #later: (() => void)[] | undefined = [];

  constructor(stage: Stage, wish: Wish, lastOn: Map<string, Predecessor>) {
    this.who = wish.who;
    this.#stage = stage;
    this.#wish = wish;
    this.#lastOn = lastOn;
  }

  /** Resolves when its request has been made, with its place if it has to wait. */
  async begin(): Promise<number | undefined> {
    const { mq, voice, images, signal } = this.#stage;
    const { pool, image, options } = this.#wish;
    const key = this.who.toLowerCase();
    const args = ['run', '-s', pool, '-k', key, '-c', endText, ...options, '-f', images[image]];
    this.#running = mq.start(args, (line) => this.#onLine(line));
    const ended = this.#running.ended.then(({ stdout, stderr }) => {
      throw new Error(`${this.who}'s run ended before it began: ${stdout}${stderr}`);
    });
    ended.catch(() => undefined);
    const late = AbortSignal.any([signal, AbortSignal.timeout(20_000)]);
    const how = await orAborted(Promise.race([this.#asked.promise, ended]), late);
    const place = how === 'waits' ? await placeOf(this.#stage, key, this.#running) : undefined;
    const where = place === undefined ? '' : `: ${placeWord(place)} in line`;
    const what = how === 'has' ? `gets ${this.#board} at once` : `has to wait${where}`;
    voice.does(this.who, `asks for ${pool} and ${what}`);
    if (!this.#has || how === 'has') this.#tellLater();
    this.#begun.resolve();
    return place;
  }

  /** Resolves with the exit code. */
  async finish(): Promise<number | undefined> {
    const { code } = (await this.#running?.ended) ?? {};
    const how = { completed: 'is done', 'error-text': 'failed: her error text came (-e)', 'timed-out': '' };
    const what = how[this.#wish.verdict] || `ran out of time (${this.#wish.options.join(' ')})`;
    this.#tell(() => {
      this.#stage.voice.does(this.who, `${what}; mq run ended with ${code} and gave ${this.#board} back`);
      this.#told.resolve();
    });
    await this.#told.promise;
    return code;
  }

  /** First the old words of `run`, then the console. */
  #onLine(line: string): void {
    if (this.#has) return this.#tell(() => this.#onConsole(line));
    const acquiring = /^Acquiring lock for (\S+)$/.exec(line);
    if (acquiring?.[1] !== undefined) this.#board = acquiring[1];
    else if (line.startsWith('Done attempting')) {
      this.#waitsSince = performance.now();
      this.#asked.resolve('waits');
    } else if (line.startsWith('Lock acquired')) {
      this.#has = true;
      this.#asked.resolve('has');
      this.#onBoard(this.#board);
    }
  }

  #onBoard(board: string): void {
    const before = this.#lastOn.get(board);
    this.#lastOn.set(board, { who: this.who, told: this.#told.promise });
    if (this.#waitsSince === undefined) return;
    const seconds = ((performance.now() - this.#waitsSince) / 1000).toFixed(1);
    const from = before === undefined ? '' : ` from ${before.who}`;
    this.#later ??= [];
    this.#tell(() => this.#stage.voice.does(this.who, `has waited ${seconds} s and gets ${board}${from}`));
    // The next job often begins before the command of the last one has printed its end.
    void Promise.all([before?.told, this.#begun.promise]).then(() => this.#tellLater());
  }

  #onConsole(line: string): void {
    if (line !== '') this.#stage.voice.hears(this.who, line, line.startsWith('[[') ? undefined : this.#board);
  }

  #tell(what: () => void): void {
    if (this.#later) this.#later.push(what);
    else what();
  }

  #tellLater(): void {
    const later = this.#later ?? [];
    this.#later = undefined;
    for (const tell of later) tell();
  }
}

/** The place of a waiting ticket as `mq queue` tells it; undefined when it waits no more. */
async function placeOf({ mq, signal }: Stage, key: string, running: Running): Promise<number | undefined> {
  let hasEnded = false;
  running.ended.finally(() => (hasEnded = true)).catch(() => undefined);
  const endAt = performance.now() + 10_000;
  while (!hasEnded && performance.now() < endAt) {
    const text = (await mq.lines(['queue', '--json'], signal)).join('\n');
    const ticket = (JSON.parse(text) as { key: string; place?: number }[]).find((one) => one.key === key);
    if (ticket?.place !== undefined) return ticket.place;
    // A run that is not in the queue any more has its board.
    if (key !== 'ivo') return undefined;
    await pause(50, undefined, { signal });
  }
  return undefined;
}

function placeWord(place: number): string {
  return place === 0 ? 'next' : (['2nd', '3rd'][place - 1] ?? `${place + 1}th`);
}
