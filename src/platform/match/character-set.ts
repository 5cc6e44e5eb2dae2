// What a bracket expression or a literal may match: bytes, and characters beyond ASCII that become their
// UTF-8 encoding.

import { type ByteSet, byteRanges, foldAscii, union } from './byte-set.ts';
import { otherCases } from './case-fold.ts';
import { choice, type Expression, oneByte, sequence } from './expression.ts';
import { utf8Sequences } from './utf8-ranges.ts';

/** One written character: a code point, or a byte from 0x80 up that stands for itself (\xff, \377). */
export type Written = { readonly code: number; readonly isByte: boolean };

export interface CharacterSet {
  bytes: ByteSet;
  /** Ranges of code points from 0x80 up, both ends included. */
  readonly ranges: [low: number, high: number][];
}

export function emptySet(): CharacterSet {
  return { bytes: byteRanges(), ranges: [] };
}

export function addRange(set: CharacterSet, low: Written, high: Written): void {
  const areBytes = low.isByte || high.isByte;
  const asciiEnd = areBytes ? 0xff : 0x7f;
  if (low.code <= asciiEnd)
    set.bytes = union(set.bytes, byteRanges([low.code, Math.min(high.code, asciiEnd)]));
  if (!areBytes && high.code > 0x7f) set.ranges.push([Math.max(low.code, 0x80), high.code]);
}

/** Adds the other cases of everything in the set. */
export function addOtherCases(set: CharacterSet): void {
  set.bytes = foldAscii(set.bytes);
  if (set.ranges.length === 0) return;
  const given = [...set.ranges];
  for (const [code, others] of otherCases()) {
    if (!given.some(([low, high]) => low <= code && code <= high)) continue;
    for (const other of others) set.ranges.push([other, other]);
  }
}

export function toExpression(set: CharacterSet): Expression {
  const sequences = mergeRanges(set.ranges)
    .flatMap(([low, high]) => utf8Sequences(low, high))
    .map((ranges) => sequence(ranges.map((range) => oneByte(byteRanges(range)))));
  if (sequences.length > 0 && !set.bytes.includes(1)) return choice(sequences);
  return choice([oneByte(set.bytes), ...sequences]);
}

function mergeRanges(
  ranges: readonly (readonly [low: number, high: number])[],
): [low: number, high: number][] {
  const merged: [low: number, high: number][] = [];
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged;
}
