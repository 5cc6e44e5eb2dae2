// A hundred megabytes of console: the right answer, and memory within its bound. How fast is told by bench/match.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamMatcher } from '../../src/platform/match/stream-matcher.ts';
import { compiled, latin1 } from './match-oracle.ts';

const chunkBytes = 1 << 16;
const consoleBytes = 100 << 20;
const stateBytesMax = 1 << 20;

/** Made to blow up an engine that goes back, or one that makes a state of every set of positions. */
const hostile = [
  '(a|b)*a(a|b){20}c',
  '(a+a+)+y',
  '(a?){50}a{50}z',
  'A.{500}\\x00',
  '(.*)(.*)(.*)(.*)\\x00',
  '[ab]*a[ab]{900}c',
];

/** Lines of boot, and the letters that the hostile patterns wait for, in no order. */
function consoleChunk(): Buffer {
  let seed = 7;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const words = [
    '[    0.000000] ',
    'Booting kernel\r\n',
    'login',
    'A',
    'AAA',
    '\xff\x80',
    'B',
    '\r\n',
    'a',
    'b',
    'aab',
    'baa',
  ];
  const chunk = Buffer.alloc(chunkBytes);
  for (let at = 0; at < chunkBytes; ) at += chunk.write(words[next(words.length)] ?? '', at, 'latin1') || 1;
  return chunk;
}

function feedConsole(sources: readonly string[], lastBytes: string): ReturnType<StreamMatcher['feed']> {
  const matcher = new StreamMatcher(sources.map(compiled));
  const chunk = consoleChunk();
  for (let fed = 0; fed < consoleBytes; fed += chunkBytes) {
    const match = matcher.feed(chunk);
    if (match !== undefined) return match;
  }
  for (const bytes of matcher.stateBytes) assert.ok(bytes <= stateBytesMax, `${bytes} bytes`);
  return matcher.feed(latin1(lastBytes));
}

test('an end text and an error text come out right after 100 MB', () => {
  const sources = ['(?i)kernel panic|oops:|BUG:', 'All is well in the universe'];
  const lastBytes = 'All is well in the universe';
  const expected = { index: 1, endOffset: consoleBytes + lastBytes.length };
  assert.deepEqual(feedConsole(sources, lastBytes), expected);
});

test('A.*B.*C spans 100 MB', () => {
  assert.deepEqual(feedConsole(['booted', 'Booting.*login.*\\x00'], '\0'), {
    index: 1,
    endOffset: consoleBytes + 1,
  });
});

test('hostile patterns come through 100 MB with the right answer', () => {
  const lastBytes = `${'\n'.repeat(1000)}${'a'.repeat(21)}bc`;
  assert.deepEqual(feedConsole(hostile, lastBytes), { index: 0, endOffset: consoleBytes + lastBytes.length });
});
