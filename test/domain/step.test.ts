// One step as a whole: it is undone whole, a command that throws leaves nothing, time is not made up for late ticks.
// That undoing any step restores records and indexes is checked by the lab of these tests after every single step.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Command } from '../../src/domain/commands.ts';
import { step, undo } from '../../src/domain/scheduler.ts';
import { State } from '../../src/domain/state.ts';
import { compareStates } from '../../src/testing/simulation/checker.ts';
import { Lab } from './lab.ts';

function stepAt(lab: Lab, command: Command, afterMs = 0) {
  return step(lab.state, lab.timing, command, { now: lab.nowMs + afterMs, wallAt: 0 });
}

describe('a command that throws', () => {
  test('leaves nothing, not even what came due before it', () => {
    const lab = new Lab();
    const slow = lab.ask('ana', 'b1');
    lab.ask('bob', 'b1');
    const broken = { name: 'release', body: { caller: { user: 'ana', admin: false }, boards: ['b1', null] } };
    const before = lab.checker.mirror.rebuild();
    // The take-back and the next offer are done and undone again.
    assert.throws(
      () => stepAt(lab, { name: 'confirm', body: undefined } as unknown as Command, 3_000),
      TypeError,
    );
    assert.deepEqual(compareStates(lab.state, before, 'the state before'), []);
    assert.throws(() => stepAt(lab, { ...broken, name: 'nonsense' } as unknown as Command, 3_000), TypeError);
    assert.deepEqual(compareStates(lab.state, before, 'the state before'), []);
    assert.equal(lab.offered(slow), 'b1');
  });

  test('does not stop the next one', () => {
    const lab = new Lab();
    assert.throws(() => stepAt(lab, { name: 'give', body: undefined } as unknown as Command));
    assert.equal(lab.take('ana', 'b1').user, 'ana');
  });
});

describe('a batch whose commit was refused', () => {
  test('is undone step by step, the last first', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const waiting = lab.ask('bob', 'b1', { waitSeconds: 20 });
    const before = lab.checker.mirror.rebuild();
    const steps = [
      stepAt(lab, { name: 'detach', body: { ticket: waiting, gone: false } }, 5_000),
      stepAt(lab, { name: 'tick', body: {} }, 12_000),
      stepAt(lab, { name: 'restart', body: { settleMs: 2_000 } }, 13_000),
      stepAt(lab, { name: 'tick', body: {} }, 60_000),
    ];
    assert.ok(steps.every((one) => one.changes.length > 0));
    for (const { changes } of steps.toReversed()) undo(lab.state, changes);
    assert.deepEqual(compareStates(lab.state, before, 'the state before'), []);
  });
});

describe('the same commands at the same times', () => {
  test('give the same change sets, whether the state was built step by step or loaded', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    for (const key of ['1', '2', '3', '4']) lab.ask('ana', 'p', { key });
    const loaded = lab.checker.mirror.rebuild();
    const tick: Command = { name: 'tick', body: {} };
    const moment = { now: lab.nowMs + 3_000, wallAt: 0 };
    const text = (state: State) => JSON.stringify(step(state, lab.timing, tick, moment));
    assert.equal(text(loaded), text(lab.state));
  });
});

describe('what is due', () => {
  test('happens before the command that comes later, however late the tick', () => {
    const lab = new Lab();
    const [slow, next] = [lab.ask('ana', 'b1'), lab.ask('bob', 'b1')];
    const { token } = lab.lock('b1');
    lab.nowMs += 3_000;
    assert.equal(lab.send('confirm', { user: 'ana', ticket: slow, token }).kind, 'gone');
    assert.equal(lab.offered(next), 'b1');
  });

  test('is known: the time of the next timer', () => {
    const lab = new Lab();
    assert.equal(lab.state.nextTimerAt, undefined);
    lab.ask('ana', 'b1');
    assert.equal(lab.state.nextTimerAt, lab.nowMs + 3_000);
  });

  test('an empty lab takes a tick', () => {
    const state = new State();
    const result = step(state, new Lab().timing, { name: 'tick', body: {} }, { now: 1, wallAt: 1 });
    assert.deepEqual(result.changes, []);
  });
});
