// Several patterns over one byte stream, chunk by chunk: which one ends first? The answer does not depend on how
// the bytes are cut into chunks.

import { strict as assert } from 'node:assert';
import type { CompiledPattern } from './compile.ts';
import { PatternScan } from './pattern-scan.ts';

export interface StreamMatch {
  /** Which pattern, by its place in the list. */
  readonly index: number;
  /** One past the last byte of the match, counted from the first byte ever fed. */
  readonly endOffset: number;
}

/** Patterns take turns in blocks of this size, so that none runs far past a match of another. */
const BLOCK_BYTES = 1 << 16;

/**
 * Finds the match that ends first; of several that end at the same byte, the pattern earlier in the list wins.
 *
 * An end is told as soon as it is certain. Most are certain with their last byte; \b, \B and (?m)$ need to see
 * the byte after it, $ and \z the end of the input. If such a pattern is earlier in the list and may yet end at the
 * very byte where a later one did, the answer waits for that next byte, or for finish().
 */
export class StreamMatcher {
  readonly #scans: readonly PatternScan[];
  /** Bytes fed so far. */
  #offset = 0;
  /** A match at `#offset` that an earlier pattern may still take over. */
  #held: StreamMatch | undefined;
  #isDone = false;

  /** Patterns in order of precedence. */
  constructor(patterns: readonly CompiledPattern[]) {
    this.#scans = patterns.map((pattern) => new PatternScan(pattern.program));
    const index = this.#scans.findIndex((scan) => scan.endsHere);
    if (index >= 0) this.#held = { index, endOffset: 0 };
  }

  /** Bytes of memory held for each pattern, in order. */
  get stateBytes(): readonly number[] {
    return this.#scans.map((scan) => scan.bytes);
  }

  /** Takes the next bytes. Must not be called again after it returned a match, nor after finish(). */
  feed(chunk: Uint8Array): StreamMatch | undefined {
    assert(!this.#isDone, 'a matcher is fed after its match or its end');
    if (this.#held !== undefined && !this.#mayBeTakenOver(this.#held)) return this.#finishWith(this.#held);
    for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
      const match = this.#feedBlock(chunk, from, Math.min(from + BLOCK_BYTES, chunk.length));
      if (match !== undefined) return this.#finishWith(match);
    }
    return undefined;
  }

  /** The end of the input: what $, \z, \b and (?m)$ waited for. */
  finish(): StreamMatch | undefined {
    assert(!this.#isDone, 'a matcher is finished after its match or its end');
    const candidates = this.#held === undefined ? this.#scans : this.#scans.slice(0, this.#held.index);
    const index = candidates.findIndex((scan) => scan.endsAtEnd);
    this.#isDone = true;
    return index >= 0 ? { index, endOffset: this.#offset } : this.#held;
  }

  #feedBlock(chunk: Uint8Array, from: number, to: number): StreamMatch | undefined {
    if (this.#held !== undefined) return this.#settle(this.#held, chunk, from);
    // An end counts from the chunk's start here. A later pattern must end before the best so far.
    let best: { index: number; end: number } | undefined;
    for (let index = 0; index < this.#scans.length; index++) {
      const end = (this.#scans[index] as PatternScan).scan(chunk, from, best?.end ?? to);
      if (end >= 0 && (best === undefined || end < best.end)) best = { index, end };
    }
    const before = this.#offset;
    this.#offset += to - from;
    if (best === undefined) return undefined;
    const match = { index: best.index, endOffset: before + best.end - from };
    if (best.end < to || !this.#mayBeTakenOver(match)) return match;
    this.#held = match;
    return undefined;
  }

  /** With the byte after it, a held match is certain. */
  #settle(held: StreamMatch, chunk: Uint8Array, from: number): StreamMatch {
    const earlier = this.#scans.slice(0, held.index);
    const index = earlier.findIndex((scan) => scan.scan(chunk, from, from + 1) === from);
    return index >= 0 ? { index, endOffset: held.endOffset } : held;
  }

  #mayBeTakenOver(held: StreamMatch): boolean {
    return this.#scans.slice(0, held.index).some((scan) => scan.mayEndHere);
  }

  #finishWith(match: StreamMatch): StreamMatch {
    this.#isDone = true;
    return match;
  }
}
