// Typing counts as use of a lock, told now and then.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LockRecord, Token } from '../../src/domain/records.ts';
import { ConsoleInput } from '../../src/server/console-input.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

const lock: LockRecord = {
  ...{ board: 'a', user: 'ada', key: '0', set: 'ada', state: 'held', kind: 'lock', ticket: 1, note: '' },
  token: { generation: 1, number: 1 },
  lastToken: { generation: 1, number: 1 },
  ...{ grantedWallAt: 0, holdSeconds: 0, overdue: false, idleMaxSeconds: 60 },
};

function open(): { input: ConsoleInput; clock: SimulatedClock; told: Token[] } {
  const told: Token[] = [];
  const clock = new SimulatedClock();
  return { input: new ConsoleInput(clock, (_board, token) => told.push(token)), clock, told };
}

test('the first key is told at once, those right behind it together, and silence is not told', () => {
  const { input, clock, told } = open();
  for (let key = 0; key < 100; key += 1) input.noteUse(lock);
  assert.equal(told.length, 1);
  clock.advance(5_000);
  assert.equal(told.length, 2);
  clock.advance(60_000);
  assert.equal(told.length, 2);
  assert.equal(clock.timerCount, 0);
});

test('a lock that may be unused for a short time only is told of more often', () => {
  const { input, clock, told } = open();
  for (let key = 0; key < 2; key += 1) input.noteUse({ ...lock, idleMaxSeconds: 2 });
  clock.advance(500);
  assert.equal(told.length, 2);
});

test('the next lock on the board is told of at once', () => {
  const { input, told } = open();
  input.noteUse(lock);
  input.noteUse({ ...lock, token: { generation: 1, number: 2 } });
  assert.deepEqual(
    told.map(({ number }) => number),
    [1, 2],
  );
});

test('where a lock may be unused for ever nothing is told', () => {
  const { input, told } = open();
  const { idleMaxSeconds: _idle, ...unlimited } = lock;
  input.noteUse(unlimited);
  assert.deepEqual(told, []);
});

test('nothing is told any more when the server leaves', () => {
  const { input, clock } = open();
  for (let key = 0; key < 2; key += 1) input.noteUse(lock);
  input.stop();
  assert.equal(clock.timerCount, 0);
});
