// Jobs under their locks, the boards' health, and power between holders.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admin, asCaller, fault, Lab } from './lab.ts';

function healthOf(lab: Lab, board: string): string | undefined {
  return lab.state.boards.get(board)?.health.state;
}

describe('the lock of a run', () => {
  test('ends with its job, and the next gets the board', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    const next = lab.ask('bob', 'b1');
    lab.endJob(job);
    assert.equal(lab.offered(next), 'b1');
  });

  test('ends with its job, whatever the verdict', () => {
    for (const verdict of [
      'completed',
      'error-text',
      'timed-out',
      'boot-failed',
      'lab-fault',
      'cancelled',
    ] as const) {
      const lab = new Lab();
      lab.endJob(lab.run('ana', 'b1'), { verdict });
      assert.equal(lab.stateOf('b1'), 'free', verdict);
    }
  });

  test('ends only after a power off when the board may still be on', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    const next = lab.ask('bob', 'b1');
    lab.endJob(job, { mayBeOn: true });
    assert.deepEqual([lab.stateOf('b1'), lab.fate(next)], ['ending', 'waiting']);
    assert.deepEqual(lab.effectsOf('power-off')[0]?.token, job.token);
    lab.poweredOff('b1');
    assert.equal(lab.offered(next), 'b1');
  });

  test('a job has a token of its own, above that of its lock', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    assert.ok(job.token.number > job.lockToken.number);
  });

  test('reports under another token change nothing', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    const token = { ...job.token, number: job.token.number - 1 };
    lab.send('jobEnded', {
      job: job.id,
      token,
      result: { verdict: 'completed', detail: '', mayBeOn: false },
    });
    assert.equal(lab.last.changes.length, 0);
    lab.send('poweredOff', { board: 'b1', token: job.token, ok: true, detail: '' });
    assert.equal(lab.last.changes.length, 0);
  });

  test('a power off under an older token does not free the board', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.endJob(job, { mayBeOn: true });
    lab.send('poweredOff', { board: 'b1', token: job.lockToken, ok: true, detail: '' });
    assert.equal(lab.stateOf('b1'), 'ending');
  });
});

describe('cancelling a job', () => {
  test('is for its user and for admins', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    const cancel = { job: job.id, why: 'enough' };
    assert.equal(lab.send('cancelJob', { ...cancel, caller: asCaller('bob') }).kind, 'not-allowed');
    assert.equal(lab.send('cancelJob', { ...cancel, caller: admin }).kind, 'ending');
    assert.deepEqual(lab.job(job.id).cancelledBy?.by, 'root');
    assert.equal(lab.send('cancelJob', { ...cancel, job: 99, caller: admin }).kind, 'unknown');
  });

  test('twice tells the agent once', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    const cancel = { caller: asCaller('ana'), job: job.id, why: '' };
    lab.send('cancelJob', cancel);
    lab.send('cancelJob', cancel);
    assert.equal(lab.last.changes.length, 0);
    assert.equal(lab.effects.filter((effect) => effect.kind === 'cancel-job').length, 1);
  });

  test("finishing it ends it as completed, at its user's word only", () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    assert.equal(lab.send('finishJob', { caller: asCaller('bob'), job: job.id }).kind, 'not-allowed');
    assert.equal(lab.send('finishJob', { caller: asCaller('ana'), job: job.id }).kind, 'finishing');
    assert.equal(lab.effectsOf('finish-job').length, 1);
  });
});

describe('a job that does not stop', () => {
  test('makes the board broken past the limit, under a lock that ends', () => {
    const lab = new Lab();
    lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    lab.pass(179);
    assert.equal(healthOf(lab, 'b1'), 'good');
    lab.pass(1);
    assert.deepEqual([healthOf(lab, 'b1'), lab.stateOf('b1')], ['broken', 'ending']);
  });

  test('makes the board broken past the limit, under a lock that stays', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    lab.send('cancelJob', { caller: asCaller('ana'), job: job.id, why: '' });
    lab.pass(180);
    assert.deepEqual([healthOf(lab, 'b1'), lab.stateOf('b1')], ['broken', 'held']);
  });

  test('and stops after all leaves the board broken: nobody gets it', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    const next = lab.ask('bob', 'b1');
    lab.release('ana', 'b1');
    lab.pass(180);
    lab.endJob(job, { verdict: 'cancelled' });
    assert.deepEqual([lab.stateOf('b1'), lab.fate(next)], ['free', 'waiting']);
  });

  test('in time does no harm', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    lab.pass(100);
    lab.endJob(job, { verdict: 'cancelled' });
    lab.pass(1_000);
    assert.equal(healthOf(lab, 'b1'), 'good');
  });
});

describe("a board's health", () => {
  test('one lab fault makes it suspect, three in a row broken', () => {
    const lab = new Lab();
    for (const expected of ['suspect', 'suspect', 'broken']) {
      lab.endJob(lab.run('ana', 'b1'), fault);
      assert.equal(healthOf(lab, 'b1'), expected);
    }
    assert.equal(lab.fate(lab.ask('ana', 'b1')), 'waiting');
  });

  test('a job that worked between them begins the count anew', () => {
    const lab = new Lab();
    for (const _ of [1, 2]) lab.endJob(lab.run('ana', 'b1'), fault);
    lab.endJob(lab.run('ana', 'b1'), { verdict: 'error-text' });
    assert.equal(healthOf(lab, 'b1'), 'good');
    for (const _ of [1, 2]) lab.endJob(lab.run('ana', 'b1'), fault);
    assert.equal(healthOf(lab, 'b1'), 'suspect');
  });

  test('a cancelled job says nothing about it', () => {
    const lab = new Lab();
    for (const _ of [1, 2]) lab.endJob(lab.run('ana', 'b1'), fault);
    lab.endJob(lab.run('ana', 'b1'), { verdict: 'cancelled' });
    lab.endJob(lab.run('ana', 'b1'), fault);
    assert.equal(healthOf(lab, 'b1'), 'broken');
  });

  test('a power off that fails breaks it', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.endJob(job, { mayBeOn: true });
    lab.poweredOff('b1', false);
    const health = lab.state.boards.get('b1')?.health;
    assert.deepEqual([health?.state, lab.stateOf('b1')], ['broken', 'free']);
  });

  test('what can not be driven is broken, with who says so and why', () => {
    const lab = new Lab();
    lab.send('boardFailed', { board: 'b1', why: 'no console' });
    const health = lab.state.boards.get('b1')?.health;
    assert.ok(health?.state === 'broken' && health.why === 'no console' && health.by === 'system');
    assert.equal(lab.fate(lab.ask('ana', 'b1')), 'waiting');
  });
});

describe('a broken board', () => {
  test('stays so until somebody looks, then goes to whoever waits', () => {
    const lab = new Lab();
    lab.send('boardFailed', { board: 'b1', why: 'no console' });
    const ticket = lab.ask('ana', 'b1');
    lab.pass(86_400);
    lab.away('b1');
    lab.present();
    assert.equal(lab.fate(ticket), 'waiting');
    lab.send('service', { caller: admin, boards: ['b1'], action: 'resume', note: '' });
    assert.equal(lab.offered(ticket), 'b1');
  });

  test('that may be on is switched off before the next holder gets it', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.endJob(job, { mayBeOn: true });
    lab.poweredOff('b1', false);
    const ticket = lab.ask('bob', 'b1');
    lab.send('service', { caller: admin, boards: ['b1'], action: 'resume', note: '' });
    assert.deepEqual(
      [lab.stateOf('b1'), lab.lock('b1').user, lab.fate(ticket)],
      ['ending', 'system', 'waiting'],
    );
    assert.ok((lab.effectsOf('power-off')[0]?.token.number ?? 0) > job.token.number);
    lab.poweredOff('b1');
    assert.equal(lab.offered(ticket), 'b1');
  });

  test('and is broken again when that fails', () => {
    const lab = new Lab();
    lab.endJob(lab.run('ana', 'b1'), { mayBeOn: true });
    lab.poweredOff('b1', false);
    lab.send('service', { caller: admin, boards: ['b1'], action: 'resume', note: '' });
    lab.poweredOff('b1', false);
    assert.deepEqual([healthOf(lab, 'b1'), lab.stateOf('b1')], ['broken', 'free']);
  });

  test('whose lock is still ending has a limit again, and its agent is told again', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    lab.pass(180);
    lab.send('service', { caller: admin, boards: ['b1'], action: 'resume', note: '' });
    assert.equal(lab.effectsOf('cancel-job')[0]?.job.id, job.id);
    lab.pass(180);
    assert.equal(healthOf(lab, 'b1'), 'broken');
  });

  test('is not repaired by the words of a user', () => {
    const lab = new Lab();
    lab.send('boardFailed', { board: 'b1', why: 'no console' });
    const reply = lab.send('service', {
      caller: asCaller('ana'),
      boards: ['b1'],
      action: 'resume',
      note: '',
    });
    assert.deepEqual([reply.kind, healthOf(lab, 'b1')], ['not-allowed', 'broken']);
  });
});

describe('draining a board', () => {
  const drain = { caller: admin, boards: ['b1'], action: 'drain', note: 'new cable' } as const;

  test('finishes the present lock and gives no new one', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const next = lab.ask('bob', 'b1');
    assert.equal(lab.send('service', drain).kind, 'done');
    assert.equal(lab.state.boards.get('b1')?.service.state, 'draining');
    lab.release('ana', 'b1');
    const service = lab.state.boards.get('b1')?.service;
    assert.ok(service?.state === 'out' && service.note === 'new cable');
    assert.equal(lab.fate(next), 'waiting');
    lab.send('service', { ...drain, action: 'resume' });
    assert.equal(lab.offered(next), 'b1');
  });

  test('of a free one takes it out at once', () => {
    const lab = new Lab();
    lab.send('service', drain);
    assert.equal(lab.state.boards.get('b1')?.service.state, 'out');
    assert.equal(lab.fate(lab.ask('ana', 'b1')), 'waiting');
  });

  test('does not touch the boards beside it', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.send('service', drain);
    assert.equal(lab.take('ana', 'p').board, 'b2');
    assert.equal(lab.send('service', { ...drain, boards: ['nowhere'] }).kind, 'unknown');
  });
});
