// Bad input of every kind: a slice of it in every run of the tests. `npm run fuzz` throws as much as one likes, and
// test/long/fuzz.test.ts all that the lab is to stand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readKinds, runFuzz } from '../../src/testing/fuzz/run-fuzz.ts';
import { findControl } from '../../src/testing/fuzz/shown-text.ts';
import { shrink } from '../../src/testing/fuzz/shrink.ts';

const timeout = 120_000;

test('bad input of every kind breaks no promise', { timeout }, async (t) => {
  const seed = 1 + Math.floor(Math.random() * 1e6);
  const lines: string[] = [];
  const isGood = await runFuzz({ seed, inputs: 1_500, say: (line) => lines.push(line) });
  assert.ok(isGood, lines.join('\n'));
  t.diagnostic(lines.join('\n'));
});

test('an input is made smaller as long as it still breaks the promise', async () => {
  const input = { name: 'x'.repeat(50), list: [1, 2, { bad: 'a\u001bb' }, 4] };
  const breaks = async (value: unknown) => JSON.stringify(value).includes('\\u001b');
  assert.deepEqual(await shrink(input, breaks, 10_000), { list: [{ bad: '\u001b' }] });
});

test('what a terminal would obey is found, and what it shows is not', () => {
  for (const bad of ['\u001b[0m', 'a\rb', 'a\tb', '\u009b', '\u007f', '\u202e', '\u2028', '\u061c'])
    assert.ok(findControl(`text ${bad}`), JSON.stringify(bad));
  assert.equal(findControl('two\nlines, é, 字, 😀, \ufffd'), undefined);
});

test('kinds are named one by one, and others are told', () => {
  assert.deepEqual(readKinds('routes, cli'), ['routes', 'cli']);
  assert.throws(() => readKinds('route'), /routes, channel/);
});
