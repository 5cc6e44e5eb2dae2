// Random patterns over random bytes, in random pieces, against the regular expressions of JavaScript.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern } from '../../src/platform/match/compile.ts';
import { compiled, endIn, expectedMatch, latin1, matchInPieces, type Twin } from './match-oracle.ts';

/** The byte 0xff has no other case among bytes, and no reader takes it for a letter or a space. */
const bytesInUse = ['a', 'b', 'A', '_', ' ', '\n', '\xff'];

const inAnyCase = (text: string): string =>
  text.replace(/[a-zA-Z]/g, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);

const letters: readonly Twin[] = ['a', 'b', 'A', 'ab', 'aa', 'bA', ''].map((text) => ({
  re2: text,
  js: text,
  jsAnyCase: inAnyCase(text),
}));

const caseless: readonly Twin[] = [
  ...['.', '[^\\n]', '\\w', '\\W', '\\d', '\\xff', '[\\x80-\\xff]', '\\n', '[^\\w]', ' '].map((text) => [
    text,
    text,
  ]),
  ['\\s', '[\\t\\n\\f\\r ]'],
  ['[^[:alpha:]\\n]', '[^A-Za-z\\n]'],
  ['\\C', '.'],
].map(([re2 = '', js = '']) => ({ re2, js, jsAnyCase: js }));

const cased: readonly Twin[] = [
  { re2: '[ab]', js: '[ab]', jsAnyCase: '[abAB]' },
  { re2: '[^a]', js: '[^a]', jsAnyCase: '[^aA]' },
  { re2: '[a-z_]', js: '[a-z_]', jsAnyCase: '[a-zA-Z_]' },
  { re2: '[[:upper:]]', js: '[A-Z]', jsAnyCase: '[a-zA-Z]' },
  { re2: '\\Qa\\E', js: 'a', jsAnyCase: '[aA]' },
];

const looks: readonly Twin[] = [
  ...['\\b', '\\B', '^', '$'].map((text) => [text, text]),
  ['(?m:^)', '(?<![^\\n])'],
  ['(?m:$)', '(?![^\\n])'],
  ['\\A', '^'],
  ['\\z', '$'],
].map(([re2 = '', js = '']) => ({ re2, js, jsAnyCase: js }));

const leaf: fc.Arbitrary<Twin> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...letters) },
  { weight: 4, arbitrary: fc.constantFrom(...caseless, ...cased) },
  { weight: 3, arbitrary: fc.constantFrom(...looks) },
);

const counts = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 }))
  .map(([min, more]) => `{${min},${min + more}}`);
const repeats = fc.oneof(fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{2,}', '{1,}?'), counts);

const { tree: twin } = fc.letrec<{ tree: Twin }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc
      .array(tie('tree'), { minLength: 1, maxLength: 4 })
      .map((parts) => written(parts, (each) => each.join(''))),
    fc
      .array(tie('tree'), { minLength: 2, maxLength: 4 })
      .map((parts) => written(parts, (each) => `(?:${each.join('|')})`)),
    fc
      .tuple(tie('tree'), repeats)
      .map(([body, sign]) => written([body], (each) => `(?:${each.join('')})${sign}`)),
    tie('tree').map((body) => ({
      re2: `(?i:${body.re2})`,
      js: `(?:${body.jsAnyCase})`,
      jsAnyCase: `(?:${body.jsAnyCase})`,
    })),
  ),
}));

function written(parts: readonly Twin[], write: (parts: readonly string[]) => string): Twin {
  return {
    re2: write(parts.map((part) => part.re2)),
    js: write(parts.map((part) => part.js)),
    jsAnyCase: write(parts.map((part) => part.jsAnyCase)),
  };
}

const text = fc.array(fc.constantFrom(...bytesInUse), { maxLength: 12 }).map((parts) => parts.join(''));

test('the earliest end, and which pattern it is, agree with another engine however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(twin, { minLength: 1, maxLength: 3 }),
      text,
      fc.array(fc.nat(12), { maxLength: 4 }),
      (twins, subject, places) => {
        const cuts = places.filter((place) => place <= subject.length).sort((one, other) => one - other);
        const results = twins.map(({ re2 }) => compilePattern(re2));
        fc.pre(
          !results.some((result) => !result.ok && /^the pattern has too many ways/.test(result.message)),
        );
        const patterns = twins.map(({ re2 }) => compiled(re2));
        const expected = expectedMatch(
          twins.map(({ js }) => js),
          subject,
        );
        assert.deepEqual(matchInPieces(patterns, latin1(subject), cuts), expected);
      },
    ),
    { numRuns: 3000 },
  );
});

/** Long patterns, and pieces of which a text that matches is made. Each matches a text in one way only: with
 * more, the other engine would take for ever. */
const longShapes: readonly (readonly [shape: string, pieces: readonly string[]])[] = [
  ['a[ab]{N} ', ['a', 'b', 'ab', 'ba', ' ']],
  ['(?:ab| ){N}', ['ab', ' ']],
  ['\\n(?:ab| |cd|_){N}\\n', ['ab', ' ', 'cd', '_', '\n']],
  ['a.{0,N}\\n\\n', ['a', 'b', '\n', ' ']],
  ['(?:a\\b|b| ){N}', ['a ', 'ba ', ' ']],
  ['(?:aa|b|\\n ?a){N}', ['aa', 'b', '\na', '\n a']],
  ['(?m:^[^ ]{N}a{0,N}$)', ['a', 'aaaaaaaaa', 'b', '\n']],
  ['b(?:.a?\\n){2,N}a', ['b', 'xa\n', 'a\n', '\n']],
  ['(?:[ab]| \\B|\\b\\n){N}_', ['ab', 'a\n', ' \n', '  ', '_']],
  ['^\\s{N}(?:ab|_){N}\\b', ['          ', 'ab', '_', '\n']],
];

test('a long pattern, whose positions take several words, agrees too', () => {
  const shape = fc.constantFrom(...longShapes).chain(([source, pieces]) =>
    fc.record({
      source: fc.integer({ min: 20, max: 60 }).map((count) => source.replaceAll('N', String(count))),
      // Mostly what the pattern is made of, so that most texts get through most of its positions.
      pieces: fc.array(
        fc.oneof(
          { weight: 60, arbitrary: fc.constantFrom(...pieces) },
          { weight: 1, arbitrary: fc.constantFrom('a', 'b', ' ', '\n', '_') },
        ),
        { minLength: 20, maxLength: 150 },
      ),
    }),
  );
  let matches = 0;
  const runs = 1000;
  fc.assert(
    fc.property(shape, ({ source, pieces }) => {
      const subject = pieces.join('');
      const expected = expectedMatch([source], subject);
      if (expected !== undefined) matches++;
      assert.deepEqual(matchInPieces([compiled(source)], latin1(subject), [subject.length >> 1]), expected);
    }),
    { numRuns: runs },
  );
  assert.ok(matches > runs / 10, `only ${matches} of the texts matched, which proves little`);
});

test('an alternative that ends with the last position of a word does not run on into the next', () => {
  for (let count = 40; count < 140; count++) {
    const source = `^(?:\\n{${count}}ab|_yc)x`;
    assert.equal(endIn(source, `${'\n'.repeat(count)}ab_ycx`), undefined);
    assert.equal(endIn(source, `${'\n'.repeat(count)}abx`), count + 3);
    assert.equal(endIn(source, '_ycx'), 4);
  }
});

test('characters beyond ASCII match as their UTF-8 bytes, in either case under (?i)', () => {
  const letters = [
    'a',
    'é',
    'É',
    'я',
    'Я',
    'ß',
    'ẞ',
    'ı',
    'I',
    'σ',
    'ς',
    'Σ',
    '温',
    '𐐀',
    '𐐨',
    '😀',
    '\u{7ff}',
    '\u{800}',
    '\u{ffff}',
  ];
  const one = fc.constantFrom(...letters);
  const range = fc.tuple(one, one).map((ends) => `[${ends.sort(byCodePoint).join('-')}]`);
  const piece = fc.oneof(
    one,
    range,
    one.map((letter) => `${letter}+`),
  );
  const pattern = fc.array(piece, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(pattern, fc.boolean(), fc.array(one, { maxLength: 8 }), (source, ignoreCase, parts) => {
      const subject = parts.join('');
      const end = new RegExp(`(?<=${source})`, ignoreCase ? 'iu' : 'u').exec(subject)?.index;
      const expected = end === undefined ? undefined : Buffer.byteLength(subject.slice(0, end));
      assert.equal(endIn(ignoreCase ? `(?i)${source}` : source, Buffer.from(subject)), expected);
    }),
    { numRuns: 1500 },
  );
});

function byCodePoint(one: string, other: string): number {
  return (one.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0);
}

test('a range of characters matches exactly the characters in it', () => {
  const code = fc.oneof(
    fc.integer({ min: 0x80, max: 0x10ffff }),
    fc.constantFrom(0x7ff, 0x800, 0xfff, 0xffff, 0x10000),
  );
  const character = code.filter((value) => value < 0xd800 || value > 0xdfff);
  fc.assert(
    fc.property(character, character, character, (one, other, value) => {
      const [low, high] = one <= other ? [one, other] : [other, one];
      const source = `^[\\x{${low.toString(16)}}-\\x{${high.toString(16)}}]$`;
      const bytes = Buffer.from(String.fromCodePoint(value));
      const isMatch = endIn(source, bytes) === bytes.length;
      assert.equal(isMatch, low <= value && value <= high);
    }),
    { numRuns: 1500 },
  );
});

test('any text compiles or is refused inside itself, quoted text always compiles', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '*',
      '+',
      '?',
      '|',
      '\\',
      '^',
      '$',
      '.',
      '-',
      ',',
      ':',
      '<',
      'P',
      '=',
    ),
    fc.constantFrom(
      '(?',
      '(?P<n>',
      '[[:',
      ':]',
      '{2,',
      '\\x{',
      '\\Q',
      '\\E',
      '(?i-',
      '[^',
      '1',
      '9',
      'a',
      'é',
      '\ud800',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (parts) => {
      const source = parts.join('');
      const result = compilePattern(source);
      if (!result.ok)
        assert.ok(result.column >= 1 && result.column <= Array.from(source).length + 1, result.message);
      const quoted = source.replaceAll('\\E', '').replaceAll('\ud800', '');
      assert.equal(compilePattern(`\\Q${quoted}\\E`).ok, true);
    }),
    { numRuns: 3000 },
  );
});
