// What follows a backslash, for both places where one may stand: the expression itself, and brackets.

import { ANY_BYTE, type ByteSet, complement, DIGITS, WHITE_SPACE, WORD_BYTES } from './byte-set.ts';
import type { Written } from './character-set.ts';
import { NOT_WORD_BOUNDARY, TEXT_END, TEXT_START, WORD_BOUNDARY } from './look.ts';
import type { PatternReader } from './pattern-reader.ts';

export type Escape =
  | { readonly kind: 'written'; readonly written: Written }
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'look'; readonly look: number };

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['f', 0x0c],
  ['t', 0x09],
  ['n', 0x0a],
  ['r', 0x0d],
  ['v', 0x0b],
]);

const SETS: ReadonlyMap<string, ByteSet> = new Map([
  ['d', DIGITS],
  ['D', complement(DIGITS)],
  ['s', WHITE_SPACE],
  ['S', complement(WHITE_SPACE)],
  ['w', WORD_BYTES],
  ['W', complement(WORD_BYTES)],
]);

const LOOKS: ReadonlyMap<string, number> = new Map([
  ['A', TEXT_START],
  ['z', TEXT_END],
  ['b', WORD_BOUNDARY],
  ['B', NOT_WORD_BOUNDARY],
]);

/** Escapes that other dialects have, and what to write here. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['Z', 'write \\z for the end of the text, or (?m)$ for the end of a line'],
  ['G', 'write \\A for the start of the text'],
  ['K', 'leave it out: only where a match ends counts'],
  ['R', 'write \\r?\\n'],
  ['X', 'write the characters themselves'],
  ['N', 'write [^\\n]'],
  ['h', 'write [ \\t]'],
  ['H', 'write [^ \\t]'],
  ['V', 'write [^\\n\\v\\f\\r]'],
  ['e', 'write \\x1b'],
  ['c', 'write the control character as \\x01 to \\x1f'],
  ['u', 'write the character as \\x{20ac}'],
  ['U', 'write the character as \\x{20ac}'],
  ['p', 'Unicode properties are not known here; write the ranges, such as [а-яА-Я]'],
  ['P', 'Unicode properties are not known here; write the bytes that may stand there'],
  ['g', 'references to groups are not known here; write the text itself again'],
  ['k', 'references to groups are not known here; write the text itself again'],
  ['E', 'there is no \\Q before it'],
]);

/** Reads an escape; the reader stands at the backslash. */
export function parseEscape(reader: PatternReader, inBrackets: boolean): Escape {
  const start = reader.at;
  reader.take();
  if (reader.isDone)
    throw reader.refusal('a backslash ends the pattern; write \\\\ for a backslash itself', start);
  const letter = reader.take();
  const control = CONTROLS.get(letter);
  if (control !== undefined) return written(control);
  const set = SETS.get(letter);
  if (set !== undefined) return { kind: 'set', set };
  const look = LOOKS.get(letter);
  if (look !== undefined && !inBrackets) return { kind: 'look', look };
  if (letter === 'C' && !inBrackets) return { kind: 'set', set: ANY_BYTE };
  if (letter === 'x') return hexadecimal(reader, start);
  if (/[0-7]/.test(letter)) return octal(reader, letter, start);
  const hint = inBrackets && letter === 'b' ? 'write \\x08 for a backspace' : ELSEWHERE.get(letter);
  if (hint !== undefined) throw reader.refusal(`\\${letter} is not known here: ${hint}`, start);
  if (/[0-9]/.test(letter)) throw backreference(reader, letter, start);
  if (letter < '\x80' && /[^A-Za-z0-9]/.test(letter)) return written(letter.charCodeAt(0));
  throw reader.refusal(`\\${letter} is not known here; write ${letter} for the character itself`, start);
}

function written(code: number, isByte = false): Escape {
  return { kind: 'written', written: { code, isByte } };
}

/** \x41 names a byte, \x{20ac} a character: from 80 up the two differ. */
function hexadecimal(reader: PatternReader, start: number): Escape {
  if (reader.eat('{')) {
    const digits = reader.takeWhile(/[0-9A-Fa-f]/);
    const code = Number.parseInt(digits, 16);
    if (digits === '' || !reader.eat('}')) {
      throw reader.refusal('\\x{ takes hexadecimal digits and then }, as in \\x{20ac}', start);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
      throw reader.refusal(`\\x{${digits}} is no character; the last one is \\x{10ffff}`, start);
    }
    return written(code);
  }
  const digits = reader.takeWhile(/[0-9A-Fa-f]/, 2);
  if (digits.length < 2) throw reader.refusal('\\x takes exactly two hexadecimal digits, as in \\x0a', start);
  const code = Number.parseInt(digits, 16);
  return written(code, code >= 0x80);
}

/** \0, \012, \377: three digits at most. A single digit other than 0 would be a backreference. */
function octal(reader: PatternReader, first: string, start: number): Escape {
  const digits = first + reader.takeWhile(/[0-7]/, 2);
  if (digits.length === 1 && first !== '0') throw backreference(reader, first, start);
  const code = Number.parseInt(digits, 8);
  if (code > 0xff) throw reader.refusal(`\\${digits} is no byte; write \\x{${code.toString(16)}}`, start);
  return written(code, code >= 0x80);
}

function backreference(reader: PatternReader, digit: string, start: number): Error {
  return reader.refusal(
    `\\${digit} is a backreference, which cannot be matched in linear time; write the text itself again, or \\x0${digit} for the byte`,
    start,
  );
}
