// Ids: unique, sorted, the same length for ever.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdSource } from '../../src/platform/ids.ts';

test('ids have 20 characters that nobody misreads', () => {
  assert.match(new IdSource().next(), /^[0-9a-hjkmnp-tv-z]{20}$/);
  assert.match(new IdSource(() => Date.UTC(9999, 0)).next(), /^[0-9a-hjkmnp-tv-z]{20}$/);
});

test('ids of one process sort as they were made, within a millisecond and when the clock goes back', () => {
  let nowMs = 1_900_000_000_000;
  const ids = new IdSource(() => nowMs);
  const made: string[] = [];
  for (const stepMs of [0, 0, 1, -5000, 0, 4999, 0.5, 7000]) {
    nowMs += stepMs;
    for (let count = 0; count < 200; count += 1) made.push(ids.next());
  }
  assert.deepEqual(made, made.toSorted());
  assert.equal(new Set(made).size, made.length);
});

test('a later millisecond sorts behind an earlier one of another process', () => {
  const earlier = new IdSource(() => 1_900_000_000_000).next();
  const later = new IdSource(() => 1_900_000_000_001).next();
  assert.ok(earlier < later);
});

test('two processes do not make the same ids in the same millisecond', () => {
  const made = Array.from({ length: 1000 }, () => new IdSource(() => 1_900_000_000_000).next());
  assert.equal(new Set(made).size, made.length);
});
