// The system's clock, and the one that tests move.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/platform/clock.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';

function elapsed(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.setTimer(delayMs, resolve);
  });
}

test('a timer never runs before its time', { timeout: 10_000 }, async () => {
  for (let round = 0; round < 20; round += 1) {
    const delayMs = 0.3 + round / 7;
    const startMs = systemClock.nowMs();
    await elapsed(delayMs);
    assert.ok(systemClock.nowMs() - startMs >= delayMs);
  }
});

test('a timer that was called off does not run, and others do', { timeout: 10_000 }, async () => {
  const ran: string[] = [];
  const cancel = systemClock.setTimer(1, () => ran.push('called off'));
  cancel();
  await elapsed(5);
  cancel();
  assert.deepEqual(ran, []);
});

test('a timer of a year does not run at once', { timeout: 10_000 }, async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  let ran = false;
  const cancel = systemClock.setTimer(365 * 24 * 3600 * 1000, () => {
    ran = true;
  });
  await elapsed(5);
  cancel();
  assert.equal(ran, false);
  assert.deepEqual(warnings, []);
});

test('the wall clock tells the date', () => {
  assert.ok(Math.abs(systemClock.wallMs() - Date.now()) < 1000);
});

test('the simulated clock runs what is due, in order, at its own time', () => {
  const clock = new SimulatedClock();
  const ran: [string, number][] = [];
  const note = (name: string) => () => ran.push([name, clock.nowMs()]);
  clock.setTimer(20, note('late'));
  clock.setTimer(10, note('first of two'));
  clock.setTimer(10, note('second of two'));
  clock.setTimer(5, () => {
    note('sets another')();
    clock.setTimer(1, note('other'));
  });
  clock.setTimer(7, note('called off'))();
  const cancel = clock.setTimer(8, note('called off'));
  cancel();
  clock.advance(15);
  assert.deepEqual(ran, [
    ['sets another', 5],
    ['other', 6],
    ['first of two', 10],
    ['second of two', 10],
  ]);
  assert.equal(clock.nowMs(), 15);
  assert.equal(clock.timerCount, 1);
  assert.equal(clock.nextDueMs, 20);
  assert.equal(clock.advanceToNext(), true);
  assert.equal(clock.nowMs(), 20);
  assert.equal(clock.advanceToNext(), false);
});

test('a jump of the simulated wall clock moves no timer', () => {
  const clock = new SimulatedClock({ wallMs: 1000 });
  let ran = false;
  clock.setTimer(10, () => {
    ran = true;
  });
  clock.jumpWall(-500);
  clock.advance(9);
  assert.equal(ran, false);
  assert.equal(clock.wallMs(), 509);
  clock.advance(1);
  assert.equal(ran, true);
});
