// Reads RE2 syntax (https://github.com/google/re2/wiki/Syntax) into an expression over bytes. What differs is
// listed in docs/decisions/end-texts.md: `.` always matches newline, and what cannot be done is refused.

import { ANY_BYTE } from './byte-set.ts';
import { addOtherCases, addRange, emptySet, toExpression, type Written } from './character-set.ts';
import { choice, type Expression, lookAt, oneByte, repeat, sequence } from './expression.ts';
import { DEPTH_MAX, REPEAT_MAX, STEPS_MAX } from './limits.ts';
import { LINE_END, LINE_START, TEXT_END, TEXT_START } from './look.ts';
import { parseBrackets } from './parse-brackets.ts';
import { parseEscape } from './parse-escape.ts';
import { type Flags, groupOpening } from './parse-group.ts';
import { PatternReader } from './pattern-reader.ts';

export interface Parsed {
  readonly expression: Expression;
  /** The column of the repeat that spells out most, or 1: where to point when the whole is too much. */
  readonly heaviestColumn: number;
}

/** What the functions below share. */
interface Parsing {
  readonly reader: PatternReader;
  readonly names: Set<string>;
  heaviest: { at: number; steps: number };
}

/** Throws PatternRefused. */
export function parse(source: string): Parsed {
  const reader = new PatternReader(source);
  const parsing: Parsing = { reader, names: new Set(), heaviest: { at: 0, steps: 0 } };
  const expression = parseChoice(parsing, { ignoreCase: false, multiLine: false }, 0);
  if (!reader.isDone) throw reader.refusal('this ) closes nothing; write \\) for a parenthesis itself');
  return { expression, heaviestColumn: parsing.heaviest.at + 1 };
}

/** Alternatives up to the closing parenthesis or the end. Flags set inside last until there. */
function parseChoice(parsing: Parsing, flags: Flags, depth: number): Expression {
  const { reader } = parsing;
  const parts: Expression[] = [];
  let steps = 0;
  do {
    const start = reader.at;
    const part = parseSequence(parsing, flags, depth);
    steps += part.steps;
    if (steps > STEPS_MAX) throw tooLarge(reader, steps, start);
    parts.push(part);
  } while (reader.eat('|'));
  return choice(parts);
}

function parseSequence(parsing: Parsing, flags: Flags, depth: number): Expression {
  const { reader } = parsing;
  const parts: Expression[] = [];
  let steps = 0;
  let isRepeated = false;
  while (!reader.isDone && reader.peek() !== '|' && reader.peek() !== ')') {
    const start = reader.at;
    const bounds = parseRepeat(reader);
    if (bounds !== undefined) {
      const operator = reader.since(start);
      const body = parts.pop();
      if (body === undefined) throw nothingToRepeat(reader, operator, start);
      if (isRepeated) throw repeatedTwice(reader, operator, start);
      const repeated = repeat(body, bounds.min, bounds.max);
      parts.push(repeated);
      steps += repeated.steps - body.steps;
      if (repeated.steps > parsing.heaviest.steps) parsing.heaviest = { at: start, steps: repeated.steps };
      isRepeated = true;
    } else {
      for (const part of parseItem(parsing, flags, depth)) {
        parts.push(part);
        steps += part.steps;
      }
      isRepeated = false;
    }
    if (steps > STEPS_MAX) throw tooLarge(reader, steps, start);
  }
  return sequence(parts);
}

function nothingToRepeat(reader: PatternReader, operator: string, at: number): Error {
  return reader.refusal(
    `${operator} has nothing before it to repeat; write \\${operator} for the characters themselves`,
    at,
  );
}

function tooLarge(reader: PatternReader, steps: number, at: number): Error {
  return reader.refusal(
    `with the repeats written out the pattern spells out ${steps} bytes up to here, of at most ${STEPS_MAX}; use smaller counts, or * in their place`,
    at,
  );
}

function repeatedTwice(reader: PatternReader, operator: string, at: number): Error {
  if (operator === '+') {
    return reader.refusal(
      'there are no possessive repeats, nor a need for them: nothing backtracks here; leave out this +',
      at,
    );
  }
  return reader.refusal(`${operator} repeats a repeat; put the first one in (?:…)`, at);
}

/** Reads *, +, ?, {n}, {n,}, {n,m} and the ? of laziness after it, which changes nothing about the earliest end. */
function parseRepeat(reader: PatternReader): { min: number; max: number } | undefined {
  const bounds = reader.peek() === '{' ? parseCounts(reader) : parseSign(reader);
  if (bounds !== undefined) reader.eat('?');
  return bounds;
}

function parseSign(reader: PatternReader): { min: number; max: number } | undefined {
  if (reader.eat('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
  if (reader.eat('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
  if (reader.eat('?')) return { min: 0, max: 1 };
  return undefined;
}

/** A brace that begins no count is a brace, as in RE2. */
function parseCounts(reader: PatternReader): { min: number; max: number } | undefined {
  const start = reader.at;
  reader.eat('{');
  const low = reader.takeWhile(/[0-9]/);
  const hasComma = reader.eat(',');
  const high = hasComma ? reader.takeWhile(/[0-9]/) : low;
  if (low === '' || !reader.eat('}')) {
    reader.at = start;
    return undefined;
  }
  const min = Number(low);
  const max = hasComma && high === '' ? Number.POSITIVE_INFINITY : Number(high);
  if (min > REPEAT_MAX || (max > REPEAT_MAX && max !== Number.POSITIVE_INFINITY)) {
    throw reader.refusal(`a repeat count is at most ${REPEAT_MAX}; use {n,} or * where more may come`, start);
  }
  if (min > max) throw reader.refusal(`{${low},${high}} runs backwards; write the lower count first`, start);
  return { min, max };
}

/** One item without its repeat. Flags alone give none, \Q…\E one for each character. */
function parseItem(parsing: Parsing, flags: Flags, depth: number): Expression[] {
  const { reader } = parsing;
  const character = reader.peek();
  if (character === '(') return parseGroup(parsing, flags, depth);
  if (character === '[') return [parseBrackets(reader, flags.ignoreCase)];
  if (reader.eat('.')) return [oneByte(ANY_BYTE)];
  if (reader.eat('^')) return [lookAt(flags.multiLine ? LINE_START : TEXT_START)];
  if (reader.eat('$')) return [lookAt(flags.multiLine ? LINE_END : TEXT_END)];
  if (reader.eat('\\Q')) return parseQuoted(reader, flags);
  if (character !== '\\') return [literal(take(reader), flags)];
  const escaped = parseEscape(reader, false);
  if (escaped.kind === 'look') return [lookAt(escaped.look)];
  return [escaped.kind === 'set' ? oneByte(escaped.set) : literal(escaped.written, flags)];
}

function parseGroup(parsing: Parsing, flags: Flags, depth: number): Expression[] {
  const { reader } = parsing;
  const start = reader.at;
  if (depth >= DEPTH_MAX) throw reader.refusal(`groups are nested more than ${DEPTH_MAX} deep`, start);
  const inner = groupOpening(reader, flags, parsing.names);
  if (inner === undefined) return [];
  const body = parseChoice(parsing, inner, depth + 1);
  if (!reader.eat(')')) throw reader.refusal('this ( is never closed; write \\( for one itself', start);
  return [body];
}

function parseQuoted(reader: PatternReader, flags: Flags): Expression[] {
  const parts: Expression[] = [];
  while (!reader.isDone && !reader.eat('\\E')) parts.push(literal(take(reader), flags));
  return parts;
}

function take(reader: PatternReader): Written {
  return { code: reader.take().codePointAt(0) as number, isByte: false };
}

function literal(written: Written, flags: Flags): Expression {
  const set = emptySet();
  addRange(set, written, written);
  if (flags.ignoreCase) addOtherCases(set);
  return toExpression(set);
}
