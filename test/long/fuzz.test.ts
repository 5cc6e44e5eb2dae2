// As much bad input as the lab is to stand, with how many of each kind there were.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFuzz } from '../../src/testing/fuzz/run-fuzz.ts';

test('100,000 bad inputs break no promise', async (t) => {
  const seed = 1 + Math.floor(Math.random() * 1e6);
  const lines: string[] = [];
  const isGood = await runFuzz({ seed, inputs: 100_000, say: (line) => lines.push(line) });
  assert.ok(isGood, lines.join('\n'));
  t.diagnostic(lines.join('\n'));
});
