// `run -n`: tickets that wait for the job slot of a lock that their user holds with their key.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asCaller, Lab, type Wish } from './lab.ts';

const pool = { boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } };
const slot: Wish = { kind: 'slot' };

describe('the job slot of a single board', () => {
  test('is given at once to the holder with the key, and the job runs under that lock', () => {
    const lab = new Lab();
    const lock = lab.take('ana', 'b1', { key: 'k' });
    const job = lab.run('ana', 'b1', { ...slot, key: 'k' });
    assert.deepEqual(job.lockToken, lock.token);
    assert.ok(job.token.number > lock.token.number);
  });

  test('is refused at once to whoever does not hold it', () => {
    const lab = new Lab(pool);
    lab.take('bob', 'b2');
    for (const board of ['b1', 'b2']) {
      const reply = lab.submit('ana', board, slot);
      assert.equal(reply.kind === 'refused' && reply.why.kind, 'not-holder');
    }
  });

  test('is refused at once to the holder with another key', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { key: 'k' });
    const reply = lab.submit('ana', 'b1', slot);
    assert.equal(reply.kind === 'refused' && reply.why.kind, 'wrong-key');
  });

  test("is refused while the lock is not confirmed, is a run's, or is ending", () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1', { kind: 'run' });
    const refused = () => lab.submit('ana', 'b1', slot).kind;
    assert.equal(refused(), 'refused');
    lab.confirm(ticket);
    assert.equal(refused(), 'refused');
    lab.release('ana', 'b1');
    assert.equal(refused(), 'refused');
  });

  test('is one: the second job waits, and runs when the first has ended', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const first = lab.run('ana', 'b1', slot);
    const [second, third] = [lab.ask('ana', 'b1', slot), lab.ask('ana', 'b1', slot)];
    assert.deepEqual([lab.fate(second), lab.fate(third)], ['waiting', 'waiting']);
    lab.endJob(first);
    assert.deepEqual([lab.offered(second), lab.fate(third)], ['b1', 'waiting']);
    assert.equal(lab.stateOf('b1'), 'held');
  });

  test('is served first come, first served, whatever the class', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const job = lab.run('ana', 'b1', slot);
    const [first, high] = [lab.ask('ana', 'b1', slot), lab.ask('ana', 'b1', { ...slot, priority: 0 })];
    lab.endJob(job);
    assert.deepEqual([lab.offered(first), lab.fate(high)], ['b1', 'waiting']);
  });

  test('that is not taken within 3 s goes to the next, and the lock stays', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [slow, next] = [lab.ask('ana', 'b1', slot), lab.ask('ana', 'b1', slot)];
    lab.pass(3);
    assert.deepEqual([lab.fate(slow), lab.offered(next), lab.stateOf('b1')], ['parked', 'b1', 'held']);
    assert.equal(lab.confirm(next).kind, 'started');
  });

  test('never releases the lock: not when the job fails, is cancelled or its client goes', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    lab.endJob(lab.run('ana', 'b1', slot), { verdict: 'error-text', mayBeOn: true });
    assert.equal(lab.stateOf('b1'), 'held');
    const job = lab.run('ana', 'b1', slot);
    lab.send('cancelJob', { caller: asCaller('ana'), job: job.id, why: '' });
    assert.equal(lab.stateOf('b1'), 'held');
    lab.endJob(job, { verdict: 'cancelled' });
    lab.detach(lab.ask('ana', 'b1', slot), true);
    assert.equal(lab.stateOf('b1'), 'held');
  });
});

describe('the job slot of a board in a pool', () => {
  test('is that of the first idle member held with that key', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3'], pools: { p: ['b3', 'b2', 'b1'] } });
    for (const board of ['b1', 'b2']) lab.take('ana', board, { key: 'k' });
    lab.take('ana', 'b3');
    assert.equal(lab.run('ana', 'p', { ...slot, key: 'k' }).board, 'b2');
    assert.equal(lab.run('ana', 'p', { ...slot, key: 'k' }).board, 'b1');
    assert.equal(lab.fate(lab.ask('ana', 'p', { ...slot, key: 'k' })), 'waiting');
  });

  test('is waited for, until there is one', () => {
    const lab = new Lab(pool);
    const ticket = lab.ask('ana', 'p', slot);
    assert.equal(lab.fate(ticket), 'waiting');
    lab.take('ana', 'b1', { key: 'other' });
    assert.equal(lab.fate(ticket), 'waiting');
    lab.take('ana', 'b2');
    assert.equal(lab.offered(ticket), 'b2');
  });

  test('is waited for as long as -t and -w say', () => {
    const lab = new Lab(pool);
    assert.equal(lab.submit('ana', 'p', { ...slot, waitSeconds: 0 }).kind, 'refused');
    const ticket = lab.ask('ana', 'p', { ...slot, waitSeconds: 8 });
    lab.pass(8);
    assert.equal(lab.fate(ticket), 'timed-out');
  });

  test('is not that of a board that can not take the job', () => {
    const boards = ['b1', { name: 'b2', files: { min: 2, max: 2 } }];
    const lab = new Lab({ boards, pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    assert.equal(
      lab.run('ana', 'p', { ...slot, needs: { fileCount: 2, linux: false, dtb: false } }).board,
      'b2',
    );
  });
});

describe('when the lock ends while a ticket waits for its slot', () => {
  test('one that named the board is refused, waiting or offered', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [offered, waiting] = [lab.ask('ana', 'b1', slot), lab.ask('ana', 'b1', slot)];
    lab.release('ana', 'b1');
    for (const ticket of [offered, waiting]) {
      assert.deepEqual(lab.outcome(ticket), { kind: 'refused', why: { kind: 'lock-ended', board: 'b1' } });
    }
  });

  test('one that named a pool waits on', () => {
    const lab = new Lab(pool);
    lab.take('ana', 'b1');
    const [offered, waiting] = [lab.ask('ana', 'p', slot), lab.ask('ana', 'p', slot)];
    lab.release('ana', 'b1');
    assert.deepEqual([lab.fate(offered), lab.fate(waiting)], ['waiting', 'waiting']);
    assert.deepEqual(
      lab.effectsOf('ticket-waiting').map((effect) => effect.ticket),
      [offered],
    );
    lab.take('ana', 'b2');
    assert.equal(lab.offered(offered), 'b2');
  });

  test('one that named a pool and whose client is away stays parked', () => {
    const lab = new Lab(pool);
    lab.take('ana', 'b1');
    const offered = lab.ask('ana', 'p', slot);
    lab.detach(offered);
    lab.release('ana', 'b1');
    lab.take('ana', 'b2');
    assert.equal(lab.fate(offered), 'parked');
    lab.pass(15);
    assert.equal(lab.fate(offered), 'withdrawn');
  });

  test('the same when the lock passes to another', () => {
    const lab = new Lab(pool);
    lab.take('ana', 'b1');
    const [board, inPool] = [lab.ask('ana', 'b1', slot), lab.ask('ana', 'p', slot)];
    lab.send('steal', { caller: asCaller('bob'), board: 'b1', newKey: '0', note: '' });
    assert.deepEqual([lab.fate(board), lab.fate(inPool)], ['refused', 'waiting']);
  });

  test('but a slot ticket of the new holder gets the slot', () => {
    const lab = new Lab(pool);
    lab.take('ana', 'b1');
    const theirs = lab.ask('bob', 'p', slot);
    lab.send('steal', { caller: asCaller('bob'), board: 'b1', newKey: '0', note: '' });
    assert.equal(lab.offered(theirs), 'b1');
  });
});
