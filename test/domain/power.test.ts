// A holder's own switching: when the board counts as possibly on, under which token the agent is told, and what waits for it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sameToken } from '../../src/domain/records.ts';
import { Lab } from './lab.ts';

const mayBeOn = (lab: Lab, board = 'b1'): boolean | undefined => lab.state.boards.get(board)?.mayBeOn;

function held(): Lab {
  const lab = new Lab();
  lab.take('ana', 'b1');
  return lab;
}

/** The request of the action under way. */
function requestOf(lab: Lab): string {
  const request = lab.lock('b1').power?.request;
  assert.ok(request);
  return request;
}

describe('a holder who switches the board on', () => {
  for (const action of ['on', 'cycle'] as const) {
    test(`has it count as on in the very step, before the agent hears of it (${action})`, () => {
      const lab = held();
      assert.equal(lab.power('ana', 'b1', action).kind, 'sent');
      assert.equal(mayBeOn(lab), true);
      const [effect] = lab.effectsOf('power');
      assert.ok(effect && sameToken(effect.token, lab.lock('b1').token));
      assert.deepEqual({ action: effect.action, again: effect.again }, { action, again: false });
      assert.deepEqual(lab.audit, ['power']);
    });
  }

  test('has it switched off when the lock ends, answered or not', () => {
    for (const answer of [true, false, undefined]) {
      const lab = held();
      lab.power('ana', 'b1', 'on');
      if (answer !== undefined) lab.powered('b1', answer);
      assert.deepEqual(lab.release('ana', 'b1'), ['ending']);
      assert.equal(lab.effectsOf('power-off').length, 1);
      lab.poweredOff('b1');
      assert.deepEqual([lab.stateOf('b1'), mayBeOn(lab)], ['free', false]);
    }
  });

  test('may give it back in one step after an off that worked, and not after one that failed', () => {
    for (const ok of [true, false]) {
      const lab = held();
      lab.power('ana', 'b1', 'on');
      lab.powered('b1');
      lab.power('ana', 'b1', 'off');
      assert.equal(mayBeOn(lab), true);
      lab.powered('b1', ok);
      assert.equal(mayBeOn(lab), !ok);
      assert.deepEqual(lab.release('ana', 'b1'), [ok ? 'released' : 'ending']);
    }
  });

  test('an off that is not answered is waited for, since it could meet the next holder', () => {
    const lab = held();
    lab.power('ana', 'b1', 'off');
    assert.deepEqual(lab.release('ana', 'b1'), ['ending']);
    lab.powered('b1');
    assert.equal(lab.stateOf('b1'), 'ending');
    lab.poweredOff('b1');
    assert.equal(lab.stateOf('b1'), 'free');
  });
});

describe('switching is the holder’s alone', () => {
  test('others, another key and an ending lock are refused, and nothing is changed', () => {
    const lab = held();
    assert.equal(lab.power('bob', 'b1', 'on').kind, 'not-held');
    assert.equal(lab.power('ana', 'b1', 'on', 'k').kind, 'wrong-key');
    lab.endJob(lab.run('ana', 'b1', { kind: 'slot' }), { mayBeOn: true });
    lab.release('ana', 'b1');
    assert.equal(lab.power('ana', 'b1', 'on').kind, 'reclaimed');
    assert.deepEqual(lab.effectsOf('power'), []);
  });

  test('while the agent is away it is refused, and the board does not count as on', () => {
    const lab = held();
    lab.away('b1');
    assert.equal(lab.power('ana', 'b1', 'on').kind, 'agent-away');
    assert.equal(mayBeOn(lab), false);
  });

  test('the lock can not be handed on while it goes on, and can afterwards', () => {
    const lab = held();
    lab.power('ana', 'b1', 'cycle');
    const give = () =>
      lab.send('give', {
        caller: { user: 'ana', admin: false },
        board: 'b1',
        key: '0',
        user: 'bob',
        newKey: '0',
      });
    assert.equal(give().kind, 'switching');
    lab.powered('b1');
    assert.equal(give().kind, 'done');
  });
});

describe('one action at a time', () => {
  test('a second one is refused until the first is answered', () => {
    const lab = held();
    lab.power('ana', 'b1', 'on');
    assert.equal(lab.power('ana', 'b1', 'off').kind, 'switching');
    lab.powered('b1', false);
    assert.equal(lab.power('ana', 'b1', 'off').kind, 'sent');
  });

  test('a job waits for it, and comes when it is answered, also when it failed', () => {
    for (const ok of [true, false]) {
      const lab = held();
      lab.power('ana', 'b1', 'on');
      const slot = lab.ask('ana', 'b1', { kind: 'slot' });
      assert.equal(lab.fate(slot), 'waiting');
      lab.powered('b1', ok);
      assert.equal(lab.offered(slot), 'b1');
    }
  });

  test('under a job it carries the token of the job, which goes on', () => {
    const lab = held();
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    assert.equal(lab.power('ana', 'b1', 'cycle').kind, 'sent');
    assert.deepEqual(lab.effectsOf('power')[0]?.token, job.token);
    assert.equal(lab.job(job.id).state, 'running');
  });

  test('a job that had its place before overtakes it; the late answer changes nothing', () => {
    const lab = held();
    const slot = lab.ask('ana', 'b1', { kind: 'slot' });
    lab.power('ana', 'b1', 'off');
    const request = requestOf(lab);
    lab.confirm(slot);
    assert.equal(lab.lock('b1').power, undefined);
    lab.endJob(lab.job(slot), { mayBeOn: true });
    lab.power('ana', 'b1', 'on');
    lab.send('powered', { board: 'b1', request, ok: true, detail: '' });
    assert.equal(mayBeOn(lab), true);
    assert.notEqual(requestOf(lab), request);
  });
});

describe('what a job reports of the power', () => {
  test('does not hide that its holder has switched on meanwhile', () => {
    const lab = held();
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    lab.power('ana', 'b1', 'on');
    lab.powered('b1');
    lab.endJob(job, { mayBeOn: false });
    assert.equal(mayBeOn(lab), true);
  });

  test('counts where the holder had switched on before it', () => {
    const lab = held();
    lab.power('ana', 'b1', 'on');
    lab.powered('b1');
    lab.endJob(lab.run('ana', 'b1', { kind: 'slot' }), { mayBeOn: false });
    assert.equal(mayBeOn(lab), false);
  });

  test('decides where its holder has switched off under it', () => {
    const lab = held();
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    lab.power('ana', 'b1', 'off');
    lab.powered('b1');
    assert.equal(mayBeOn(lab), true);
    lab.endJob(job, { mayBeOn: false });
    assert.equal(mayBeOn(lab), false);
  });

  test('says nothing where the job was only a console', () => {
    for (const isOn of [false, true]) {
      const lab = held();
      if (isOn) lab.power('ana', 'b1', 'on');
      if (isOn) lab.powered('b1');
      const job = lab.run('ana', 'b1', { kind: 'slot', consoleOnly: true });
      assert.equal(mayBeOn(lab), isOn);
      lab.endJob(job, { mayBeOn: !isOn });
      assert.equal(mayBeOn(lab), isOn);
    }
  });

  test('an off beside a console counts at once', () => {
    const lab = held();
    lab.power('ana', 'b1', 'on');
    lab.powered('b1');
    lab.run('ana', 'b1', { kind: 'slot', consoleOnly: true });
    lab.power('ana', 'b1', 'off');
    lab.powered('b1');
    assert.equal(mayBeOn(lab), false);
  });
});

describe('a server that dies', () => {
  test('between commit and effect leaves the board counting as on, and it is switched off at the release', () => {
    const lab = held();
    lab.power('ana', 'b1', 'on');
    lab.restart();
    assert.equal(mayBeOn(lab), true);
    lab.present();
    const [asked] = lab.effectsOf('power');
    assert.equal(asked?.again, true);
    lab.powered('b1', false);
    assert.deepEqual(lab.release('ana', 'b1'), ['ending']);
    assert.equal(lab.effectsOf('power-off').length, 1);
  });

  test('or an agent that comes back with its job lost, is told again too', () => {
    const lab = held();
    lab.run('ana', 'b1', { kind: 'slot' });
    lab.power('ana', 'b1', 'cycle');
    lab.away('b1');
    lab.present(['b1'], []);
    assert.equal(lab.effectsOf('power')[0]?.again, true);
  });
});

describe('a lock with an idle limit', () => {
  const limited = (): Lab => {
    const lab = new Lab({ boards: [{ name: 'b1', idleMaxSeconds: 10 }] });
    lab.take('ana', 'b1');
    return lab;
  };

  test('is used by switching: the clock rests while that goes on, and begins anew', () => {
    const lab = limited();
    lab.pass(9);
    lab.power('ana', 'b1', 'on');
    lab.pass(60);
    assert.equal(lab.stateOf('b1'), 'held');
    lab.powered('b1');
    lab.pass(9);
    assert.equal(lab.stateOf('b1'), 'held');
    lab.pass(1);
    assert.equal(lab.stateOf('b1'), 'ending');
  });

  test('is not used by a console that nobody types into, and that ends with it', () => {
    const lab = limited();
    lab.run('ana', 'b1', { kind: 'slot', consoleOnly: true });
    lab.pass(9);
    lab.send('touch', { board: 'b1', token: lab.lock('b1').token });
    lab.pass(9);
    assert.equal(lab.stateOf('b1'), 'held');
    lab.pass(1);
    assert.deepEqual([lab.stateOf('b1'), lab.effectsOf('cancel-job').length], ['ending', 1]);
  });

  test('is used by any other job', () => {
    const lab = limited();
    lab.run('ana', 'b1', { kind: 'slot' });
    lab.pass(60);
    assert.equal(lab.stateOf('b1'), 'held');
  });
});
