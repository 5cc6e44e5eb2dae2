// A compiled pattern: how to step, the table that the step looks bytes up in, and where a match ends. Never
// changed once made, and plain data, so that it can be copied to another thread as it is.

import { WORD_BYTES } from './byte-set.ts';
import { AFTER_WORD, BEFORE_WORD, LINE_END, LINE_START, LOOKS_AHEAD } from './look.ts';
import type { Positions } from './positions.ts';
import { type Mask, maskOf, type WordOps, wordOps } from './word-ops.ts';

/** Positions that end a match where the conditions of `look` hold. */
export interface Final {
  readonly look: number;
  readonly mask: Mask;
}

export interface Program extends WordOps {
  /** 64-bit words of a set of positions. */
  readonly longs: number;
  /** Whether any condition is asked for; if not, the kinds of places need not be known. */
  readonly hasLooks: boolean;
  /** For each byte a row of `longs`: the positions that match it. */
  readonly accept: BigUint64Array;
  /** Ends of a match that the bytes up to here decide. */
  readonly endsHere: readonly Final[];
  /** Ends of a match that the next byte, or the end of the input, decides. */
  readonly endsAhead: readonly Final[];
}

/** The kind of place (look.ts) after each byte, and before it. */
export const KIND_AFTER: Uint8Array = Uint8Array.from(WORD_BYTES, (isWord, byte) =>
  isWord ? AFTER_WORD : byte === 0x0a ? LINE_START : 0,
);
export const KIND_BEFORE: Uint8Array = Uint8Array.from(WORD_BYTES, (isWord, byte) =>
  isWord ? BEFORE_WORD : byte === 0x0a ? LINE_END : 0,
);

/** Returns nothing if a step would take too long. */
export function programOf({ sets, links, finals }: Positions): Program | undefined {
  const longs = Math.ceil(sets.length / 64);
  const ops = wordOps(links, longs);
  if (ops === undefined) return undefined;
  const accept = new BigUint64Array(256 * longs);
  const positionsOfSet = Map.groupBy(sets.keys(), (position) => sets[position]);
  for (const [set, positions] of positionsOfSet) {
    const mask = maskOf(positions);
    set?.forEach((isIn, byte) => {
      if (isIn)
        for (const [long, bits] of mask)
          accept[byte * longs + long] = (accept[byte * longs + long] as bigint) | bits;
    });
  }
  const groups = Map.groupBy(finals, (final) => final.look);
  const ends = Array.from(groups, ([look, group]) => ({
    look,
    mask: maskOf(group.map((final) => final.position)),
  }));
  return {
    ...ops,
    longs,
    hasLooks: [...links, ...finals].some(({ look }) => look !== 0),
    accept,
    endsHere: ends.filter((final) => (final.look & LOOKS_AHEAD) === 0),
    endsAhead: ends.filter((final) => (final.look & LOOKS_AHEAD) !== 0),
  };
}
