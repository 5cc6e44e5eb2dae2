// Bracket expressions: [a-z], [^\n], [[:alpha:]_].

import { complement, POSIX_CLASSES, union } from './byte-set.ts';
import {
  addOtherCases,
  addRange,
  type CharacterSet,
  emptySet,
  toExpression,
  type Written,
} from './character-set.ts';
import type { Expression } from './expression.ts';
import { parseEscape } from './parse-escape.ts';
import type { PatternReader } from './pattern-reader.ts';

/** Reads a bracket expression; the reader stands at the opening bracket. */
export function parseBrackets(reader: PatternReader, ignoreCase: boolean): Expression {
  const start = reader.at;
  reader.eat('[');
  const isNegated = reader.eat('^');
  const set = emptySet();
  // A closing bracket that comes first stands for itself.
  for (let isFirst = true; isFirst || reader.peek() !== ']'; isFirst = false) {
    if (reader.isDone) throw reader.refusal('this [ is never closed; write \\[ for a bracket itself', start);
    addItem(reader, set);
  }
  reader.eat(']');
  if (ignoreCase) addOtherCases(set);
  if (!isNegated) return toExpression(set);
  // The console is bytes: 'any character but é' has no meaning where bytes need not form characters.
  if (set.ranges.length > 0) {
    throw reader.refusal(
      'a negated class can only leave out ASCII characters and bytes (\\x80 to \\xff), because the console is bytes; write what may stand there instead',
      start,
    );
  }
  return toExpression({ bytes: complement(set.bytes), ranges: [] });
}

function addItem(reader: PatternReader, set: CharacterSet): void {
  if (reader.peek() === '[' && reader.peek(1) === ':' && addPosixClass(reader, set)) return;
  const start = reader.at;
  const low = endOfRange(reader, set);
  if (low === undefined) return;
  const isRange = reader.peek() === '-' && reader.peek(1) !== ']' && reader.peek(1) !== '';
  if (!isRange) {
    addRange(set, low, low);
    return;
  }
  reader.eat('-');
  const high = reader.peek() === '[' && reader.peek(1) === ':' ? undefined : endOfRange(reader, set);
  if (high === undefined) {
    throw reader.refusal(
      'a range needs a single character at both ends; put - first or last for the character itself',
      start,
    );
  }
  if (low.code > high.code) {
    throw reader.refusal(`the range ${reader.since(start)} runs backwards; write the lower end first`, start);
  }
  if ((low.isByte && !high.isByte) || (high.isByte && low.code >= 0x80 && !low.isByte)) {
    throw reader.refusal(
      `the range ${reader.since(start)} runs from a byte to a character; write bytes as \\x80, characters as \\x{80}`,
      start,
    );
  }
  addRange(set, low, high);
}

/** Reads one character and returns it; or adds \d and its like to the set, and returns nothing. */
function endOfRange(reader: PatternReader, set: CharacterSet): Written | undefined {
  if (reader.peek() !== '\\') return { code: reader.take().codePointAt(0) as number, isByte: false };
  const escaped = parseEscape(reader, true);
  if (escaped.kind === 'written') return escaped.written;
  if (escaped.kind === 'set') set.bytes = union(set.bytes, escaped.set);
  return undefined;
}

/** Reads [:name:] or [:^name:]; false, and nothing read, if there is no :] further on. */
function addPosixClass(reader: PatternReader, set: CharacterSet): boolean {
  const start = reader.at;
  reader.eat('[:');
  const isNegated = reader.eat('^');
  const name = reader.takeUntil(':]');
  if (name === undefined) {
    reader.at = start;
    return false;
  }
  const bytes = POSIX_CLASSES.get(name);
  if (bytes === undefined) {
    const known = [...POSIX_CLASSES.keys()].join(', ');
    throw reader.refusal(`${reader.since(start)} is not known; between [: and :] may stand ${known}`, start);
  }
  set.bytes = union(set.bytes, isNegated ? complement(bytes) : bytes);
  return true;
}
