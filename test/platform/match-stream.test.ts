// Matching in pieces: which pattern ends first, what happens at one and the same byte, and what must wait for more.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StreamMatcher } from '../../src/platform/match/stream-matcher.ts';
import { compiled, endIn, latin1, matchInPieces } from './match-oracle.ts';

function matcherOf(...sources: readonly string[]): StreamMatcher {
  return new StreamMatcher(sources.map(compiled));
}

describe('which match', () => {
  test('the earliest end wins, whatever the order of the patterns', () => {
    assert.deepEqual(matcherOf('login:', 'panic').feed(latin1('panic login:')), { index: 1, endOffset: 5 });
    assert.deepEqual(matcherOf('panic', 'login:').feed(latin1('panic login:')), { index: 0, endOffset: 5 });
  });

  test('the end counts, not the start: a later and shorter match goes first', () => {
    assert.deepEqual(matcherOf('a.*z', 'b').feed(latin1('a b z')), { index: 1, endOffset: 3 });
  });

  test('at the same end the pattern earlier in the list wins', () => {
    assert.deepEqual(matcherOf('error: .*done', 'done').feed(latin1('error: done')), {
      index: 0,
      endOffset: 11,
    });
    assert.deepEqual(matcherOf('done', 'error: .*done').feed(latin1('error: done')), {
      index: 0,
      endOffset: 11,
    });
  });

  test('offsets count from the first byte ever fed', () => {
    const matcher = matcherOf('done');
    assert.equal(matcher.feed(Buffer.alloc(100_000, 'x')), undefined);
    assert.equal(matcher.feed(latin1('do')), undefined);
    assert.equal(matcher.feed(new Uint8Array(0)), undefined);
    assert.deepEqual(matcher.feed(latin1('ne and more')), { index: 0, endOffset: 100_004 });
  });

  test('a match far into one large chunk', () => {
    const chunk = Buffer.alloc(300_000, 'x');
    chunk.write('done', 200_000, 'latin1');
    const matcher = matcherOf('panic', 'done');
    assert.equal(matcher.feed(latin1('xx')), undefined);
    assert.deepEqual(matcher.feed(chunk), { index: 1, endOffset: 200_006 });
  });

  test('a match across line ends: A, then B after it, then C', () => {
    const matcher = matcherOf('A.*B.*C');
    assert.equal(matcher.feed(latin1('C B A\n\n')), undefined);
    assert.equal(matcher.feed(latin1('C\r\nB')), undefined);
    assert.deepEqual(matcher.feed(latin1('\nA\nC')), { index: 0, endOffset: 15 });
  });

  test('no patterns, no match', () => {
    const matcher = matcherOf();
    assert.equal(matcher.feed(latin1('abc')), undefined);
    assert.equal(matcher.finish(), undefined);
  });
});

describe('how soon', () => {
  test('with the last byte of the match, where nothing after it is asked for', () => {
    const matcher = matcherOf('login: ');
    assert.equal(matcher.feed(latin1('login:')), undefined);
    assert.deepEqual(matcher.feed(latin1(' ')), { index: 0, endOffset: 7 });
  });

  test('with the next byte, for \\b, \\B and (?m)$; the end is before that byte', () => {
    for (const [source, text, next] of [
      ['done\\b', 'done', '!'],
      ['done\\B', 'done', 's'],
      ['(?m)done$', 'done', '\n'],
    ] as const) {
      const matcher = matcherOf(source);
      assert.equal(matcher.feed(latin1(text)), undefined, source);
      assert.deepEqual(matcher.feed(latin1(next)), { index: 0, endOffset: 4 }, source);
    }
  });

  test('not at all, if that byte is another one', () => {
    assert.equal(matcherOf('done\\b').feed(latin1('dones')), undefined);
    assert.equal(matcherOf('done\\B').feed(latin1('done!')), undefined);
    assert.equal(matcherOf('(?m)done$').feed(latin1('done\r\n')), undefined);
  });

  test('only at the end of the input for $ and \\z', () => {
    for (const source of ['done$', 'done\\z']) {
      const matcher = matcherOf(source);
      assert.equal(matcher.feed(latin1('done\ndone')), undefined);
      assert.deepEqual(matcher.finish(), { index: 0, endOffset: 9 });
      const other = matcherOf(source);
      assert.equal(other.feed(latin1('done\n')), undefined);
      assert.equal(other.finish(), undefined);
    }
  });

  test('^ is the start of the whole stream, (?m)^ the start of any line', () => {
    assert.equal(endIn('^done', 'x\ndone'), undefined);
    assert.equal(endIn('(?m)^done', 'x\ndone'), 6);
    assert.equal(endIn('(?m)^done', 'x\rdone'), undefined);
  });

  test('before the first byte, for a pattern that matches the empty text', () => {
    assert.deepEqual(matcherOf('x*').feed(new Uint8Array(0)), { index: 0, endOffset: 0 });
    assert.deepEqual(matcherOf('x*').finish(), { index: 0, endOffset: 0 });
    assert.deepEqual(matcherOf('').feed(latin1('abc')), { index: 0, endOffset: 0 });
    assert.deepEqual(matcherOf('\\B').feed(latin1('!')), { index: 0, endOffset: 0 });
    assert.deepEqual(matcherOf('\\b').feed(latin1('a')), { index: 0, endOffset: 0 });
  });
});

describe('an earlier pattern that may yet end at the same byte', () => {
  test('is waited for, and wins if the next byte says so', () => {
    const matcher = matcherOf('panic\\b', 'panic');
    assert.equal(matcher.feed(latin1('panic')), undefined);
    assert.equal(matcher.feed(new Uint8Array(0)), undefined);
    assert.deepEqual(matcher.feed(latin1(':')), { index: 0, endOffset: 5 });
  });

  test('loses if the next byte says otherwise', () => {
    const matcher = matcherOf('panic\\b', 'panic');
    assert.equal(matcher.feed(latin1('panic')), undefined);
    assert.deepEqual(matcher.feed(latin1('s')), { index: 1, endOffset: 5 });
  });

  test('wins or loses at the end of the input', () => {
    for (const [earlier, index] of [
      ['panic$', 0],
      ['panic\\B', 1],
    ] as const) {
      const matcher = matcherOf(earlier, 'panic', 'c$');
      assert.equal(matcher.feed(latin1('panic')), undefined);
      assert.deepEqual(matcher.finish(), { index, endOffset: 5 });
    }
  });

  test('is not waited for if it cannot end there any more, nor if it is later in the list', () => {
    assert.deepEqual(matcherOf('panics\\b', 'panic').feed(latin1('panic')), { index: 1, endOffset: 5 });
    assert.deepEqual(matcherOf('panic', 'panic\\b').feed(latin1('panic')), { index: 0, endOffset: 5 });
  });

  test('holds back a match of the empty text too', () => {
    const matcher = matcherOf('\\b', 'x*');
    assert.equal(matcher.feed(new Uint8Array(0)), undefined);
    assert.deepEqual(matcher.feed(latin1('!')), { index: 1, endOffset: 0 });
    assert.deepEqual(matcherOf('\\b', 'x*').feed(latin1('a')), { index: 0, endOffset: 0 });
  });
});

describe('however the bytes are cut', () => {
  const cases: readonly (readonly [sources: readonly string[], text: string])[] = [
    [['kernel panic\\b', '(?m)^login: $'], 'boot\nlogin: x\nlogin: \nkernel panic!'],
    [['A.*B.*C', 'x{3,5}y'], 'xxyA\r\nxxB\xff\xc3xxxxyC'],
    [['é+\u20ac', 'zz'], 'Ã©Ã©â\x82¬zz'],
    [['[^\\n]{70}!', 'b\\z'], `${'a'.repeat(30)}\n${'c'.repeat(71)}!b`],
    [['end$'], 'end\nend'],
  ];

  test('once, at every byte', () => {
    for (const [sources, text] of cases) {
      const patterns = sources.map(compiled);
      const bytes = latin1(text);
      const whole = matchInPieces(patterns, bytes, []);
      assert.notEqual(whole, undefined, text);
      for (let cut = 0; cut <= bytes.length; cut++)
        assert.deepEqual(matchInPieces(patterns, bytes, [cut]), whole);
    }
  });

  test('into single bytes', () => {
    for (const [sources, text] of cases) {
      const patterns = sources.map(compiled);
      const bytes = latin1(text);
      const every = Array.from(bytes.keys());
      assert.deepEqual(matchInPieces(patterns, bytes, every), matchInPieces(patterns, bytes, []));
    }
  });

  test('and several matchers at once keep out of each other\u2019s way', () => {
    const [first, second] = [matcherOf('ab*c'), matcherOf('ab*c', 'bbd')];
    for (const piece of ['a', 'b', 'b']) {
      assert.equal(first.feed(latin1(piece)), undefined);
      assert.equal(second.feed(latin1(piece)), undefined);
    }
    assert.deepEqual(second.feed(latin1('d')), { index: 1, endOffset: 4 });
    assert.deepEqual(first.feed(latin1('c')), { index: 0, endOffset: 4 });
  });
});

test('after its match, or its end, a matcher takes nothing more', () => {
  const matched = matcherOf('a');
  assert.notEqual(matched.feed(latin1('a')), undefined);
  assert.throws(() => matched.feed(latin1('a')), { code: 'ERR_ASSERTION' });
  assert.throws(() => matched.finish(), { code: 'ERR_ASSERTION' });
  const finished = matcherOf('a');
  finished.finish();
  assert.throws(() => finished.feed(latin1('a')), { code: 'ERR_ASSERTION' });
});

test('a compiled pattern can be handed to another thread', () => {
  const copy = structuredClone(compiled('(?i)a\\b.*(b|cd){20}'));
  assert.deepEqual(new StreamMatcher([copy]).feed(latin1(`A ${'bCD'.repeat(10)}`)), {
    index: 0,
    endOffset: 32,
  });
});
