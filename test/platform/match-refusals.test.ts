// What is not accepted, where it stands, and that the message says what to write instead; and the syntax that is.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compilePattern } from '../../src/platform/match/compile.ts';
import { compiled, endIn } from './match-oracle.ts';

function assertRefused(source: string, column: number, message: RegExp): void {
  const result = compilePattern(source);
  if (result.ok) assert.fail(`${source} was accepted`);
  assert.match(result.message, message, source);
  assert.equal(result.column, column, `${source}: ${result.message}`);
}

describe('refused, with the column', () => {
  test('what needs more than linear time', () => {
    assertRefused('(a)b\\1', 5, /backreference.*write the text itself again/);
    assertRefused('ab(?=c)', 3, /look ahead.*write the text itself after/);
    assertRefused('ab(?!c)', 3, /negative look ahead.*\[\^x\]/);
    assertRefused('(?<=a)b', 1, /look behind.*write the text itself before/);
    assertRefused('(?<!a)b', 1, /negative look behind/);
    assertRefused('(?P<x>a)(?P=x)', 9, /backreference/);
    assertRefused('a\\k<x>', 2, /write the text itself again/);
    assertRefused('(?(1)a|b)', 1, /both cases with \|/);
  });

  test('what other dialects have and RE2 has not', () => {
    assertRefused('a++', 3, /possessive.*leave out this \+/);
    assertRefused('(?>a)', 1, /write \(\?:/);
    assertRefused('(?#note)', 1, /leave it out/);
    assertRefused('end\\Z', 4, /write \\z/);
    assertRefused('\\Ka', 1, /only where a match ends counts/);
    assertRefused('a\\R', 2, /\\r\?\\n/);
    assertRefused('\\h+', 1, /\[ \\t\]/);
    assertRefused('\\e\\[0m', 1, /\\x1b/);
    assertRefused('\\pL', 1, /Unicode properties.*write the ranges/);
    assertRefused('[\\p{Greek}]', 2, /Unicode properties/);
    assertRefused('[\\b]', 2, /\\x08/);
    assertRefused('\\y', 1, /write y for the character itself/);
    assertRefused('(?-s).', 4, /always matches a newline.*\[\^\\n\]/);
    assertRefused('(?x) a', 1, /flags i, m, s and U/);
  });

  test('a class that leaves out a character of several bytes; not one that leaves out bytes', () => {
    assertRefused('a[^é]', 2, /negated class.*write what may stand there/);
    assert.equal(endIn('a[^\\xe9]', 'a\xe9a\xc3'), 4);
  });

  test('what is broken', () => {
    assertRefused('ab(cd', 3, /never closed; write \\\(/);
    assertRefused('ab)cd', 3, /closes nothing; write \\\)/);
    assertRefused('ab[cd', 3, /never closed; write \\\[/);
    assertRefused('*a', 1, /nothing before it.*\\\*/);
    assertRefused('a|+', 3, /nothing before it/);
    assertRefused('a**', 3, /repeats a repeat/);
    assertRefused('a{2}{3}', 5, /repeats a repeat/);
    assertRefused('a{3,2}', 2, /lower count first/);
    assertRefused('[z-a]', 2, /lower end first/);
    assertRefused('[a-\\d]', 2, /single character at both ends/);
    assertRefused('[\\x80-é]', 2, /from a byte to a character/);
    assertRefused('[[:alfa:]]', 2, /\[:alfa:\] is not known.*alpha/);
    assertRefused('\\x4', 1, /exactly two/);
    assertRefused('\\x{}', 1, /as in \\x\{20ac\}/);
    assertRefused('\\x{110000}', 1, /no character/);
    assertRefused('\\400', 1, /write \\x\{100\}/);
    assertRefused('a\\', 2, /write \\\\ for/);
    assertRefused('(?P<a b>c)', 1, /letters, digits and _/);
    assertRefused('(?P<a>b)(?P<a>c)', 9, /another group named a/);
    assertRefused('a\ud800', 2, /half of a character/);
  });

  test('columns count characters, not units of UTF-16', () => {
    assertRefused('😀é(', 3, /never closed/);
  });

  test('what would be too large or too slow, at the repeat that makes it so', () => {
    assertRefused('ab{1001}', 3, /at most 1000/);
    assertRefused('ab{1001,}', 3, /at most 1000/);
    assertRefused('x{3}(a{100}b){100}', 14, /spells out \d+ bytes up to here, of at most 2047/);
    assertRefused('(((a{1000}b){1000}){1000}){1000}', 13, /spells out/);
    assertRefused('[a-c]+(ab|ba|aab|bba|bbab){90}', 27, /too many ways to go on/);
    assertRefused(`${'('.repeat(251)}${')'.repeat(251)}`, 251, /nested more than 250 deep/);
    assertRefused('a'.repeat(10_001), 10_001, /10001 characters, of at most 10000/);
    assertRefused(Array(300).fill('some word').join('|'), 227 * 10 + 1, /2052 bytes up to here/);
    assertRefused('\\x{e9}'.repeat(1024), 6 * 1023 + 1, /2048 bytes up to here/);
  });

  test('sources made to blow up come to an end, one way or the other', () => {
    for (const [source, isAccepted] of [
      ['a?'.repeat(2000), false],
      ['(?:\\b|\\B|(?m:^)|(?m:$)|a)'.repeat(380), false],
      ['(?:a?b?c?d?){500}'.repeat(2), false],
      ['(?:a?b?){300}', true],
      ['(?:\\b|a|bc|\\B){500}', false],
      [`${'(?:'.repeat(240)}a${'|b)*'.repeat(240)}`, false],
      ['[\\x{80}-\\x{10ffff}]'.repeat(500), false],
      [`(?:${'(?:a*)*'.repeat(20)})*`, true],
    ] as const) {
      assert.equal(compilePattern(source).ok, isAccepted, source);
    }
  });
});

describe('accepted', () => {
  test('old expressions', () => {
    assert.equal(endIn('.*done.*', 'all\ndone'), 8);
    assert.equal(endIn('login:.*login:', 'login: x\r\nlogin: '), 16);
    assert.equal(endIn('All is well in the universe', 'x All is well in the universe!'), 29);
    assert.equal(endIn('\\[ {4}0\\.0{6}\\]', '[    0.000000]'), 14);
  });

  test('RE2 escapes, in and out of brackets', () => {
    const bytes = '\x07\f\t\n\r\v';
    assert.equal(endIn('^\\a\\f\\t\\n\\r\\v$', bytes), 6);
    assert.equal(endIn('^[\\a][\\f][\\t][\\n][\\r][\\v]$', bytes), 6);
    assert.equal(endIn('^\\x41\\x{42}\\103\\0$', 'ABC\0'), 4);
    assert.equal(endIn('^\\Q.*[\\E+$', '.*[[['), 5);
    assert.equal(endIn('^\\.\\*\\_\\-$', '.*_-'), 4);
  });

  test('a brace or a bracket that begins nothing stands for itself', () => {
    assert.equal(endIn('^a{,2}b{x}{}]$', 'a{,2}b{x}{}]'), 12);
    assert.equal(endIn('^[]a]+$', ']a'), 2);
    assert.equal(endIn('^[a-]+[\\w-.]$', 'a--'), 3);
    assert.equal(endIn('^[[:a]+$', '[:a'), 3);
  });

  test('flags, alone to the end of their group, or for one group', () => {
    assert.equal(endIn('(?i)panic', 'kernel PaNiC'), 12);
    assert.equal(endIn('(?i:p)anic', 'PANIC Panic'), 11);
    assert.equal(endIn('(a(?i)b|c)D', 'aBd CD'), 6);
    assert.equal(endIn('(?i)a(?-i)B', 'Ab AB'), 5);
    assert.equal(endIn('(?sU)a.*b', 'a\nb'), 3);
    assert.equal(endIn('(?P<first>a)(?<second>b)', 'ab'), 2);
  });

  test('a raw byte is written in hexadecimal or octal, a character as itself or in braces', () => {
    assert.equal(endIn('\\xff\\376', Buffer.from([0xff, 0xfe])), 2);
    assert.equal(endIn('é\\x{20ac}', Buffer.from('é€')), 5);
    assert.equal(endIn('é', Buffer.from([0xe9])), undefined);
    assert.equal(endIn('[é-ü]+€', Buffer.from('öé€')), 7);
  });

  test('. and negated classes match single bytes, whether they are UTF-8 or not', () => {
    assert.equal(endIn('^.$', Buffer.from([0xc3])), 1);
    assert.equal(endIn('^..$', Buffer.from('é')), 2);
    assert.equal(endIn('a[^b]c', Buffer.from([0x61, 0xff, 0x63])), 3);
    assert.equal(endIn('a\\Wc', Buffer.from([0x61, 0x80, 0x63])), 3);
  });

  test('nested repeats of one byte cost no more than one repeat, others only as much as they spell out', () => {
    assert.equal(compiled('((a{0,10}){0,10}){0,10}').program.hubs.length, 0);
    assert.equal(endIn('^(a{3}){1,2}$', 'a'.repeat(5)), undefined);
    assert.equal(endIn('^(a{3}){1,2}$', 'a'.repeat(6)), 6);
    assert.equal(endIn('^(a{3,4}){1,2}$', 'a'.repeat(5)), undefined);
    assert.equal(endIn('^(a{2,3}){2,4}$', 'a'.repeat(12)), 12);
    assert.equal(endIn('^(a{2,3}){2,4}$', 'a'.repeat(13)), undefined);
  });
});
