// The consoles of jobs, as the server keeps and hands them on: one byte log a job. The agent's frames come with
// offsets, so that what is sent twice after a reconnect is written once.
import { ByteLog, ByteLogReader, type ByteRange } from '../platform/byte-log.ts';
import { diskBytesOf } from '../platform/disk-space.ts';
import { ConsoleFiles } from './console-files.ts';

export interface ConsoleLimits {
  readonly logBytesMax: number;
}

/** Kept of a log that grew past its limit: the first bytes, and the newest rest. */
const headBytes = 16 * 1024 * 1024;
const segmentBytes = 16 * 1024 * 1024;
/** Frames handed to the disk and not written yet; beyond it the agent's link is read no further. */
const queuedBytesMax = 8 * 1024 * 1024;

interface Live {
  readonly log: ByteLog;
  /** Where the next frame belongs: bytes handed to the log so far. */
  next: number;
  last: Promise<unknown>;
  /** A write failed (disk full): the bytes are with the agent still, and are asked for again. */
  failed: boolean;
}

export class Consoles {
  /** Those of ended jobs; of others what they will be. */
  readonly files: ConsoleFiles;
  readonly #limits: () => ConsoleLimits;
  readonly #live = new Map<number, Promise<Live>>();
  readonly #leaving = new AbortController();
  #takenBytes = 0;

  /** `limits`: as they are now; those of a log stay what they were when it was opened. */
  constructor(folder: string, limits: () => ConsoleLimits) {
    this.files = new ConsoleFiles(folder);
    this.#limits = limits;
  }

  /** Aborts when the server leaves: from then on the end of a live log is not the end of its job's console. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Bytes that have come since the start of the process, of all jobs. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Opens the log of a live job; returns how many bytes it has. */
  async open(job: number): Promise<number> {
    return (await this.#get(job)).next;
  }

  /** Bytes of a live job's console; undefined if it is not open. */
  lengthOf(job: number): number | undefined {
    return this.#lengths.get(job);
  }
  readonly #lengths = new Map<number, number>();

  /**
   * Writes a frame of the agent. Bytes that are there already are passed over. Answers whether the bytes were taken:
   * not after a failed write, until `reset`. Resolves when the log is ready for more.
   */
  async append(job: number, frame: { offset: number; bytes: Uint8Array; atMs: number }): Promise<boolean> {
    const live = await this.#get(job);
    if (live.failed || frame.offset > live.next) return false;
    const known = live.next - frame.offset;
    if (known >= frame.bytes.length) return true;
    const bytes = Buffer.from(known > 0 ? frame.bytes.subarray(known) : frame.bytes);
    live.next += bytes.length;
    this.#takenBytes += bytes.length;
    const written = this.#note(job, live, live.log.append(bytes, frame.atMs));
    if (live.log.queuedBytes > queuedBytesMax) await written;
    return !live.failed;
  }

  /** Bytes that the agent no longer has: the log goes on behind them. Answers as `append` does. */
  async skip(job: number, gap: { offset: number; length: number }): Promise<boolean> {
    const live = await this.#get(job);
    if (live.failed || gap.offset > live.next) return false;
    const lengthBytes = gap.offset + gap.length - live.next;
    if (lengthBytes <= 0) return true;
    live.next += lengthBytes;
    await this.#note(job, live, live.log.skip(lengthBytes));
    return !live.failed;
  }

  /** All that was handed over is in the log: its length. False lengths after a failed write show the missing bytes. */
  async settle(job: number): Promise<number> {
    const live = await this.#get(job);
    await live.last;
    return live.log.length;
  }

  /** After a failed write: go on from what is really there. */
  async reset(job: number): Promise<number> {
    const live = await this.#get(job);
    await live.last;
    live.failed = false;
    live.next = live.log.length;
    return live.next;
  }

  /** The job has ended and its bytes are all there: followers come to the end. */
  async finish(job: number): Promise<void> {
    const live = this.#live.get(job);
    this.#live.delete(job);
    this.#lengths.delete(job);
    // One that could not be opened has nothing to close.
    const opened = await live?.catch(() => undefined);
    await opened?.log.close();
    if (opened) await this.files.measure(job);
  }

  /** A log that is written, or still open. */
  isOpen(job: number): boolean {
    return this.#live.has(job);
  }

  /** Bytes of all consoles on the disk: of those that are written, about. */
  get diskBytes(): number {
    const { logBytesMax } = this.#limits();
    const open = [...this.#lengths.values()].map((length) => diskBytesOf(Math.min(length, logBytesMax)));
    return open.reduce((sum, bytes) => sum + bytes, this.files.bytes);
  }

  /** Whether anything of the job's console is there. */
  async has(job: number): Promise<boolean> {
    return this.#live.has(job) || (await this.#openEnded(job)) !== undefined;
  }

  /** Ranges from an offset: what there is, and with `follow` what comes, until the job has ended. */
  async *read(
    job: number,
    options: { from: number; follow: boolean; splitByTime: boolean; signal: AbortSignal },
  ): AsyncGenerator<ByteRange, void, undefined> {
    const live = this.#live.get(job);
    const bytesMax = 256 * 1024;
    if (live && options.follow) {
      const { from, signal, splitByTime } = options;
      yield* (await live).log.follow({ from, signal, bytesMax, splitByTime });
      return;
    }
    const log = live ? (await live).log : await this.#openEnded(job);
    let from = options.from;
    while (log && !options.signal.aborted) {
      const ranges = await log.read({ from, bytesMax, splitByTime: options.splitByTime });
      for (const range of ranges) {
        yield range;
        from = range.offset + (range.kind === 'gap' ? range.length : range.bytes.length);
      }
      if (ranges.length === 0) return;
    }
  }

  /** Never rejects: a failed write is remembered until `reset`. */
  #note(job: number, live: Live, write: Promise<number>): Promise<void> {
    const written = write.then(
      (length) => {
        if (this.#lengths.has(job)) this.#lengths.set(job, length);
      },
      () => {
        live.failed = true;
      },
    );
    live.last = written;
    return written;
  }

  async close(): Promise<void> {
    this.#leaving.abort();
    await Promise.all([...this.#live.keys()].map((job) => this.finish(job)));
  }

  async #openEnded(job: number): Promise<ByteLogReader | undefined> {
    try {
      return await ByteLogReader.open(this.files.path(job));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  #get(job: number): Promise<Live> {
    let live = this.#live.get(job);
    if (!live) {
      // Nobody would close it.
      if (this.#leaving.signal.aborted) return Promise.reject(new Error('the server is leaving'));
      const opening = this.#openLive(job);
      this.#live.set(job, opening);
      opening.catch(() => {
        if (this.#live.get(job) === opening) this.#live.delete(job);
      });
      live = opening;
    }
    return live;
  }

  async #openLive(job: number): Promise<Live> {
    const bytesMax = this.#limits().logBytesMax;
    const limits = {
      bytesMax,
      headBytes: Math.min(headBytes, Math.floor(bytesMax / 4)),
      segmentBytes: Math.min(segmentBytes, Math.ceil(bytesMax / 4)),
    };
    const log = await ByteLog.open(this.files.path(job), limits);
    this.#lengths.set(job, log.length);
    return { log, next: log.length, last: Promise.resolve(), failed: false };
  }
}

function isMissing(error: unknown): boolean {
  const cause = (error as { cause?: { code?: string } } | undefined)?.cause;
  return cause?.code === 'ENOENT' || (error as { code?: string } | undefined)?.code === 'ENOENT';
}
