// Clients that vanish, hang and return.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asCaller, Lab } from './lab.ts';

describe('a ticket whose client is away', () => {
  test('is parked: a board that comes free goes past it', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [away, next] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.detach(away);
    assert.equal(lab.fate(away), 'parked');
    lab.release('ana', 'b1');
    assert.deepEqual([lab.fate(away), lab.offered(next)], ['parked', 'b1']);
  });

  test('keeps its place for when its client is back', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [away, next] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.detach(away);
    lab.pass(14);
    assert.equal(lab.send('attach', { ticket: away }).kind, 'ticket');
    lab.release('ana', 'b1');
    assert.deepEqual([lab.offered(away), lab.fate(next)], ['b1', 'waiting']);
  });

  test('gets a board that is free in the step in which its client is back', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const away = lab.ask('bob', 'b1');
    lab.detach(away);
    lab.release('ana', 'b1');
    assert.equal(lab.stateOf('b1'), 'free');
    lab.send('attach', { ticket: away });
    assert.equal(lab.offered(away), 'b1');
  });

  test('is withdrawn after the grace, and not before', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const away = lab.ask('bob', 'b1');
    lab.detach(away);
    lab.pass(14.999);
    assert.equal(lab.fate(away), 'parked');
    lab.pass(0.001);
    assert.equal(lab.fate(away), 'withdrawn');
    assert.equal(lab.send('attach', { ticket: away }).kind, 'unknown');
  });

  test('is not withdrawn when the client came back in time', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const away = lab.ask('bob', 'b1');
    lab.detach(away);
    lab.send('attach', { ticket: away });
    lab.pass(60);
    assert.equal(lab.fate(away), 'waiting');
  });

  test('ends at once when its process is known to have ended', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const gone = lab.ask('bob', 'b1');
    lab.detach(gone, true);
    assert.equal(lab.fate(gone), 'withdrawn');
  });

  test('that was offered a board may still confirm it within 3 s', () => {
    const lab = new Lab();
    const away = lab.ask('bob', 'b1');
    lab.detach(away);
    assert.equal(lab.offered(away), 'b1');
    lab.send('attach', { ticket: away });
    assert.deepEqual(
      lab.effectsOf('offer').map((effect) => effect.board),
      ['b1'],
    );
    assert.equal(lab.confirm(away).kind, 'held');
  });

  test('that was offered a board loses it after 3 s and keeps its grace', () => {
    const lab = new Lab();
    const [away, next] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.detach(away);
    lab.pass(3);
    assert.deepEqual([lab.fate(away), lab.offered(next)], ['parked', 'b1']);
    lab.pass(12);
    assert.equal(lab.fate(away), 'withdrawn');
  });

  test('that was offered a board passes it on at once when its process has ended', () => {
    const lab = new Lab();
    const [gone, next] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.detach(gone, true);
    assert.deepEqual([lab.fate(gone), lab.offered(next)], ['withdrawn', 'b1']);
  });

  test('times out at its deadline all the same', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const away = lab.ask('bob', 'b1', { waitSeconds: 5 });
    lab.detach(away);
    lab.pass(5);
    assert.equal(lab.fate(away), 'timed-out');
  });
});

describe('a client that hung', () => {
  test('waits on at its place when it answers a ping', () => {
    const lab = new Lab();
    const [hung, next, later] = [lab.ask('ana', 'b1'), lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.pass(3);
    lab.send('alive', { ticket: hung });
    lab.confirm(next);
    lab.release('bob', 'b1');
    assert.deepEqual([lab.offered(hung), lab.fate(later)], ['b1', 'waiting']);
  });

  test('is given up when it never does', () => {
    const lab = new Lab();
    const hung = lab.ask('ana', 'b1');
    lab.pass(3);
    lab.pass(15);
    assert.equal(lab.fate(hung), 'withdrawn');
  });
});

describe('a job whose client is away', () => {
  test("is stopped after the grace, and its run's lock ends with it", () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.detach(job.id);
    lab.pass(14.999);
    assert.equal(lab.job(job.id).state, 'running');
    lab.pass(0.001);
    assert.deepEqual([lab.job(job.id).state, lab.stateOf('b1')], ['ending', 'ending']);
    assert.equal(lab.effectsOf('cancel-job').length, 1);
  });

  test('goes on when its client is back in time', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.detach(job.id);
    assert.equal(lab.send('attach', { ticket: job.id }).kind, 'job');
    lab.pass(60);
    assert.equal(lab.job(job.id).state, 'running');
  });

  test('is stopped at once when its process has ended', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.detach(job.id, true);
    assert.deepEqual([lab.job(job.id).state, lab.stateOf('b1')], ['ending', 'ending']);
  });

  test('under a lock of its own is stopped, and the lock stays', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    lab.detach(job.id, true);
    assert.deepEqual([lab.job(job.id).state, lab.stateOf('b1')], ['ending', 'held']);
    lab.endJob(job, { verdict: 'cancelled' });
    assert.equal(lab.stateOf('b1'), 'held');
  });
});

describe('a detached job', () => {
  test('has no grace: neither as a ticket nor as a job does it miss its client', () => {
    const lab = new Lab();
    const holder = lab.take('ana', 'b1');
    const id = lab.ask('bob', 'b1', { kind: 'run', detached: true });
    lab.detach(id);
    lab.detach(id, true);
    lab.pass(3_600);
    assert.equal(lab.fate(id), 'waiting');
    lab.release('ana', holder.board);
    lab.confirm(id);
    lab.detach(id, true);
    lab.pass(3_600);
    assert.equal(lab.job(id).state, 'starting');
  });

  test('whose offer nobody took is offered a board again, for ever', () => {
    const lab = new Lab();
    const id = lab.ask('bob', 'b1', { kind: 'run', detached: true });
    lab.pass(3);
    assert.equal(lab.offered(id), 'b1');
    lab.pass(3);
    assert.equal(lab.confirm(id).kind, 'started');
  });

  test('can be withdrawn from elsewhere', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const id = lab.ask('bob', 'b1', { kind: 'run', detached: true });
    lab.send('withdraw', { caller: asCaller('bob'), ticket: id, why: 'cancelled' });
    assert.equal(lab.fate(id), 'withdrawn');
  });
});

describe('a lock that was confirmed', () => {
  test("is the holder's until released, whatever becomes of the client", () => {
    const lab = new Lab();
    const { ticket } = lab.take('ana', 'b1');
    lab.detach(ticket, true);
    lab.pass(365 * 86_400);
    assert.equal(lab.stateOf('b1'), 'held');
  });
});
