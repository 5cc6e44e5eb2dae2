// Labels of sets out of keys, and expressions that could keep a server busy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/cli/config/load.ts';
import { keyPatternProblem, labelOfKey } from '../../src/protocol/key-label.ts';

test('the first group names the set, or the whole match where there is no group', () => {
  const key = 'owner/repo-build-1234567-job-2';
  assert.equal(labelOfKey('-([0-9]{6,})-', key), '1234567');
  assert.equal(labelOfKey('[0-9]{6,}', key), '1234567');
  assert.equal(labelOfKey('^([^/]+)/', key), 'owner');
});

test('a key that does not match, matches nothing, or is too long names none', () => {
  assert.equal(labelOfKey('[0-9]{6,}', 'mine'), undefined);
  assert.equal(labelOfKey('x*', 'mine'), undefined);
  assert.equal(labelOfKey('x', 'x'.repeat(1_025)), undefined);
  assert.equal(labelOfKey('x', 'x'.repeat(1_024)), 'x');
});

test('expressions that end in time are taken, and end in time', () => {
  const slow = `${'a'.repeat(1_023)}!`;
  for (const pattern of [
    '-([0-9]{6,})-',
    '^a*a*b',
    '[a]+b',
    'a?a?a?a?a*b',
    '\\(.+\\)',
    '^(?<run>.*)x+',
    '(ab|cd)e*',
  ]) {
    assert.equal(keyPatternProblem(pattern), undefined, pattern);
    const begin = performance.now();
    labelOfKey(pattern, slow);
    assert.ok(performance.now() - begin < 1_000, pattern);
  }
});

test('expressions that might not are refused, and so is what is none', () => {
  for (const pattern of [
    '(a+)+b',
    '(a|a)*b',
    'a*a*b',
    '^a*a*a*b',
    '^a*|b*',
    '(a)\\1',
    '(?=a*)b',
    '(?<!a)b',
    'a?a?a?a?a?b',
    '(a?){20}',
    '(',
    'a{1,}a+',
  ])
    assert.notEqual(keyPatternProblem(pattern), undefined, pattern);
  const text = 'lab: L\nset_from_key: (a+)+\nboards: { b: { machine: { driver: v86 } } }\n';
  const result = parseConfig(text, 'lab.yaml');
  assert.ok(!result.ok);
  assert.deepEqual(result.problems, [
    {
      file: 'lab.yaml',
      line: 2,
      column: 15,
      message: 'set_from_key must be an expression in which no group is repeated',
    },
  ]);
  assert.ok(parseConfig(text.replace('(a+)+', '"-([0-9]+)-"'), 'lab.yaml').ok);
});
