// Throws inputs of one kind, from a seed, at what takes them, and judges: every promise that an input breaks by itself,
// within a time limit, and between inputs what they broke together, memory, and what lies around the lab's folder.
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../simulation/random.ts';
import { listAround, plantCanary } from './canary.ts';
import type { Kind, KindName, Target } from './kind.ts';
import { shrink } from './shrink.ts';

export interface FuzzFailure {
  readonly kind: KindName;
  readonly index: number;
  readonly input: unknown;
  readonly problems: readonly string[];
  /** The least input that breaks a promise alone on a fresh lab; undefined where none does. */
  readonly smallest?: unknown;
}

export interface FuzzReport {
  readonly kind: KindName;
  readonly inputs: number;
  readonly seconds: number;
  /** Of the heap, after garbage was collected, above what it was before the first input. */
  readonly grownBytes: number;
  readonly failure: FuzzFailure | undefined;
}

/** An answer takes milliseconds; a busy machine may take its time. */
const answerMsMax = 20_000;
/** What many inputs may leave in memory for good: stored answers, ended jobs, compiled code. */
const grownBytesMax = 160 * 1024 * 1024;
/** Of jobs and uploads that are under way. */
const grownFilesMax = 100;
const shrinkMsMax = 20_000;

export async function fuzz(kind: Kind, options: { seed: number; inputs: number }): Promise<FuzzReport> {
  const begin = performance.now();
  const stray: string[] = [];
  const onStray = (error: unknown): void =>
    void stray.push(`nobody caught: ${error instanceof Error ? error.stack : String(error)}`);
  process.on('unhandledRejection', onStray);
  process.on('uncaughtException', onStray);
  // Such as of a file that nobody closed.
  process.on('warning', onStray);
  try {
    const result = await throwAll(kind, options, stray);
    return { kind: kind.name, seconds: (performance.now() - begin) / 1000, ...result };
  } finally {
    process.off('unhandledRejection', onStray);
    process.off('uncaughtException', onStray);
    process.off('warning', onStray);
  }
}

async function throwAll(
  kind: Kind,
  { seed, inputs }: { seed: number; inputs: number },
  stray: string[],
): Promise<Pick<FuzzReport, 'inputs' | 'grownBytes' | 'failure'>> {
  const range = await Range.open(kind, stray);
  try {
    const before = heapBytes();
    const filesBefore = openFiles();
    let grownBytes = 0;
    for (let index = 0; index < inputs; index += 1) {
      const input = kind.make(new Random(seed * 1_000_003 + index), index);
      const isPause = index % kind.checkEvery === kind.checkEvery - 1 || index === inputs - 1;
      const problems = await range.take(input, isPause);
      if (isPause) {
        grownBytes = heapBytes() - before;
        if (grownBytes > grownBytesMax) problems.push(`memory has grown by ${grownBytes} bytes`);
        const files = openFiles() - filesBefore;
        if (files > grownFilesMax) problems.push(`${files} files more are open than in the beginning`);
      }
      if (problems.length === 0) continue;
      const failure = { kind: kind.name, index, input, problems };
      return { inputs: index + 1, grownBytes, failure: await withSmallest(kind, failure, stray) };
    }
    return { inputs, grownBytes, failure: undefined };
  } finally {
    await range.close();
  }
}

async function withSmallest(kind: Kind, failure: FuzzFailure, stray: string[]): Promise<FuzzFailure> {
  const gist = gistOf(failure.problems);
  const breaks = async (input: unknown): Promise<boolean> => {
    const range = await Range.open(kind, stray);
    try {
      return gistOf(await range.take(input, true)) === gist;
    } finally {
      await range.close();
    }
  };
  if (!(await breaks(failure.input))) return failure;
  return { ...failure, smallest: await shrink(failure.input, breaks, shrinkMsMax) };
}

/** What is wrong, whatever it is about: a smaller input must not be one that breaks something else. */
function gistOf([problem]: readonly string[]): string | undefined {
  return problem?.replace(/\d+/g, '0').slice(0, 60);
}

/** A target in a folder of its own, with things around it that nobody may touch. */
class Range {
  readonly #target: Target;
  readonly #root: string;
  readonly #folder: string;
  readonly #around: string;
  readonly #stray: string[];

  static async open(kind: Kind, stray: string[]): Promise<Range> {
    const root = await mkdtemp(join(tmpdir(), 'mq-fuzz-'));
    const folder = await plantCanary(root);
    const around = listAround(root, folder);
    return new Range(await kind.open(folder), { root, folder, around }, stray);
  }

  private constructor(
    target: Target,
    { root, folder, around }: { root: string; folder: string; around: string },
    stray: string[],
  ) {
    this.#target = target;
    this.#root = root;
    this.#folder = folder;
    this.#around = around;
    this.#stray = stray;
  }

  async take(input: unknown, isPause: boolean): Promise<string[]> {
    const problems = [...(await inTime('no answer', () => this.#target.take(input)))];
    if (isPause) {
      problems.push(...(await inTime('the check did not end', () => this.#target.check())));
      if (listAround(this.#root, this.#folder) !== this.#around)
        problems.push('something outside of the state folder has changed');
    }
    // What nobody caught is told a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    return [...problems, ...this.#stray.splice(0)];
  }

  async close(): Promise<void> {
    await this.#target.close();
    await rm(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function inTime(what: string, work: () => Promise<readonly string[]>): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(() => resolve([`${what} within ${answerMsMax / 1000} s`]), answerMsMax);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  } finally {
    clearTimeout(timer);
  }
}

/** Also sockets. None can be counted where there is no /proc. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

let collect: (() => void) | undefined;

/** Of what is in use. Node gives a way to collect garbage to whoever asks for it. */
function heapBytes(): number {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
