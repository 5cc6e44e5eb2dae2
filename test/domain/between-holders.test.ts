// Boards whose power the end of a lock leaves as it is, and those that are switched off.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Lab } from './lab.ts';

const left = { name: 'b1', betweenHolders: 'leave' } as const;

/** Ana has switched it on and given it back. */
function leftOn(): Lab {
  const lab = new Lab({ boards: [left, 'b2'] });
  lab.take('ana', 'b1');
  lab.power('ana', 'b1', 'on');
  lab.powered('b1');
  lab.release('ana', 'b1');
  return lab;
}

const stateOf = (lab: Lab, board = 'b1') => [lab.stateOf(board), lab.state.boards.get(board)?.mayBeOn];

describe('a board that is left as it is', () => {
  test('is free at once, and on for the next holder and the one after', () => {
    const lab = leftOn();
    assert.deepEqual(stateOf(lab), ['free', true]);
    lab.take('bob', 'b1');
    assert.deepEqual(lab.release('bob', 'b1'), ['released']);
    assert.deepEqual(stateOf(lab), ['free', true]);
  });

  test('is off where its holder has switched it off', () => {
    const lab = leftOn();
    lab.take('bob', 'b1');
    lab.power('bob', 'b1', 'off');
    lab.powered('b1');
    lab.release('bob', 'b1');
    assert.deepEqual(stateOf(lab), ['free', false]);
  });

  test('is free when a job that a run brought has ended, on or off as the job left it', () => {
    for (const mayBeOn of [true, false]) {
      const lab = leftOn();
      lab.endJob(lab.run('bob', 'b1'), { mayBeOn });
      assert.deepEqual(stateOf(lab), ['free', mayBeOn]);
    }
  });

  test('is free when the job under a released lock has stopped', () => {
    const lab = leftOn();
    lab.take('bob', 'b1');
    const job = lab.run('bob', 'b1', { kind: 'slot' });
    assert.deepEqual(lab.release('bob', 'b1'), ['ending']);
    lab.endJob(job, { mayBeOn: true, verdict: 'cancelled' });
    assert.deepEqual(stateOf(lab), ['free', true]);
  });

  test('is switched off where the lock ends while its holder still switches', () => {
    const lab = leftOn();
    lab.take('bob', 'b1');
    lab.power('bob', 'b1', 'cycle');
    assert.deepEqual(lab.release('bob', 'b1'), ['ending']);
    assert.equal(lab.effectsOf('power-off').length, 1);
    lab.poweredOff('b1');
    assert.deepEqual(stateOf(lab), ['free', false]);
  });

  test('is switched off before the next holder where it was broken and is brought back', () => {
    const lab = leftOn();
    lab.send('boardFailed', { board: 'b1', why: 'smoke' });
    lab.send('service', {
      caller: { user: 'root', admin: true },
      boards: ['b1'],
      action: 'resume',
      note: '',
    });
    assert.deepEqual(stateOf(lab), ['ending', true]);
    lab.poweredOff('b1');
    assert.deepEqual(stateOf(lab), ['free', false]);
  });
});

test('a board that is not left so is switched off, beside one that is', () => {
  const lab = leftOn();
  lab.take('ana', 'b2');
  lab.power('ana', 'b2', 'on');
  lab.powered('b2');
  assert.deepEqual(lab.release('ana', 'b2'), ['ending']);
});

describe('another configuration', () => {
  test('under which a free board is not left on has it switched off before anybody gets it', () => {
    const lab = leftOn();
    lab.configure({ boards: ['b1', 'b2'] });
    assert.deepEqual([stateOf(lab)[0], lab.effectsOf('power-off').length], ['ending', 1]);
    const next = lab.ask('bob', 'b1');
    assert.equal(lab.fate(next), 'waiting');
    lab.poweredOff('b1');
    assert.equal(lab.offered(next), 'b1');
  });

  test('that comes while the agent is away has it switched off when that is back', () => {
    const lab = leftOn();
    lab.away('b1', 'b2');
    lab.configure({ boards: ['b1', 'b2'] });
    lab.present();
    assert.equal(lab.effectsOf('power-off').length, 1);
  });

  test('counts at the end of a lock that was had before', () => {
    const lab = leftOn();
    lab.take('bob', 'b1');
    lab.configure({ boards: ['b1', 'b2'] });
    assert.deepEqual(lab.release('bob', 'b1'), ['ending']);
  });

  test('without the board has it switched off before it is forgotten', () => {
    const lab = leftOn();
    lab.configure({ boards: ['b2'] });
    assert.equal(lab.effectsOf('power-off').length, 1);
    lab.poweredOff('b1');
    assert.equal(lab.state.boards.get('b1'), undefined);
  });

  test('under which the board has another name knows that it may be on', () => {
    const lab = leftOn();
    lab.configure({ boards: [{ ...left, name: 'n1', aliases: ['b1'] }, 'b2'] });
    assert.deepEqual(stateOf(lab, 'n1'), ['free', true]);
  });

  test('under which it has another name and is not left on has it switched off under that', () => {
    const lab = leftOn();
    lab.configure({ boards: [{ name: 'n1', aliases: ['b1'] }, 'b2'] });
    assert.deepEqual(stateOf(lab, 'n1'), ['ending', true]);
  });
});
