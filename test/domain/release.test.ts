// To release, be the holder and give the key; -f releases anyone's. Give and steal pass a lock on.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asCaller, Lab } from './lab.ts';

describe('release', () => {
  test('by the holder with the key frees the board', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { key: 'k' });
    assert.deepEqual(lab.release('ana', 'b1', { key: 'k' }), ['released']);
    assert.equal(lab.stateOf('b1'), 'free');
  });

  test('with another key does nothing', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { key: 'k' });
    assert.deepEqual(lab.release('ana', 'b1'), ['wrong-key']);
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('by another user does nothing, even with the key', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { key: 'k' });
    assert.deepEqual(lab.release('bob', 'b1', { key: 'k' }), ['not-held']);
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('of a free board does nothing, forced or not', () => {
    const lab = new Lab();
    assert.deepEqual(
      [lab.release('ana', 'b1'), lab.release('ana', 'b1', { force: true })],
      [['not-held'], ['not-held']],
    );
  });

  test('of a pool releases only those held by this user with this key', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3', 'b4'] });
    lab.take('ana', 'b1', { key: 'k' });
    lab.take('ana', 'b2');
    lab.take('bob', 'b3', { key: 'k' });
    const outcomes = lab.release('ana', ['b1', 'b2', 'b3', 'b4'], { key: 'k' });
    assert.deepEqual(outcomes, ['released', 'wrong-key', 'not-held', 'not-held']);
  });

  test('that names a token does not release the next lock', () => {
    const lab = new Lab();
    const { token } = lab.take('ana', 'b1');
    assert.deepEqual(lab.release('ana', 'b1', { token }), ['released']);
    lab.take('ana', 'b1');
    assert.deepEqual(lab.release('ana', 'b1', { token }), ['not-held']);
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('stops the job under the lock; the board is free when it is off', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    assert.deepEqual(lab.release('ana', 'b1'), ['ending']);
    assert.equal(lab.effectsOf('cancel-job')[0]?.job.id, job.id);
    const next = lab.ask('bob', 'b1');
    lab.endJob(job, { verdict: 'cancelled', mayBeOn: true });
    assert.equal(lab.fate(next), 'waiting');
    lab.poweredOff('b1');
    assert.equal(lab.offered(next), 'b1');
  });

  test('once more while it is ending changes nothing', () => {
    const lab = new Lab();
    lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    assert.deepEqual(lab.release('ana', 'b1'), ['ending']);
    assert.equal(lab.last.changes.length, 0);
  });

  test('of a board that was left on switches it off first, under the last token that its agent has seen', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    lab.endJob(job, { mayBeOn: true });
    assert.deepEqual(lab.release('ana', 'b1'), ['ending']);
    assert.deepEqual(lab.effectsOf('power-off')[0]?.token, job.token);
    const next = lab.ask('bob', 'b1');
    assert.equal(lab.fate(next), 'waiting');
    lab.poweredOff('b1');
    assert.equal(lab.offered(next), 'b1');
  });
});

describe('a forced release', () => {
  test("releases anyone's, and says by whom, from whom and why", () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { key: 'k' });
    assert.deepEqual(lab.release('bob', 'b1', { force: true, note: 'ana is on holiday' }), ['released']);
    const event = lab.last.audit.find((one) => one.event === 'forced');
    assert.deepEqual([event?.by, event?.user, event?.detail], ['bob', 'ana', 'ana is on holiday']);
    const told = lab.effectsOf('lock-ended')[0];
    assert.deepEqual([told?.lock.user, told?.by, told?.note], ['ana', 'bob', 'ana is on holiday']);
  });

  test("of one's own lock is a release like any", () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    lab.release('ana', 'b1', { force: true });
    assert.ok(lab.audit.includes('released'));
  });

  test('of a board that is only offered ends that ticket, and the next one gets it', () => {
    const lab = new Lab();
    const [offered, next] = [lab.ask('ana', 'b1'), lab.ask('cyd', 'b1')];
    assert.deepEqual(lab.release('bob', 'b1', { force: true }), ['released']);
    assert.deepEqual(lab.outcome(offered), { kind: 'withdrawn', by: 'bob', why: 'forced' });
    assert.equal(lab.offered(next), 'b1');
  });

  test('of an ending that hangs on a broken board gives it up; the board stays broken', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    lab.pass(lab.timing.endingMs / 1000);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'broken');
    assert.deepEqual(lab.release('bob', 'b1', { force: true }), ['released']);
    assert.equal(lab.state.jobs.size, 0);
    assert.equal(lab.submit('bob', 'b1').kind, 'waiting');
    // The agent's late word on it is nobody's any more.
    lab.endJob(job);
    assert.equal(lab.last.changes.length, 0);
  });

  test('of an ending that is on its way waits for it', () => {
    const lab = new Lab();
    lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    assert.deepEqual(lab.release('bob', 'b1', { force: true }), ['ending']);
    assert.equal(lab.stateOf('b1'), 'ending');
  });
});

describe('give and steal', () => {
  const give = { caller: asCaller('ana'), board: 'b1', key: '0', user: 'bob', newKey: 'mine' };
  const steal = { caller: asCaller('bob'), board: 'b1', newKey: 'mine', note: 'release day' };

  test('give makes another the holder in one step, with a new token', () => {
    const lab = new Lab();
    const before = lab.take('ana', 'b1');
    const reply = lab.send('give', give);
    assert.equal(reply.kind, 'done');
    const { user, key, token } = lab.lock('b1');
    assert.deepEqual([user, key], ['bob', 'mine']);
    assert.ok(token.number > before.token.number);
    assert.ok(lab.audit.includes('given'));
    assert.deepEqual(lab.release('bob', 'b1', { key: 'mine' }), ['released']);
  });

  test('give goes past those who wait, and by nobody but the holder with the key', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const waiting = lab.ask('cyd', 'b1');
    assert.equal(lab.send('give', { ...give, caller: asCaller('cyd') }).kind, 'not-held');
    assert.equal(lab.send('give', { ...give, key: 'other' }).kind, 'wrong-key');
    lab.send('give', give);
    assert.deepEqual([lab.lock('b1').user, lab.fate(waiting)], ['bob', 'waiting']);
  });

  test('steal takes it from whoever holds it, audited, and tells them', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    assert.equal(lab.send('steal', steal).kind, 'done');
    assert.equal(lab.lock('b1').user, 'bob');
    assert.ok(lab.audit.includes('stolen'));
    assert.equal(lab.effectsOf('lock-ended')[0]?.lock.user, 'ana');
    assert.deepEqual(lab.release('ana', 'b1'), ['not-held']);
  });

  test('neither is done while a job runs, or on what is not held', () => {
    const lab = new Lab();
    assert.equal(lab.send('steal', steal).kind, 'not-held');
    lab.take('ana', 'b1');
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    assert.equal(lab.send('give', give).kind, 'job-running');
    assert.equal(lab.send('steal', steal).kind, 'job-running');
    lab.release('ana', 'b1');
    assert.equal(lab.send('give', give).kind, 'reclaimed');
    assert.equal(lab.send('steal', steal).kind, 'reclaimed');
    lab.endJob(job);
    lab.ask('ana', 'b1');
    assert.equal(lab.send('steal', steal).kind, 'not-held');
  });

  test('a power off after a gift carries the new token', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    lab.endJob(lab.run('ana', 'b1', { kind: 'slot' }), { mayBeOn: true });
    lab.send('give', give);
    lab.release('bob', 'b1', { key: 'mine' });
    assert.deepEqual(lab.effectsOf('power-off')[0]?.token, lab.lock('b1').token);
  });
});
