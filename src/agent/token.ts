// Fencing tokens as the wire has them, `generation.number`. Pure.
import { compareTokens as compare, parseToken } from '../domain/records.ts';

/** Below zero where `a` is the older one. The texts were checked when they came (server-message.ts). */
export function compareTokens(a: string, b: string): number {
  return compare(parseToken(a), parseToken(b));
}

/** Lower than any token that is drawn. */
export const lowestToken = '0.0';
