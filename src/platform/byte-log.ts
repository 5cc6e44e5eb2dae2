// An append-only log of bytes on disk with the times they came, kept to a limit: every byte up to the limit,
// beyond it the head and the newest rest with a gap between. One process writes a folder at a time; many
// readers follow it from any offset, from the disk, so that a slow reader holds up nobody.
// What append has answered survives a kill of the process at any instant; after `sync`, a power cut too.

import { ByteLogFiles, type ByteLogLimits, type Chunk } from './byte-log-files.ts';
import { type Segment, scanFolder } from './byte-log-layout.ts';
import { type ByteRange, ByteRangeReader, type ReadOptions, type SegmentSource } from './byte-log-reader.ts';
import { PlatformError, systemErrorCode } from './platform-error.ts';

export type { ByteLogLimits } from './byte-log-files.ts';
export type { ByteRange, ReadOptions } from './byte-log-reader.ts';

export type FollowOptions = {
  /** Offset of the first byte wanted; may be ahead of the log. */
  from: number;
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** Most bytes in one range; 64 kB where it is not given. */
  bytesMax?: number;
  splitByTime?: boolean;
};

type Entry = Chunk & {
  /** Not 0: no bytes but a gap of so many. */
  gapBytes: number;
  resolve: (length: number) => void;
  reject: (error: unknown) => void;
};

/** Most that one write takes off the queue, so that an answer does not wait for megabytes behind it. */
const batchBytesMax = 4 * 1024 * 1024;
const batchEntriesMax = 1024;
const rangeBytes = 64 * 1024;
const noBytes = new Uint8Array(0);

/** A log that nobody writes, or that another process does: what it had when it was opened or refreshed. */
export class ByteLogReader implements SegmentSource {
  readonly folder: string;
  segments: readonly Segment[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(folder: string): Promise<ByteLogReader> {
    const log = new ByteLogReader(folder);
    await log.refresh();
    return log;
  }

  /** Bytes ever appended, the gap included. */
  get length(): number {
    return this.segments.at(-1)?.end ?? 0;
  }

  /** Looks at the folder again. */
  async refresh(): Promise<void> {
    this.segments = (await scanFolder(this.folder)).segments;
  }

  /** As ByteLog.read. */
  read(options: ReadOptions): Promise<ByteRange[]> {
    return readOnce(this, options);
  }
}

export class ByteLog {
  readonly #files: ByteLogFiles;
  readonly #queue: Entry[] = [];
  #queuedBytes = 0;
  #pumping: Promise<void> | undefined;
  #isClosed = false;
  #wakeFollowers = Promise.withResolvers<void>();

  private constructor(files: ByteLogFiles) {
    this.#files = files;
  }

  /** Opens the log for writing, makes it when it is missing, and mends what a kill of its writer left. */
  static async open(folder: string, limits: ByteLogLimits): Promise<ByteLog> {
    const { bytesMax, headBytes, segmentBytes } = limits;
    if (!(headBytes >= 0 && segmentBytes > 0 && headBytes < bytesMax)) {
      throw new RangeError(`no limits of a log: ${JSON.stringify(limits)}`);
    }
    return new ByteLog(await ByteLogFiles.open(folder, limits));
  }

  /** Bytes in the log, the gap included; grows when append answers. */
  get length(): number {
    return this.#files.length;
  }

  /** Bytes handed to append that it has not answered; a writer that is not to flood memory looks at this. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * Appends bytes that came at this time (milliseconds), in the order of the calls, and answers with the
   * log's length behind them once the kernel has them. The buffer must stay as it is until then.
   * LOG_WRITE_FAILED (a full disk, …): `details.writtenBytes` of these bytes are in the log; everything handed
   * over behind them is refused too, so that no hole comes about, and the log goes on when it is tried again.
   * LOG_CLOSED after close.
   */
  append(bytes: Uint8Array, atMs: number): Promise<number> {
    return this.#enqueue({ bytes, atMs, gapBytes: 0 });
  }

  /**
   * Goes on `lengthBytes` further, for bytes that are lost: readers find a gap there. In the order of the calls with
   * `append`, and as durable; a kill leaves the whole gap or nothing of it. Answers with the log's length behind it.
   * Errors as of `append`.
   */
  skip(lengthBytes: number): Promise<number> {
    if (!(Number.isSafeInteger(lengthBytes) && lengthBytes > 0)) {
      return Promise.reject(new RangeError(`no length of a gap: ${lengthBytes}`));
    }
    return this.#enqueue({ bytes: noBytes, atMs: 0, gapBytes: lengthBytes });
  }

  #enqueue(chunk: Chunk & { gapBytes: number }): Promise<number> {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#queue.push({ ...chunk, resolve, reject });
    this.#queuedBytes += chunk.bytes.length;
    this.#pumping ??= this.#pump();
    return promise;
  }

  /** The ranges from an offset on, as they are now; empty at the end of the log. Also after close. */
  read(options: ReadOptions): Promise<ByteRange[]> {
    return readOnce(this.#files, options);
  }

  /** All ranges from an offset on, then the new ones as they come; ends when the log is closed and all is read. */
  async *follow(options: FollowOptions): AsyncGenerator<ByteRange, void, undefined> {
    const { from, signal, bytesMax = rangeBytes, splitByTime = false } = options;
    const reader = new ByteRangeReader(this.#files);
    let offset = from;
    try {
      while (!signal?.aborted) {
        const ranges = await reader.read({ from: offset, bytesMax, splitByTime });
        for (const range of ranges) {
          if (signal?.aborted) return;
          yield range;
          offset = range.offset + (range.kind === 'gap' ? range.length : range.bytes.length);
        }
        if (ranges.length > 0 || offset < this.length) continue;
        if (this.#isClosed && this.#pumping === undefined) return;
        await abortable(this.#wakeFollowers.promise, signal);
      }
    } finally {
      await reader.close();
    }
  }

  /** Makes all that was appended before survive a power cut. LOG_WRITE_FAILED where the disk refuses. */
  async sync(): Promise<void> {
    if (this.#pumping !== undefined) await this.append(noBytes, 0);
    try {
      await this.#files.sync();
    } catch (cause) {
      throw this.#writeError(cause, 0);
    }
  }

  /** Refuses new bytes, writes those handed over, and lets followers come to the end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pumping;
    await this.#files.close();
    this.#wake();
  }

  async #pump(): Promise<void> {
    // Chunks of one turn of the event loop go out in one write.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      const startLength = this.length;
      let failure: { cause: unknown } | undefined;
      try {
        const gapBytes = batch[0]?.gapBytes ?? 0;
        if (gapBytes > 0) await this.#files.skip(gapBytes);
        else await this.#files.write(batch);
      } catch (cause) {
        failure = { cause };
      }
      if (failure !== undefined) batch.push(...this.#queue.splice(0));
      this.#settle(batch, startLength, failure);
      this.#wake();
    }
    // In the same turn as the last look at the queue: an append right after this starts the next pump.
    this.#pumping = undefined;
  }

  /** Chunks up to the next gap, or one gap. */
  #takeBatch(): Entry[] {
    if (this.#queue[0] !== undefined && this.#queue[0].gapBytes > 0) return this.#queue.splice(0, 1);
    let count = 0;
    for (let bytes = 0; count < batchEntriesMax && bytes < batchBytesMax; count += 1) {
      const entry = this.#queue[count];
      if (entry === undefined || entry.gapBytes > 0) break;
      bytes += entry.bytes.length;
    }
    return this.#queue.splice(0, count);
  }

  #settle(batch: readonly Entry[], startLength: number, failure: { cause: unknown } | undefined): void {
    let end = startLength;
    for (const entry of batch) {
      const start = end;
      end += entry.bytes.length + entry.gapBytes;
      this.#queuedBytes -= entry.bytes.length;
      if (failure === undefined || (end <= this.length && entry.bytes.length > 0)) entry.resolve(end);
      else entry.reject(this.#writeError(failure.cause, Math.max(0, this.length - start)));
    }
  }

  #wake(): void {
    this.#wakeFollowers.resolve();
    this.#wakeFollowers = Promise.withResolvers();
  }

  #writeError(cause: unknown, writtenBytes: number): PlatformError {
    const reason = systemErrorCode(cause) ?? String(cause);
    const { folder } = this.#files;
    return new PlatformError('LOG_WRITE_FAILED', `${folder} cannot be written: ${reason}`, {
      details: { folder, reason, writtenBytes, length: this.length },
      cause,
    });
  }

  #closedError(): PlatformError {
    return new PlatformError('LOG_CLOSED', `${this.#files.folder} is closed`);
  }
}

async function readOnce(source: SegmentSource, options: ReadOptions): Promise<ByteRange[]> {
  const reader = new ByteRangeReader(source);
  try {
    return await reader.read(options);
  } finally {
    await reader.close();
  }
}

/** Waits for the promise or the signal, whichever is first. */
async function abortable(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await promise;
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const onAbort = () => aborted.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
