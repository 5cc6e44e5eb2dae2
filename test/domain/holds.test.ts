// -T: a hold with an end. Past it the lock may be reclaimed, and only for somebody who is there to take it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asCaller, Lab } from './lab.ts';

const twoBoards = { boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } };

/** Tickets whose clients were asked for a sign of life in the last step. */
function pinged(lab: Lab): number[] {
  return [...new Set(lab.effectsOf('ping').map((effect) => effect.ticket))];
}

describe('a hold that is over', () => {
  test('stays while nobody else wants the board', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    lab.pass(3_600);
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('is counted from the confirm', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1', { holdSeconds: 10 });
    lab.pass(2);
    lab.confirm(ticket);
    assert.equal(lab.lock('b1').endsAt, lab.nowMs + 10_000);
  });

  test('ends when the next in line has answered a ping, and the board is theirs in that step', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const next = lab.ask('bob', 'b1');
    lab.pass(9.999);
    assert.deepEqual(pinged(lab), []);
    lab.pass(0.001);
    assert.deepEqual([pinged(lab), lab.stateOf('b1')], [[next], 'held']);
    lab.send('alive', { ticket: next });
    assert.equal(lab.offered(next), 'b1');
    const told = lab.effectsOf('lock-ended')[0];
    assert.deepEqual([told?.lock.user, told?.reason, told?.by], ['ana', 'reclaimed', 'bob']);
  });

  test('does not end before its time, though the next in line answers', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const next = lab.ask('bob', 'b1');
    lab.pass(9);
    lab.send('alive', { ticket: next });
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('never ends when none was given', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const next = lab.ask('bob', 'b1');
    lab.pass(365 * 86_400);
    lab.send('alive', { ticket: next });
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('does not end for a client that does not answer, nor for one that is not next', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    lab.ask('bob', 'b1');
    const second = lab.ask('cyd', 'b1');
    lab.pass(60);
    assert.equal(lab.stateOf('b1'), 'held');
    lab.send('alive', { ticket: second });
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test("ends for the same user's other ticket too", () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const other = lab.ask('ana', 'b1', { key: 'other' });
    lab.pass(10);
    lab.send('alive', { ticket: other });
    assert.equal(lab.offered(other), 'b1');
  });

  test('makes who comes later asked at once', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    lab.pass(60);
    const late = lab.ask('bob', 'b1');
    assert.deepEqual(pinged(lab), [late]);
  });

  test('stays while a free board would do', () => {
    const lab = new Lab(twoBoards);
    lab.take('ana', 'b1', { holdSeconds: 10 });
    lab.pass(60);
    const next = lab.ask('bob', 'p');
    assert.equal(lab.offered(next), 'b2');
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('the one longest past its end makes room', () => {
    const lab = new Lab(twoBoards);
    lab.take('ana', 'b1', { holdSeconds: 20 });
    lab.take('bob', 'b2', { holdSeconds: 10 });
    lab.pass(60);
    const next = lab.ask('cyd', 'p');
    lab.send('alive', { ticket: next });
    assert.deepEqual([lab.offered(next), lab.stateOf('b1')], ['b2', 'held']);
  });

  test('of those, one for which another ticket is next in line is left to that', () => {
    const lab = new Lab(twoBoards);
    lab.take('ana', 'b1', { holdSeconds: 20 });
    lab.take('bob', 'b2', { holdSeconds: 10 });
    const first = lab.ask('dee', 'b2');
    const next = lab.ask('cyd', 'p');
    lab.pass(60);
    assert.deepEqual(pinged(lab).sort(), [first, next].sort());
    lab.send('alive', { ticket: next });
    assert.deepEqual([lab.offered(next), lab.stateOf('b2')], ['b1', 'held']);
  });
});

describe('a reclaim', () => {
  test('stops the job and switches the board off under the old token before the next is granted', () => {
    const lab = new Lab();
    const lock = lab.take('ana', 'b1', { holdSeconds: 10 });
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    const next = lab.ask('bob', 'b1');
    lab.pass(10);
    lab.send('alive', { ticket: next });
    assert.deepEqual([lab.stateOf('b1'), lab.job(job.id).state], ['ending', 'ending']);
    lab.endJob(job, { verdict: 'cancelled', mayBeOn: true });
    assert.equal(lab.fate(next), 'waiting');
    assert.deepEqual(lab.effectsOf('power-off')[0]?.token, job.token);
    assert.deepEqual(lab.lock('b1').token, lock.token);
    lab.poweredOff('b1');
    assert.equal(lab.offered(next), 'b1');
  });

  test('takes one board for one ticket, however often its client answers', () => {
    const lab = new Lab(twoBoards);
    lab.take('ana', 'b1', { holdSeconds: 10 });
    lab.take('ana', 'b2', { holdSeconds: 11 });
    for (const board of ['b1', 'b2']) lab.run('ana', board, { kind: 'slot' });
    const next = lab.ask('bob', 'p');
    lab.pass(60);
    lab.send('alive', { ticket: next });
    lab.send('alive', { ticket: next });
    assert.deepEqual([lab.stateOf('b1'), lab.stateOf('b2')], ['ending', 'held']);
  });

  test('takes another when the one that was ending goes to somebody who came before', () => {
    const lab = new Lab(twoBoards);
    lab.take('ana', 'b1', { holdSeconds: 10 });
    lab.take('ana', 'b2', { holdSeconds: 11 });
    for (const board of ['b1', 'b2']) lab.run('ana', board, { kind: 'slot' });
    const next = lab.ask('bob', 'p');
    lab.pass(60);
    lab.send('alive', { ticket: next });
    lab.ask('cyd', 'b1', { priority: 0 });
    assert.deepEqual(pinged(lab), [next]);
    lab.send('alive', { ticket: next });
    assert.equal(lab.stateOf('b2'), 'ending');
  });

  test('is looked for anew when the ticket before leaves, in whatever queue that was', () => {
    for (const before of ['b1,b3', 'b1', 'p']) {
      const lab = new Lab({ boards: ['b1', 'b2', 'b3'], pools: { p: ['b1', 'b2'], q: ['b1', 'b2', 'b3'] } });
      for (const board of ['b1', 'b2', 'b3'])
        lab.take('ana', board, board === 'b1' ? { holdSeconds: 10 } : {});
      const first = lab.ask('bob', before);
      const next = lab.ask('cyd', 'q');
      lab.pass(60);
      assert.deepEqual(pinged(lab), [first]);
      lab.detach(first, true);
      assert.deepEqual(pinged(lab), [next], `behind a ticket for ${before}`);
    }
  });

  test("is not begun while the board's agent is away, and is when it is back", () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const next = lab.ask('bob', 'b1');
    lab.away('b1');
    lab.pass(60);
    lab.send('alive', { ticket: next });
    assert.equal(lab.stateOf('b1'), 'held');
    lab.present();
    assert.deepEqual(pinged(lab), [next]);
  });

  test('is not begun for a board that is to leave service', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const next = lab.ask('bob', 'b1');
    lab.send('service', { caller: asCaller('root'), boards: ['b1'], action: 'drain', note: '' });
    lab.pass(60);
    lab.send('alive', { ticket: next });
    assert.equal(lab.stateOf('b1'), 'held');
    lab.send('service', { caller: asCaller('root'), boards: ['b1'], action: 'resume', note: '' });
    assert.deepEqual(pinged(lab), [next]);
  });
});

describe('extend', () => {
  const extend = { caller: asCaller('ana'), board: 'b1', key: '0', holdSeconds: 30 };

  test('makes the hold longer from now on, also when it was over', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const next = lab.ask('bob', 'b1');
    lab.pass(20);
    assert.equal(lab.send('extend', extend).kind, 'done');
    lab.send('alive', { ticket: next });
    assert.equal(lab.stateOf('b1'), 'held');
    lab.pass(30);
    assert.deepEqual(pinged(lab), [next]);
  });

  test('with 0 takes the end away', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    lab.send('extend', { ...extend, holdSeconds: 0 });
    assert.equal(lab.lock('b1').endsAt, undefined);
  });

  test('is for the holder with the key', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    assert.equal(lab.send('extend', { ...extend, caller: asCaller('bob') }).kind, 'not-held');
    assert.equal(lab.send('extend', { ...extend, key: 'k' }).kind, 'wrong-key');
  });

  test('is refused once the reclaim has begun', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    lab.run('ana', 'b1', { kind: 'slot' });
    const next = lab.ask('bob', 'b1');
    lab.pass(10);
    lab.send('alive', { ticket: next });
    assert.equal(lab.send('extend', extend).kind, 'reclaimed');
    assert.equal(lab.stateOf('b1'), 'ending');
  });
});

describe('the longest hold of a board', () => {
  const boards = [{ name: 'b1', holdMaxSeconds: 60 }];

  test('ends a hold that asked for none or for longer', () => {
    for (const holdSeconds of [0, 100]) {
      const lab = new Lab({ boards });
      lab.take('ana', 'b1', { holdSeconds });
      assert.equal(lab.lock('b1').endsAt, lab.nowMs + 60_000);
    }
  });

  test('leaves a shorter one as it is', () => {
    const lab = new Lab({ boards });
    lab.take('ana', 'b1', { holdSeconds: 10 });
    assert.equal(lab.lock('b1').endsAt, lab.nowMs + 10_000);
  });

  test('counts from the confirm: no extension goes past it', () => {
    const lab = new Lab({ boards });
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const latest = lab.nowMs + 60_000;
    lab.pass(50);
    lab.send('extend', { caller: asCaller('ana'), board: 'b1', key: '0', holdSeconds: 30 });
    assert.equal(lab.lock('b1').endsAt, latest);
    lab.send('extend', { caller: asCaller('ana'), board: 'b1', key: '0', holdSeconds: 0 });
    assert.equal(lab.lock('b1').endsAt, latest);
  });
});

describe('the longest idle time of a board', () => {
  const boards = [{ name: 'b1', idleMaxSeconds: 60 }];

  test('ends a lock under which nothing happens', () => {
    const lab = new Lab({ boards });
    lab.take('ana', 'b1');
    lab.pass(59);
    assert.equal(lab.stateOf('b1'), 'held');
    lab.pass(1);
    assert.equal(lab.stateOf('b1'), 'free');
    assert.equal(lab.effectsOf('lock-ended')[0]?.reason, 'idle');
  });

  test("begins anew with each use, and only under the lock's own token", () => {
    const lab = new Lab({ boards });
    const { token } = lab.take('ana', 'b1');
    lab.pass(50);
    lab.send('touch', { board: 'b1', token: { ...token, number: token.number - 1 } });
    assert.equal(lab.last.changes.length, 0);
    lab.send('touch', { board: 'b1', token });
    lab.pass(50);
    assert.equal(lab.stateOf('b1'), 'held');
    lab.pass(10);
    assert.equal(lab.stateOf('b1'), 'free');
  });

  test('rests while a job runs, and begins when it has ended', () => {
    const lab = new Lab({ boards });
    lab.take('ana', 'b1');
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    lab.pass(600);
    assert.equal(lab.stateOf('b1'), 'held');
    lab.endJob(job);
    lab.pass(60);
    assert.equal(lab.stateOf('b1'), 'free');
  });

  test('is not there on other boards', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    lab.pass(365 * 86_400);
    assert.equal(lab.stateOf('b1'), 'held');
  });
});
