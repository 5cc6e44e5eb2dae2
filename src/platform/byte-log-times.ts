// When the bytes of a segment came. A record is [u64 offset][f64 atMs], big-endian: the bytes from this offset
// to the next record's came at that time. Bytes that came within the same millisecond share a record, which
// bounds the file by time (16 kB a second) however small the chunks are.

import type { FileHandle } from 'node:fs/promises';
import { recordBytes } from './byte-log-layout.ts';

export type TimeRecord = { offset: number; atMs: number };

const blockRecords = 256;

export function encodeRecords(records: readonly TimeRecord[]): Buffer {
  const bytes = Buffer.allocUnsafe(records.length * recordBytes);
  for (const [index, record] of records.entries()) {
    bytes.writeBigUInt64BE(BigInt(record.offset), index * recordBytes);
    bytes.writeDoubleBE(record.atMs, index * recordBytes + 8);
  }
  return bytes;
}

/** Whether bytes of this time need a record of their own after bytes of that time. */
export function startsNewRecord(atMs: number, previousAtMs: number | undefined): boolean {
  return previousAtMs === undefined || Math.floor(atMs) !== Math.floor(previousAtMs);
}

/** Looks up times in a file that may be growing; asks the disk for a block at a time. */
export class TimesReader {
  readonly #handle: FileHandle;
  #block = Buffer.alloc(0);
  #blockStart = 0;
  /** Where the last answer stood: the next question is mostly about the same place or the one after. */
  #hint = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * The records that cover the bytes from `from` to before `to`, the first one's offset being at most `from`.
   * Only the first `recordCount` records of the file are looked at. Empty where no record covers `from`.
   * With `firstOnly`, just the record of `from`.
   */
  async cover(
    range: { from: number; to: number; firstOnly: boolean },
    recordCount: number,
  ): Promise<TimeRecord[]> {
    const found: TimeRecord[] = [];
    let index = await this.#lastAtOrBefore(range.from, recordCount);
    if (index < 0) return found;
    this.#hint = index;
    for (; index < recordCount; index += 1) {
      const record = await this.#record(index, recordCount);
      if (found.length > 0 && (range.firstOnly || record.offset >= range.to)) break;
      found.push(record);
    }
    return found;
  }

  async #lastAtOrBefore(offset: number, recordCount: number): Promise<number> {
    let low = 0;
    let high = recordCount;
    if (this.#hint < recordCount && (await this.#record(this.#hint, recordCount)).offset <= offset) {
      low = this.#hint + 1;
      for (let step = 1; low + step <= high; step *= 2) {
        if ((await this.#record(low + step - 1, recordCount)).offset > offset) {
          high = low + step - 1;
          break;
        }
        low += step;
      }
    }
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.#record(middle, recordCount)).offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  async #record(index: number, recordCount: number): Promise<TimeRecord> {
    let position = (index - this.#blockStart) * recordBytes;
    if (position < 0 || position + recordBytes > this.#block.length) {
      await this.#load(index, recordCount);
      position = (index - this.#blockStart) * recordBytes;
    }
    return {
      offset: Number(this.#block.readBigUInt64BE(position)),
      atMs: this.#block.readDoubleBE(position + 8),
    };
  }

  /** Loads the block of this record, as far as the records are known to be final. */
  async #load(index: number, recordCount: number): Promise<void> {
    const start = index - (index % blockRecords);
    const block = Buffer.alloc(Math.min(blockRecords, recordCount - start) * recordBytes);
    await this.#handle.read(block, 0, block.length, start * recordBytes);
    this.#block = block;
    this.#blockStart = start;
  }
}

/**
 * How many records at the beginning of the file belong to bytes that are there (`start` to before `end`):
 * records are written before their bytes, so a crash may leave some too many at the end.
 */
export async function countValidRecords(
  handle: FileHandle,
  segment: { start: number; end: number; recordCount: number },
): Promise<number> {
  let count = segment.recordCount;
  while (count > 0) {
    const blockStart = Math.max(0, count - blockRecords);
    const block = Buffer.alloc((count - blockStart) * recordBytes);
    await handle.read(block, 0, block.length, blockStart * recordBytes);
    for (; count > blockStart; count -= 1) {
      const offset = block.readBigUInt64BE((count - 1 - blockStart) * recordBytes);
      if (offset >= BigInt(segment.start) && offset < BigInt(segment.end)) return count;
    }
  }
  return 0;
}
