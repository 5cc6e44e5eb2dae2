import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDurationSeconds, parseSizeBytes } from '../../src/cli/config/units.ts';

test('sizes are whole numbers of a unit that is a power of 1024', () => {
  assert.equal(parseSizeBytes('512B'), 512);
  assert.equal(parseSizeBytes('3KB'), 3_072);
  assert.equal(parseSizeBytes('256MB'), 268_435_456);
  assert.equal(parseSizeBytes('2GB'), 2_147_483_648);
});

test('what has no unit, another unit or a fraction is no size', () => {
  for (const text of ['', '512', '0MB', '1.5GB', '256Mb', '256 MB', '-1MB', 'MB', '1234567GB']) {
    assert.equal(parseSizeBytes(text), undefined, text);
  }
});

test('durations add up from days to seconds', () => {
  assert.equal(parseDurationSeconds('45s'), 45);
  assert.equal(parseDurationSeconds('20m'), 1_200);
  assert.equal(parseDurationSeconds('1h30m'), 5_400);
  assert.equal(parseDurationSeconds('1d2h3m4s'), 93_784);
  assert.equal(parseDurationSeconds('0s'), 0);
});

test('what has no unit, another unit or the smaller unit first is no duration', () => {
  for (const text of ['', '20', '20min', '1.5h', '30m1h', '-1s', '1h 30m', 'h', '1m1m']) {
    assert.equal(parseDurationSeconds(text), undefined, text);
  }
});
