// What may stand between ( and the body of a group: nothing, ?:, a name, flags.

import type { PatternReader } from './pattern-reader.ts';

export interface Flags {
  ignoreCase: boolean;
  multiLine: boolean;
}

const NOT_LINEAR = 'which cannot be matched in linear time';

/** Beginnings that other dialects have; the longest first. */
const ELSEWHERE: readonly (readonly [opening: string, what: string])[] = [
  ['(?<=', `a look behind, ${NOT_LINEAR}; write the text itself before the rest`],
  ['(?<!', `a negative look behind, ${NOT_LINEAR}; write what may stand before the rest, or \\b`],
  ['(?=', `a look ahead, ${NOT_LINEAR}; write the text itself after the rest`],
  ['(?!', `a negative look ahead, ${NOT_LINEAR}; write what may follow, as in [^x]`],
  ['(?>', 'an atomic group, for which there is no need: nothing backtracks here; write (?:'],
  ['(?|', 'a branch reset, for which there is no need: groups have no numbers here; write (?:'],
  ['(?#', 'a comment, which is not known here; leave it out'],
  ['(?P=', `a backreference, ${NOT_LINEAR}; write the text itself again`],
  ['(?P>', `a call of a group, ${NOT_LINEAR}; write the text itself again`],
  ['(?&', `a call of a group, ${NOT_LINEAR}; write the text itself again`],
  ['(?R', `a recursion, ${NOT_LINEAR}; write out the depth that is needed`],
  ['(?(', `a condition, ${NOT_LINEAR}; write both cases with |`],
  ['(*', 'a verb or a repeat with nothing before it; write \\(\\* for the characters themselves'],
];

/**
 * Reads the opening of a group and returns the flags inside; the reader stands at the parenthesis.
 * For flags alone, as in (?i), it reads the whole, changes `flags` itself and returns nothing.
 */
export function groupOpening(reader: PatternReader, flags: Flags, names: Set<string>): Flags | undefined {
  const start = reader.at;
  for (const [opening, what] of ELSEWHERE) {
    if (reader.eat(opening)) throw reader.refusal(`${opening} begins ${what}`, start);
  }
  reader.eat('(');
  if (reader.peek() !== '?') return { ...flags };
  if (reader.eat('?P<') || reader.eat('?<')) {
    readName(reader, names, start);
    return { ...flags };
  }
  reader.eat('?');
  const changed = { ...flags };
  readFlags(reader, changed, start);
  if (reader.eat(':')) return changed;
  if (!reader.eat(')')) throw unknownOpening(reader, start);
  Object.assign(flags, changed);
  return undefined;
}

function readName(reader: PatternReader, names: Set<string>, start: number): void {
  const name = reader.takeWhile(/[\p{L}\p{N}_]/u);
  if (name === '' || !reader.eat('>')) {
    throw reader.refusal('a group is named with letters, digits and _, as in (?P<name>…)', start);
  }
  if (names.has(name))
    throw reader.refusal(`there is another group named ${name}; give them different names`, start);
  names.add(name);
}

/** i, m, s, U, and after a minus those to clear. s is always on, and U (laziness) changes nothing. */
function readFlags(reader: PatternReader, flags: Flags, start: number): void {
  let isSet = true;
  let count = 0;
  for (; reader.peek() !== ':' && reader.peek() !== ')'; count++) {
    const at = reader.at;
    const flag = reader.take();
    if (flag === 'i') flags.ignoreCase = isSet;
    else if (flag === 'm') flags.multiLine = isSet;
    else if (flag === 's' && !isSet)
      throw reader.refusal('. always matches a newline here; write [^\\n] where it must not', at);
    else if (flag === '-' && isSet) [isSet, count] = [false, -1];
    else if (flag !== 's' && flag !== 'U') throw unknownOpening(reader, start);
  }
  if (!isSet && count === 0) throw reader.refusal('no flag follows the minus', start);
}

function unknownOpening(reader: PatternReader, start: number): Error {
  return reader.refusal(
    `${reader.since(start)} begins no group that is known here; there are (…), (?:…), (?P<name>…) and the flags i, m, s and U, as in (?i)`,
    start,
  );
}
