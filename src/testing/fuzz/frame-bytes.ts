// Frames of a protocol as bad peers send them: right ones, ones of odd numbers, bytes that are none; then bytes flipped,
// lengths changed, and all of it cut anywhere. Pure.
import { encodeData, encodeJson } from '../../platform/frames.ts';
import type { Random } from '../simulation/random.ts';
import { hostileValue } from './hostile-text.ts';

/** JSON, so that an input can be made smaller; bytes are text of one byte a letter. */
export type WireFrame =
  | { readonly json: unknown }
  | { readonly streamId: number; readonly offset: number; readonly atMs: number; readonly bytes: string }
  | { readonly raw: string };

export interface WireInput {
  readonly frames: readonly WireFrame[];
  /** Where of the whole a byte is changed, and to what. */
  readonly changes: readonly { readonly at: number; readonly to: number }[];
  /** Lengths of the pieces in which it comes; the rest is one piece. */
  readonly cuts: readonly number[];
}

export function wireInput(random: Random, frames: readonly WireFrame[]): WireInput {
  const changes = random.chance(0.15) ? [{ at: random.between(0, 200), to: random.between(0, 255) }] : [];
  const cuts = random.chance(0.3) ? Array.from({ length: 4 }, () => random.between(1, 40)) : [];
  return { frames, changes, cuts };
}

export function dataFrame(random: Random, streamId: number): WireFrame {
  const offset = random.chance(0.6) ? 0 : random.pick([1, 64, 2 ** 32, 2 ** 53 - 1]);
  const atMs = random.pick([0, 1_764_000_000_000, -1, 1e300]);
  return { streamId, offset, atMs, bytes: bytesOf(random, random.pick([0, 1, 7, 64, 5_000])) };
}

export function rawFrame(random: Random): WireFrame {
  const header = String.fromCharCode(
    ...Array.from({ length: 4 }, () => random.pick([0, 0, 0, 1, 255])),
    random.pick([0, 1, 2, 255]),
  );
  return { raw: header + bytesOf(random, random.between(0, 30)) };
}

export function anyJson(random: Random): WireFrame {
  return { json: hostileValue(random) };
}

export function bytesOf(random: Random, length: number): string {
  let text = '';
  for (let at = 0; at < length; at += 1) text += String.fromCharCode(random.between(0, 255));
  return text;
}

/** The pieces in the order in which they come. */
export function piecesOf({ frames, changes, cuts }: WireInput): Buffer[] {
  const whole = Buffer.concat(frames.map(encode));
  for (const { at, to } of changes) if (at < whole.length) whole[at] = to & 0xff;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const length of cuts) {
    pieces.push(whole.subarray(from, from + length));
    from += length;
  }
  return [...pieces, whole.subarray(from)].filter((piece) => piece.length > 0);
}

function encode(frame: WireFrame): Buffer {
  if ('raw' in frame) return Buffer.from(frame.raw, 'latin1');
  if ('json' in frame) return encodeJson(frame.json ?? null);
  const { streamId, offset, atMs, bytes } = frame;
  return Buffer.concat(encodeData({ streamId, offset, atMs, bytes: Buffer.from(bytes, 'latin1') }));
}
