// Submit, grant, confirm: a client has a board only after the answer to its confirm, and the scheduler alone orders
// confirm, withdraw and take-back.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admin, asCaller, Lab } from './lab.ts';

const inPools = { boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } };

describe('a grant', () => {
  test('goes to the next in line in the very step in which the board comes free', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const ticket = lab.ask('bob', 'b1');
    lab.release('ana', 'b1');
    assert.deepEqual(
      lab.effectsOf('offer').map((effect) => effect.ticket),
      [ticket],
    );
  });

  test('is not held before it is confirmed', () => {
    const lab = new Lab();
    lab.ask('ana', 'b1');
    assert.equal(lab.stateOf('b1'), 'granted');
    assert.deepEqual(lab.release('ana', 'b1'), ['not-held']);
    assert.equal(lab.stateOf('b1'), 'granted');
  });

  test('that is confirmed is held by its user under its key', () => {
    const lab = new Lab();
    const reply = lab.confirm(lab.ask('ana', 'b1', { key: 'k' }));
    assert.equal(reply.kind, 'held');
    const { user, key, state } = lab.lock('b1');
    assert.deepEqual({ user, key, state }, { user: 'ana', key: 'k', state: 'held' });
  });

  test('takes a new token each time, higher than all before', () => {
    const lab = new Lab();
    const first = lab.take('ana', 'b1').token;
    lab.release('ana', 'b1');
    const second = lab.take('ana', 'b1').token;
    assert.ok(second.number > first.number);
  });

  test('that is not confirmed within 3 s goes to the next', () => {
    const lab = new Lab();
    const [slow, next] = [lab.ask('ana', 'b1'), lab.ask('bob', 'b1')];
    lab.pass(2.999);
    assert.equal(lab.offered(slow), 'b1');
    lab.pass(0.001);
    assert.deepEqual([lab.fate(slow), lab.offered(next)], ['parked', 'b1']);
    assert.deepEqual(
      lab.effectsOf('ping').map((effect) => effect.ticket),
      [slow],
    );
  });

  test('is refused to another user and to a lower token', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1');
    const { token } = lab.lock('b1');
    const older = { ...token, number: token.number - 1 };
    assert.equal(lab.send('confirm', { user: 'bob', ticket, token }).kind, 'unknown');
    assert.equal(lab.send('confirm', { user: 'ana', ticket, token: older }).kind, 'gone');
    assert.equal(lab.stateOf('b1'), 'granted');
  });
});

describe('a confirm that comes late', () => {
  test('is answered gone, and the client waits on at its place', () => {
    const lab = new Lab();
    const [slow, next, later] = [lab.ask('ana', 'b1'), lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    const { token } = lab.lock('b1');
    lab.pass(3);
    assert.equal(lab.send('confirm', { user: 'ana', ticket: slow, token }).kind, 'gone');
    assert.equal(lab.fate(slow), 'waiting');
    lab.confirm(next);
    lab.release('bob', 'b1');
    assert.deepEqual([lab.offered(slow), lab.fate(later)], ['b1', 'waiting']);
  });

  test('gets the board under a new token when nobody else waits', () => {
    const lab = new Lab();
    const slow = lab.ask('ana', 'b1');
    const { token } = lab.lock('b1');
    lab.pass(3);
    assert.equal(lab.stateOf('b1'), 'free');
    assert.equal(lab.send('confirm', { user: 'ana', ticket: slow, token }).kind, 'gone');
    assert.equal(lab.offered(slow), 'b1');
    assert.equal(lab.send('confirm', { user: 'ana', ticket: slow, token }).kind, 'gone');
    assert.equal(lab.confirm(slow).kind, 'held');
  });

  test('on a ticket that is over is unknown, and takes nothing', () => {
    const lab = new Lab();
    const slow = lab.ask('ana', 'b1');
    const { token } = lab.lock('b1');
    lab.pass(3);
    lab.pass(15);
    assert.equal(lab.fate(slow), 'withdrawn');
    assert.equal(lab.send('confirm', { user: 'ana', ticket: slow, token }).kind, 'unknown');
    assert.equal(lab.stateOf('b1'), 'free');
  });
});

describe('a withdraw', () => {
  test('of a waiting ticket leaves its queue', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [gone, next] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    assert.equal(
      lab.send('withdraw', { caller: asCaller('bob'), ticket: gone, why: 'client' }).kind,
      'withdrawn',
    );
    lab.release('ana', 'b1');
    assert.deepEqual([lab.fate(gone), lab.offered(next)], ['withdrawn', 'b1']);
  });

  test('before the confirm frees the board for the next', () => {
    const lab = new Lab();
    const [gone, next] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.send('withdraw', { caller: asCaller('bob'), ticket: gone, why: 'client' });
    assert.deepEqual([lab.fate(gone), lab.offered(next)], ['withdrawn', 'b1']);
  });

  test('after the confirm releases that lock', () => {
    const lab = new Lab();
    const ticket = lab.take('ana', 'b1').ticket;
    assert.equal(lab.send('withdraw', { caller: asCaller('ana'), ticket, why: 'client' }).kind, 'released');
    assert.equal(lab.stateOf('b1'), 'free');
  });

  test('after the confirm of a run stops its job', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    const withdraw = { caller: asCaller('ana'), ticket: job.id, why: 'client' } as const;
    assert.equal(lab.send('withdraw', withdraw).kind, 'released');
    assert.equal(lab.job(job.id).state, 'ending');
    lab.endJob(job, { verdict: 'cancelled', mayBeOn: true });
    // Once more while the power goes off: it is being released already.
    assert.equal(lab.send('withdraw', withdraw).kind, 'released');
    lab.poweredOff('b1');
    assert.equal(lab.send('withdraw', withdraw).kind, 'unknown');
  });

  test('does not release the lock that came after it', () => {
    const lab = new Lab();
    const { ticket } = lab.take('ana', 'b1');
    lab.release('ana', 'b1');
    lab.take('ana', 'b1');
    assert.equal(lab.send('withdraw', { caller: asCaller('ana'), ticket, why: 'client' }).kind, 'unknown');
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('does not release a lock that has changed hands since', () => {
    const lab = new Lab();
    const { ticket } = lab.take('ana', 'b1');
    lab.send('steal', { caller: asCaller('ana'), board: 'b1', newKey: 'elsewhere', note: '' });
    assert.equal(lab.send('withdraw', { caller: asCaller('ana'), ticket, why: 'client' }).kind, 'unknown');
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('is for its user and for admins', () => {
    const lab = new Lab(inPools);
    const waiting = lab.ask('ana', 'b1');
    const job = lab.run('ana', 'b2');
    lab.confirm(waiting);
    for (const number of [waiting, job.id]) {
      const withdraw = { ticket: number, why: 'cancelled' } as const;
      assert.equal(lab.send('withdraw', { ...withdraw, caller: asCaller('bob') }).kind, 'not-allowed');
      assert.equal(lab.send('withdraw', { ...withdraw, caller: admin }).kind, 'released');
    }
  });
});

describe('cancelling what waits', () => {
  test("ends the caller's tickets for that target with exactly that key", () => {
    const lab = new Lab(inPools);
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const mine = lab.ask('bob', 'p', { key: 'a+b' });
    const kept = [
      lab.ask('bob', 'p', { key: 'a+b+' }),
      lab.ask('bob', 'b1', { key: 'a+b' }),
      lab.ask('cyd', 'p', { key: 'a+b' }),
    ];
    const target = { kind: 'pool', name: 'p' } as const;
    const { tickets } = lab.send('cancelWaiting', { caller: asCaller('bob'), target, key: 'a+b' });
    assert.deepEqual(tickets, [mine]);
    assert.equal(lab.fate(mine), 'withdrawn');
    for (const ticket of kept) assert.equal(lab.fate(ticket), 'waiting');
  });

  test('ends a ticket that was just offered a board, and passes that on', () => {
    const lab = new Lab();
    const [mine, next] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.send('cancelWaiting', { caller: asCaller('bob'), target: { kind: 'board', name: 'b1' }, key: '0' });
    assert.deepEqual([lab.fate(mine), lab.offered(next)], ['withdrawn', 'b1']);
  });
});

describe('a deadline', () => {
  test('ends the wait when it has come, and not before', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const ticket = lab.ask('bob', 'b1', { waitSeconds: 16 });
    lab.pass(15.999);
    assert.equal(lab.fate(ticket), 'waiting');
    lab.pass(0.001);
    assert.equal(lab.fate(ticket), 'timed-out');
  });

  test('is not there when none was given', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const ticket = lab.ask('bob', 'b1');
    lab.pass(365 * 86_400);
    assert.equal(lab.fate(ticket), 'waiting');
  });

  test('that comes at the instant at which the board comes free is not missed', () => {
    const lab = new Lab();
    const slow = lab.ask('ana', 'b1');
    const ticket = lab.ask('bob', 'b1', { waitSeconds: 3 });
    lab.pass(3);
    assert.deepEqual([lab.fate(slow), lab.offered(ticket)], ['parked', 'b1']);
  });

  test('does not pass over a board that came free before it, however late the tick', () => {
    const lab = new Lab();
    lab.ask('ana', 'b1');
    const ticket = lab.ask('bob', 'b1', { waitSeconds: 4 });
    lab.pass(60);
    assert.equal(lab.offered(ticket), 'b1');
  });

  test('that comes with the end of an offer ends the ticket', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1', { waitSeconds: 3 });
    lab.pass(3);
    assert.equal(lab.fate(ticket), 'timed-out');
  });

  test('that passed while a board was offered ends the ticket when that is taken back', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1', { waitSeconds: 1 });
    lab.pass(2);
    assert.equal(lab.offered(ticket), 'b1');
    lab.pass(1);
    assert.equal(lab.fate(ticket), 'timed-out');
  });
});
