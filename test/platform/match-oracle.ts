// What the matcher must answer, found in another way: the regular expressions of JavaScript, one character a
// byte. A look-behind that holds at e means that some match ends at e, with everything around it in view, so the
// first place where it holds is the earliest end. Exponential for some patterns: for short texts only.

import { type CompiledPattern, compilePattern } from '../../src/platform/match/compile.ts';
import { type StreamMatch, StreamMatcher } from '../../src/platform/match/stream-matcher.ts';

/** The same pattern in both dialects. In V8 13.6 (?i:ba|[A-Z]) misses 'a', so both cases are written out. */
export interface Twin {
  readonly re2: string;
  readonly js: string;
  readonly jsAnyCase: string;
}

export function compiled(source: string): CompiledPattern {
  const result = compilePattern(source);
  if (!result.ok) throw new Error(`${source}, column ${result.column}: ${result.message}`);
  return result.pattern;
}

/** The earliest end over all patterns; of equal ones the first pattern's. */
export function expectedMatch(patterns: readonly string[], text: string): StreamMatch | undefined {
  let best: StreamMatch | undefined;
  patterns.forEach((js, index) => {
    const endOffset = new RegExp(`(?<=${js})`, 's').exec(text)?.index;
    if (endOffset === undefined || (best !== undefined && best.endOffset <= endOffset)) return;
    best = { index, endOffset };
  });
  return best;
}

/** Feeds the text, cut at the given places, and then its end. */
export function matchInPieces(
  patterns: readonly CompiledPattern[],
  bytes: Uint8Array,
  cuts: readonly number[],
): StreamMatch | undefined {
  const matcher = new StreamMatcher(patterns);
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const match = matcher.feed(bytes.subarray(from, to));
    if (match !== undefined) return match;
    from = to;
  }
  return matcher.finish();
}

export function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Where the first match ends, the text fed whole and ended. */
export function endIn(source: string, text: string | Buffer): number | undefined {
  const bytes = typeof text === 'string' ? latin1(text) : text;
  return matchInPieces([compiled(source)], bytes, [])?.endOffset;
}
