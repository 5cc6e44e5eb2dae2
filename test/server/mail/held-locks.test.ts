// From when a lock counts towards a mail, and which locks do, on the scheduler's own records.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldLocks } from '../../../src/server/mail/held-locks.ts';
import { asCaller, Lab } from '../../domain/lab.ts';

function only(lab: Lab) {
  const [lock] = heldLocks(lab.state);
  assert.ok(lock);
  return lock;
}

test('a lock counts from its confirm, and anew when it is extended, given or stolen', () => {
  const lab = new Lab({ boards: ['b1'] });
  lab.take('ana', 'b1');
  const first = only(lab);
  assert.equal(first.claimedAt, lab.nowMs);
  lab.pass(100);
  assert.equal(only(lab).claimedAt, first.claimedAt);
  lab.send('extend', { caller: asCaller('ana'), board: 'b1', key: '0', holdSeconds: 0 });
  const extended = only(lab);
  assert.equal(extended.claimedAt, lab.nowMs);
  assert.equal(extended.token, first.token);
  assert.equal(extended.heldWallAt, first.heldWallAt, 'it is held since then all the same');
  lab.pass(100);
  lab.send('give', { caller: asCaller('ana'), board: 'b1', key: '0', user: 'bob', newKey: 'k' });
  const given = only(lab);
  assert.deepEqual([given.user, given.key, given.claimedAt], ['bob', 'k', lab.nowMs]);
  assert.notEqual(given.token, first.token);
  assert.ok(given.heldWallAt > first.heldWallAt);
  lab.pass(100);
  lab.send('steal', { caller: asCaller('eve'), board: 'b1', newKey: '0', note: '' });
  assert.deepEqual([only(lab).user, only(lab).claimedAt], ['eve', lab.nowMs]);
});

test('what is only offered, ends, or is free is not held; a run is', () => {
  const lab = new Lab({ boards: ['b1', 'b2', 'b3'] });
  lab.ask('ana', 'b1');
  assert.deepEqual(heldLocks(lab.state), []);
  lab.run('bob', 'b2');
  assert.deepEqual(
    heldLocks(lab.state).map(({ board, user }) => [board, user]),
    [['b2', 'bob']],
  );
  lab.release('bob', 'b2');
  assert.equal(lab.stateOf('b2'), 'ending');
  assert.deepEqual(heldLocks(lab.state), []);
});

test('it knows how many wait for the board, by its name, a pool or a list, and when its hold ends', () => {
  const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
  lab.take('ana', 'b1', { holdSeconds: 60 });
  lab.take('ana', 'b2', { key: 'k' });
  lab.ask('bob', 'b1');
  lab.ask('bob', 'p');
  lab.ask('bob', 'b2');
  const [b1, b2] = heldLocks(lab.state);
  assert.deepEqual([b1?.waiting, b2?.waiting], [2, 2]);
  assert.ok(b1?.endsWallAt);
  assert.equal(b2?.endsWallAt, undefined);
});
