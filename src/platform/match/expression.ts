// The parsed form of a pattern. Everything about characters is already turned into bytes; captures, names
// and laziness are gone, because only the earliest end of a match counts here.

import { type ByteSet, union } from './byte-set.ts';

/** `steps` counts the bytes that it spells out with all repeats written out: its size in the automaton. */
export type Expression =
  | { readonly kind: 'bytes'; readonly set: ByteSet; readonly steps: number }
  | { readonly kind: 'look'; readonly look: number; readonly steps: number }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[]; readonly steps: number }
  | { readonly kind: 'choice'; readonly parts: readonly Expression[]; readonly steps: number }
  /** max is Infinity for no upper bound. */
  | {
      readonly kind: 'repeat';
      readonly body: Expression;
      readonly min: number;
      readonly max: number;
      readonly steps: number;
    };

export const EMPTY: Expression = { kind: 'sequence', parts: [], steps: 0 };

export function oneByte(set: ByteSet): Expression {
  return { kind: 'bytes', set, steps: 1 };
}

export function lookAt(look: number): Expression {
  return { kind: 'look', look, steps: 0 };
}

export function sequence(parts: readonly Expression[]): Expression {
  const [only, second] = parts;
  if (only !== undefined && second === undefined) return only;
  return { kind: 'sequence', parts, steps: stepsOf(parts) };
}

/** Alternatives of one byte each become one set: `a|b` is `[ab]`, a step less for each. */
export function choice(parts: readonly Expression[]): Expression {
  const sets = parts.flatMap((part) => (part.kind === 'bytes' ? [part.set] : []));
  const others = parts.filter((part) => part.kind !== 'bytes');
  const merged = sets.length === 0 ? others : [oneByte(union(...sets)), ...others];
  const [only, second] = merged;
  if (only !== undefined && second === undefined) return only;
  return { kind: 'choice', parts: merged, steps: stepsOf(merged) };
}

/** max is Infinity for no upper bound. */
export function repeat(body: Expression, min: number, max: number): Expression {
  if (max === 0 || (min === 0 && body.steps === 0)) return EMPTY;
  if (body.steps === 0 || (min === 1 && max === 1)) return body;
  if (body.kind === 'repeat' && areOneRange(body, min, max)) {
    return repeat(body.body, body.min * min, body.max * max);
  }
  const copies = max === Number.POSITIVE_INFINITY ? Math.max(min, 1) : max;
  return { kind: 'repeat', body, min, max, steps: body.steps * copies };
}

/** Whether (x{a,b}){min,max} is x{a*min,b*max}: no count in between may be left out, as in (x{3}){1,2}. */
function areOneRange(inner: { min: number; max: number }, min: number, max: number): boolean {
  return min === max || inner.min <= 1 || inner.min * (min + 1) <= inner.max * min + 1;
}

function stepsOf(parts: readonly Expression[]): number {
  return parts.reduce((sum, part) => sum + part.steps, 0);
}
