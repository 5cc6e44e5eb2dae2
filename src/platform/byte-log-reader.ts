// Reads ranges of a byte log from its files, one after the other; a reader keeps the files of its place open,
// so that following a log costs one read per range. Files may be dropped by the writer at any time: open ones
// stay readable, others become part of the gap.

import { type FileHandle, open } from 'node:fs/promises';
import { type Segment, segmentPath } from './byte-log-layout.ts';
import { TimesReader } from './byte-log-times.ts';
import { PlatformError, systemErrorCode } from './platform-error.ts';

/** A stretch of the log, or of what it no longer has. `atMs` is when its first byte came. */
export type ByteRange =
  | { kind: 'bytes'; offset: number; bytes: Buffer; atMs: number }
  | { kind: 'gap'; offset: number; length: number };

export type ReadOptions = {
  /** Offset of the first byte wanted. */
  from: number;
  /** Offset after the last byte wanted; without it the end of the log. */
  to?: number;
  /** Most bytes in one answer. */
  bytesMax: number;
  /** One range for each time (as `--timestamps` wants it) instead of the longest ranges that the files give. */
  splitByTime?: boolean;
};

/** What a reader has to know about a log. */
export type SegmentSource = {
  readonly folder: string;
  readonly length: number;
  /** Ascending; the current state each time. */
  readonly segments: readonly Readonly<Segment>[];
  /** Called when a listed segment has no file: the list is old. */
  refresh(): Promise<void>;
};

type OpenSegment = {
  start: number;
  bytes: FileHandle;
  times: FileHandle | undefined;
  records: TimesReader | undefined;
};

export class ByteRangeReader {
  readonly #source: SegmentSource;
  #open: OpenSegment | undefined;

  constructor(source: SegmentSource) {
    this.#source = source;
  }

  /**
   * The ranges from `from` on, without holes: what is lost is a gap range. Empty at the end of the log.
   * Throws LOG_DAMAGED where a file does not have what it must have.
   */
  async read(options: ReadOptions): Promise<ByteRange[]> {
    const end = Math.min(options.to ?? Number.MAX_SAFE_INTEGER, this.#source.length);
    const ranges: ByteRange[] = [];
    let offset = options.from;
    let roomBytes = options.bytesMax;
    while (offset < end && roomBytes > 0) {
      const found = this.#source.segments.find((segment) => segment.end > offset);
      const gapEnd = Math.min(found?.start ?? end, end);
      if (gapEnd > offset) {
        addGap(ranges, offset, gapEnd);
        offset = gapEnd;
        continue;
      }
      if (found === undefined) break;
      const segment = { ...found };
      const range = { from: offset, to: Math.min(end, segment.end, offset + roomBytes) };
      const read = await this.#readSegment(segment, range, options.splitByTime ?? false);
      if (read === undefined) {
        await this.#source.refresh();
        this.#assertDropped(segment.start);
        continue;
      }
      ranges.push(...read);
      roomBytes -= range.to - range.from;
      offset = range.to;
    }
    return ranges;
  }

  async close(): Promise<void> {
    const segment = this.#open;
    this.#open = undefined;
    await segment?.bytes.close();
    await segment?.times?.close();
  }

  /** Undefined when the segment's file is gone. */
  async #readSegment(
    segment: Segment,
    range: { from: number; to: number },
    splitByTime: boolean,
  ): Promise<ByteRange[] | undefined> {
    const files = await this.#openSegment(segment.start);
    if (files === undefined) return undefined;
    const bytes = Buffer.allocUnsafeSlow(range.to - range.from);
    const { bytesRead } = await files.bytes.read(bytes, 0, bytes.length, range.from - segment.start);
    if (bytesRead < bytes.length) {
      throw new PlatformError('LOG_DAMAGED', `${this.#source.folder} ends before byte ${range.to}`, {
        details: { folder: this.#source.folder, offset: range.from + bytesRead },
      });
    }
    const records = await files.records?.cover({ ...range, firstOnly: !splitByTime }, segment.recordCount);
    const [first, ...later] = records ?? [];
    // Times are lost only where the machine itself went down: then the file's own time is the best there is.
    const atMs = first?.atMs ?? (await files.bytes.stat()).mtimeMs;
    const ranges: ByteRange[] = [];
    let current = { offset: range.from, atMs };
    for (const next of [...later, { offset: range.to, atMs: 0 }]) {
      const part = bytes.subarray(current.offset - range.from, next.offset - range.from);
      ranges.push({ kind: 'bytes', ...current, bytes: part });
      current = next;
    }
    return ranges;
  }

  /** A file that is missing although its segment is listed was taken by somebody else. */
  #assertDropped(start: number): void {
    if (!this.#source.segments.some((segment) => segment.start === start)) return;
    const path = segmentPath(this.#source.folder, start, 'bytes');
    throw new PlatformError('LOG_DAMAGED', `${path} is missing`, {
      details: { folder: this.#source.folder, offset: start },
    });
  }

  async #openSegment(start: number): Promise<OpenSegment | undefined> {
    if (this.#open?.start === start) return this.#open;
    await this.close();
    const folder = this.#source.folder;
    const bytes = await openIfThere(segmentPath(folder, start, 'bytes'));
    if (bytes === undefined) return undefined;
    const times = await openIfThere(segmentPath(folder, start, 'times'));
    const records = times && new TimesReader(times);
    this.#open = { start, bytes, times, records };
    return this.#open;
  }
}

function addGap(ranges: ByteRange[], offset: number, end: number): void {
  const last = ranges.at(-1);
  if (last?.kind === 'gap') last.length = end - last.offset;
  else ranges.push({ kind: 'gap', offset, length: end - offset });
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
