// Sets of bytes, as the leaves of an expression. Made while a pattern is compiled, never while matching.

/** 256 flags, one a byte: 1 if the byte is in the set. Treated as read-only once made. */
export type ByteSet = Uint8Array;

/** Every byte, newline and bytes that are no UTF-8 included: what `.` matches. */
export const ANY_BYTE: ByteSet = new Uint8Array(256).fill(1);

/** The bytes of the given ranges, both ends included. */
export function byteRanges(...ranges: readonly (readonly [low: number, high: number])[]): ByteSet {
  const set = new Uint8Array(256);
  for (const [low, high] of ranges) set.fill(1, low, high + 1);
  return set;
}

/** The bytes whose Latin-1 characters stand in `text`. */
export function bytesOf(text: string): ByteSet {
  const set = new Uint8Array(256);
  for (const character of text) set[character.charCodeAt(0)] = 1;
  return set;
}

export function union(...sets: readonly ByteSet[]): ByteSet {
  return new Uint8Array(256).map((_, byte) => (sets.some((set) => set[byte] === 1) ? 1 : 0));
}

/** All bytes that are not in `set`, those from 0x80 up included. */
export function complement(set: ByteSet): ByteSet {
  return set.map((flag) => 1 - flag);
}

/** Adds the other case of every ASCII letter. Bytes from 0x80 up have no case: they may be half a character. */
export function foldAscii(set: ByteSet): ByteSet {
  const folded = set.slice();
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    const lower = upper + 0x20;
    if (set[upper] === 1 || set[lower] === 1) {
      folded[upper] = 1;
      folded[lower] = 1;
    }
  }
  return folded;
}

export const DIGITS: ByteSet = byteRanges([0x30, 0x39]);
export const WORD_BYTES: ByteSet = union(DIGITS, byteRanges([0x41, 0x5a], [0x61, 0x7a]), bytesOf('_'));
/** Perl's \s as RE2 has it: no vertical tab. */
export const WHITE_SPACE: ByteSet = bytesOf('\t\n\f\r ');

/** What stands between `[:` and `:]`. ASCII only, as in RE2. */
export const POSIX_CLASSES: ReadonlyMap<string, ByteSet> = new Map([
  ['alnum', byteRanges([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a])],
  ['alpha', byteRanges([0x41, 0x5a], [0x61, 0x7a])],
  ['ascii', byteRanges([0x00, 0x7f])],
  ['blank', bytesOf('\t ')],
  ['cntrl', byteRanges([0x00, 0x1f], [0x7f, 0x7f])],
  ['digit', DIGITS],
  ['graph', byteRanges([0x21, 0x7e])],
  ['lower', byteRanges([0x61, 0x7a])],
  ['print', byteRanges([0x20, 0x7e])],
  ['punct', byteRanges([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e])],
  ['space', bytesOf('\t\n\v\f\r ')],
  ['upper', byteRanges([0x41, 0x5a])],
  ['word', WORD_BYTES],
  ['xdigit', byteRanges([0x30, 0x39], [0x41, 0x46], [0x61, 0x66])],
]);
