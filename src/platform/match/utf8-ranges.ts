// Splits a range of characters into sequences of byte ranges, as RE2 and Rust's utf8-ranges do: a range is cut
// where the length of the encoding changes, and where the trailing bytes would not run from 0x80 to 0xbf.

export type ByteRange = readonly [low: number, high: number];

const LAST_OF_LENGTH = [0x7f, 0x7ff, 0xffff, 0x10ffff] as const;
const SURROGATES = { first: 0xd800, last: 0xdfff } as const;

/** The byte sequences of all characters from `low` to `high`, surrogates left out. */
export function utf8Sequences(low: number, high: number): readonly (readonly ByteRange[])[] {
  if (low > high) return [];
  if (low <= SURROGATES.last && high >= SURROGATES.first) {
    return [...utf8Sequences(low, SURROGATES.first - 1), ...utf8Sequences(SURROGATES.last + 1, high)];
  }
  for (const last of LAST_OF_LENGTH) {
    if (low <= last && last < high) return [...utf8Sequences(low, last), ...utf8Sequences(last + 1, high)];
  }
  const length = LAST_OF_LENGTH.findIndex((last) => high <= last) + 1;
  for (let trailing = 1; trailing < length; trailing++) {
    const block = 1 << (6 * trailing);
    const sameBlock = Math.floor(low / block) === Math.floor(high / block);
    if (sameBlock) break;
    const lowStart = Math.ceil(low / block) * block;
    if (lowStart !== low) return [...utf8Sequences(low, lowStart - 1), ...utf8Sequences(lowStart, high)];
    const highStart = Math.floor((high + 1) / block) * block;
    if (highStart !== high + 1)
      return [...utf8Sequences(low, highStart - 1), ...utf8Sequences(highStart, high)];
  }
  const from = encode(low, length);
  const to = encode(high, length);
  return [from.map((byte, i) => [byte, to[i] as number] as const)];
}

function encode(code: number, length: number): number[] {
  if (length === 1) return [code];
  const bytes: number[] = [];
  for (let trailing = length - 1; trailing > 0; trailing--)
    bytes.push(0x80 | ((code >> (6 * (trailing - 1))) & 0x3f));
  return [((0xf0 << (4 - length)) & 0xff) | (code >> (6 * (length - 1))), ...bytes];
}
