// The writing side of a byte log's folder: appends to the newest segment, begins the next, drops the oldest
// behind the head. One writer per folder; it does one thing after the other and counts only what write(2) took.
// The order on disk is what makes a kill at any instant harmless: a segment's times file comes before its
// bytes file, a time before its bytes, and on removal bytes go before times.

import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { recordBytes, type Segment, scanFolder, segmentPath } from './byte-log-layout.ts';
import { countValidRecords, encodeRecords, startsNewRecord, type TimeRecord } from './byte-log-times.ts';
import { systemErrorCode } from './platform-error.ts';

/** Limits of a log, in bytes. */
export type ByteLogLimits = {
  /** Every byte is kept until the log is this long. */
  bytesMax: number;
  /** How many of the first bytes stay for ever. */
  headBytes: number;
  /** Longest segment. Segments are dropped whole and after the write, so up to two more lie on the disk. */
  segmentBytes: number;
};

export type Chunk = { bytes: Uint8Array; atMs: number };

type ActiveSegment = { segment: Segment; bytes: FileHandle; times: FileHandle; lastAtMs: number | undefined };

export class ByteLogFiles {
  readonly folder: string;
  readonly segments: Segment[];
  readonly #limits: ByteLogLimits;
  readonly #dirtyStarts = new Set<number>();
  #length: number;
  #active: ActiveSegment | undefined;

  private constructor(folder: string, limits: ByteLogLimits, segments: Segment[]) {
    this.folder = folder;
    this.#limits = limits;
    this.segments = segments;
    this.#length = segments.at(-1)?.end ?? 0;
  }

  /** Makes the folder when it is missing, and mends what a crash left. */
  static async open(folder: string, limits: ByteLogLimits): Promise<ByteLogFiles> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const scan = await scanFolder(folder);
    for (const path of scan.strayPaths) await unlinkIfThere(path);
    const files = new ByteLogFiles(folder, limits, scan.segments);
    const last = files.segments.at(-1);
    if (last !== undefined) {
      files.#active = await openActive(folder, last);
      last.recordCount = await countValidRecords(files.#active.times, last);
    }
    for (const segment of files.segments) files.#dirtyStarts.add(segment.start);
    await files.#dropOld();
    return files;
  }

  get length(): number {
    return this.#length;
  }

  /** The list of segments is always current here. */
  async refresh(): Promise<void> {}

  /**
   * Appends the chunks in order. When a write fails it throws the system's error; `length` then says how many
   * of the bytes are in the log, and the next call goes on behind them.
   */
  async write(chunks: readonly Chunk[]): Promise<void> {
    const pending = chunks.filter((chunk) => chunk.bytes.length > 0);
    while (pending.length > 0) {
      const active = await this.#withRoom();
      const roomBytes = this.#capacityOf(active.segment) - (this.#length - active.segment.start);
      await this.#writeInto(active, takeBytes(pending, roomBytes));
      await this.#dropOld();
    }
  }

  /**
   * Goes on so many bytes further, with a gap between. The empty segment that begins there is the record of it: its
   * bytes file appears in one step. Throws the system's error, and then nothing has changed.
   */
  async skip(lengthBytes: number): Promise<void> {
    const start = this.#length + lengthBytes;
    const before = this.#active;
    const segment = { start, end: start, recordCount: 0 };
    const next = await openActive(this.folder, segment);
    this.#active = next;
    this.#length = start;
    this.segments.push(segment);
    this.#dirtyStarts.add(start);
    await before?.times.close();
    await before?.bytes.close();
    if (before !== undefined && before.segment.end === before.segment.start) await this.#drop(before.segment);
    await this.#dropOld();
  }

  /** Makes all that was written survive a power cut. */
  async sync(): Promise<void> {
    const starts = [...this.#dirtyStarts];
    this.#dirtyStarts.clear();
    try {
      for (const start of starts) {
        for (const kind of ['times', 'bytes'] as const) await syncFile(segmentPath(this.folder, start, kind));
      }
      await syncFile(this.folder);
    } catch (error) {
      for (const start of starts) this.#dirtyStarts.add(start);
      throw error;
    }
  }

  async close(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    await active?.times.close();
    await active?.bytes.close();
  }

  /** Segments end at the head's end too, so that everything behind the head can be dropped. */
  #capacityOf(segment: Segment): number {
    const { headBytes, segmentBytes } = this.#limits;
    return segment.start < headBytes ? Math.min(segmentBytes, headBytes - segment.start) : segmentBytes;
  }

  /** The newest segment, or a new one when that is full. */
  async #withRoom(): Promise<ActiveSegment> {
    const active = this.#active;
    if (active !== undefined && this.#length - active.segment.start < this.#capacityOf(active.segment)) {
      return active;
    }
    const segment = { start: this.#length, end: this.#length, recordCount: 0 };
    const next = await openActive(this.folder, segment);
    this.#active = next;
    this.segments.push(segment);
    await active?.times.close();
    await active?.bytes.close();
    return next;
  }

  async #writeInto(active: ActiveSegment, chunks: readonly Chunk[]): Promise<void> {
    const { segment } = active;
    const records = this.#recordsFor(active, chunks);
    this.#dirtyStarts.add(segment.start);
    const buffers = chunks.map((chunk) => chunk.bytes);
    const written = { bytes: 0 };
    try {
      if (records.length > 0) {
        await writeAll(active.times, [encodeRecords(records)], segment.recordCount * recordBytes);
      }
      await writeAll(active.bytes, buffers, this.#length - segment.start, written);
    } finally {
      this.#length += written.bytes;
      segment.end = this.#length;
      const valid = records.filter((record) => record.offset < this.#length);
      segment.recordCount += valid.length;
      active.lastAtMs = valid.at(-1)?.atMs ?? active.lastAtMs;
      // Times of bytes that did not make it must not be taken for those of the bytes that come instead.
      if (valid.length < records.length) await active.times.truncate(segment.recordCount * recordBytes);
    }
  }

  #recordsFor(active: ActiveSegment, chunks: readonly Chunk[]): TimeRecord[] {
    const records: TimeRecord[] = [];
    let offset = this.#length;
    let previousAtMs = active.lastAtMs;
    for (const { bytes, atMs } of chunks) {
      if (startsNewRecord(atMs, previousAtMs)) {
        records.push({ offset, atMs });
        previousAtMs = atMs;
      }
      offset += bytes.length;
    }
    return records;
  }

  /** Drops segments behind the head as long as the newest `bytesMax - headBytes` bytes stay. */
  async #dropOld(): Promise<void> {
    const { bytesMax, headBytes } = this.#limits;
    for (;;) {
      const index = this.segments.findIndex((segment) => segment.start >= headBytes);
      const oldest = this.segments[index];
      if (oldest === undefined || oldest === this.#active?.segment) return;
      if (this.#length - oldest.end < bytesMax - headBytes || this.#length <= bytesMax) return;
      await this.#drop(oldest);
    }
  }

  /** Off the list first: a reader that misses the file must find the gap. */
  async #drop(segment: Segment): Promise<void> {
    this.segments.splice(this.segments.indexOf(segment), 1);
    this.#dirtyStarts.delete(segment.start);
    await unlinkIfThere(segmentPath(this.folder, segment.start, 'bytes'));
    await unlinkIfThere(segmentPath(this.folder, segment.start, 'times'));
  }
}

/** Takes chunks off the front of `pending`, cutting the last one, up to this many bytes. */
function takeBytes(pending: Chunk[], roomBytes: number): Chunk[] {
  const taken: Chunk[] = [];
  let leftBytes = roomBytes;
  let count = 0;
  for (const chunk of pending) {
    if (leftBytes === 0) break;
    if (chunk.bytes.length > leftBytes) {
      taken.push({ bytes: chunk.bytes.subarray(0, leftBytes), atMs: chunk.atMs });
      pending[count] = { bytes: chunk.bytes.subarray(leftBytes), atMs: chunk.atMs };
      break;
    }
    taken.push(chunk);
    leftBytes -= chunk.bytes.length;
    count += 1;
  }
  pending.splice(0, count);
  return taken;
}

async function openActive(folder: string, segment: Segment): Promise<ActiveSegment> {
  const times = await openToWrite(segmentPath(folder, segment.start, 'times'));
  try {
    const bytes = await openToWrite(segmentPath(folder, segment.start, 'bytes'));
    return { segment, bytes, times, lastAtMs: undefined };
  } catch (error) {
    await times.close();
    throw error;
  }
}

/** Not for appending: writes name their place, so that one that failed half-way is written over. */
async function openToWrite(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return await open(path, 'wx+', 0o600);
  }
}

/** Writes all the buffers; when that fails, `written` says how far it came. */
async function writeAll(
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  position: number,
  written: { bytes: number } = { bytes: 0 },
): Promise<void> {
  let rest = [...buffers];
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, position + written.bytes);
    written.bytes += bytesWritten;
    rest = skipBytes(rest, bytesWritten);
  }
}

function skipBytes(buffers: readonly Uint8Array[], byteCount: number): Uint8Array[] {
  let leftBytes = byteCount;
  const rest: Uint8Array[] = [];
  for (const buffer of buffers) {
    const skipped = Math.min(leftBytes, buffer.length);
    leftBytes -= skipped;
    if (skipped < buffer.length) rest.push(buffer.subarray(skipped));
  }
  return rest;
}

async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

/** A folder can be synced like a file. A dropped segment needs no sync. */
async function syncFile(path: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
