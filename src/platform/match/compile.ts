// Turns the text of a pattern into what the matcher runs, or says why not and where.

import type { Expression } from './expression.ts';
import { parse } from './parse.ts';
import { PatternRefused } from './pattern-reader.ts';
import { positionsOf } from './positions.ts';
import { type Program, programOf } from './program.ts';

export interface CompiledPattern {
  readonly source: string;
  readonly program: Program;
}

export type CompileResult =
  | { readonly ok: true; readonly pattern: CompiledPattern }
  /** column: 1-based, in characters of the source. message: what is refused, and what to write instead. */
  | { readonly ok: false; readonly column: number; readonly message: string };

/**
 * Compiles RE2 syntax, with `.` matching every byte. A pattern that matches the empty text is allowed and, as
 * in any regular expression, matches before the first byte: `x*` is complete at offset 0.
 */
export function compilePattern(source: string): CompileResult {
  try {
    const { expression, heaviestColumn } = parse(source);
    const program = programWithin(expression);
    if (program !== undefined) return { ok: true, pattern: { source, program } };
    return { ok: false, column: heaviestColumn, message: TOO_DEAR };
  } catch (error) {
    if (error instanceof PatternRefused) return { ok: false, column: error.column, message: error.message };
    throw error;
  }
}

const TOO_DEAR =
  'the pattern has too many ways to go on at each byte to be quick; use smaller counts, and fewer alternatives and optional parts inside a repeat';

function programWithin(expression: Expression): Program | undefined {
  const positions = positionsOf(expression);
  return positions === undefined ? undefined : programOf(positions);
}
