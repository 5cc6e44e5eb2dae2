// A byte pattern in which each byte tells its offset, and the judge of a log that was filled with it.

import assert from 'node:assert/strict';
import type { ByteRange } from '../../src/platform/byte-log.ts';
import type { ByteLogLimits } from '../../src/platform/byte-log-files.ts';

/** Bytes of the pattern from an offset on. */
export function patternBytes(offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index += 1) bytes[index] = Math.imul(offset + index, 0x9e3779b1) >>> 24;
  return bytes;
}

/** Asserts that the ranges follow each other from `from` to `to` and carry the pattern; returns the gaps. */
export function assertPattern(
  ranges: readonly ByteRange[],
  { from, to }: { from: number; to: number },
): { offset: number; length: number }[] {
  const gaps: { offset: number; length: number }[] = [];
  let offset = from;
  for (const range of ranges) {
    assert.equal(range.offset, offset, 'ranges follow each other');
    if (range.kind === 'gap') {
      gaps.push({ offset: range.offset, length: range.length });
      offset += range.length;
    } else {
      assert.ok(range.bytes.length > 0, 'no range is empty');
      assert.ok(range.bytes.equals(patternBytes(offset, range.bytes.length)), `the bytes from ${offset}`);
      offset += range.bytes.length;
    }
  }
  assert.equal(offset, to, 'the ranges come to the end');
  return gaps;
}

/** Asserts what the limits promise: all up to the limit, then the head and at least the newest rest. */
export function assertKept(
  gaps: readonly { offset: number; length: number }[],
  limits: ByteLogLimits,
  length: number,
): void {
  if (length <= limits.bytesMax) {
    assert.deepEqual(gaps, []);
    return;
  }
  assert.ok(gaps.length <= 1, 'there is one gap');
  const lostMax = length - limits.bytesMax;
  for (const gap of gaps) {
    assert.equal(gap.offset, limits.headBytes, 'the head is whole');
    assert.ok(gap.length <= lostMax, `${gap.length} bytes are lost, at most ${lostMax} may be`);
  }
  const keptBytes = length - (gaps[0]?.length ?? 0);
  assert.ok(keptBytes < limits.bytesMax + 2 * limits.segmentBytes, `${keptBytes} bytes are kept`);
}

/** What byte-log-scribe writes. */
export const scribeLimits: ByteLogLimits = { bytesMax: 200_000, headBytes: 50_000, segmentBytes: 9_000 };
export const chunkBytesMax = 3000;
