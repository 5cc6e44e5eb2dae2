// Who waits for a lock to be over, and no longer than there is somebody to tell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FreeWaits } from '../../src/server/free-waits.ts';

const token = { generation: 1, number: 5 };

test('a wait ends with its lock, with its signal, and at once where its client is gone already', async () => {
  const waits = new FreeWaits();
  const leaves = new AbortController();
  const stays = waits.wait('a', token, { ms: 60_000, signal: undefined });
  const left = waits.wait('a', token, { ms: 60_000, signal: leaves.signal });
  leaves.abort();
  const late = waits.wait('a', token, { ms: 60_000, signal: leaves.signal });
  assert.deepEqual(await left.ended, { free: false });
  assert.deepEqual(await late.ended, { free: false });
  waits.note('a', { generation: 1, number: 4 });
  waits.note('a', token, 'it was given to ben');
  assert.deepEqual(await stays.ended, { free: true, why: 'it was given to ben' });
});
