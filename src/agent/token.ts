// Fencing tokens as the wire has them, `generation.number`. Pure.
import type { Token } from '../domain/records.ts';

/** Undefined where the text is no token. Both parts have at most 15 digits, so a double holds them exactly. */
export function parseToken(text: string): Token | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  return match === null ? undefined : { generation: Number(match[1]), number: Number(match[2]) };
}

/** Below zero where `a` is the older one. Throws a TypeError for texts that are no tokens: check them at the door. */
export function compareTokens(a: string, b: string): number {
  const first = parseToken(a);
  const second = parseToken(b);
  if (first === undefined || second === undefined) throw new TypeError(`no tokens: ${a}, ${b}`);
  return first.generation - second.generation || first.number - second.number;
}

/** Lower than any token that is drawn. */
export const lowestToken = '0.0';
