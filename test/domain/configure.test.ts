// A configuration that changes: tickets follow, boards come and go.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admin, asCaller, Lab } from './lab.ts';

const two = { boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } };

describe('loading a configuration', () => {
  test('that is the same changes nothing', () => {
    const lab = new Lab(two);
    assert.equal(lab.configure(two), false);
    assert.equal(lab.last.changes.length, 0);
  });

  test('that is another is audited', () => {
    const lab = new Lab(two);
    assert.equal(lab.configure({ ...two, discipline: 'fifo' }), true);
    assert.deepEqual(lab.audit, ['configured']);
  });

  test('tickets follow their pool to its new boards, and get one that is free in that step', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1'] } });
    lab.take('ana', 'b1');
    const ticket = lab.ask('bob', 'p');
    assert.equal(lab.fate(ticket), 'waiting');
    lab.configure(two);
    assert.equal(lab.offered(ticket), 'b2');
  });

  test('they keep arrival and turn', () => {
    const lab = new Lab(two);
    for (const board of ['b1', 'b2']) lab.take('ana', board);
    const [a1, a2] = [lab.ask('bob', 'p', { key: '1' }), lab.ask('bob', 'p', { key: '2' })];
    const [c1, c2] = [lab.ask('cyd', 'p', { key: '1' }), lab.ask('cyd', 'p', { key: '2' })];
    lab.release('ana', 'b1');
    lab.confirm(a1);
    // bob's set has had its turn; in another queue it still has.
    lab.configure({ boards: ['b1', 'b2', 'b3'], pools: { p: ['b1', 'b2', 'b3'] } });
    lab.release('bob', 'b1', { key: '1' });
    assert.deepEqual([lab.offered(c1), lab.fate(a2)], ['b1', 'waiting']);
    lab.confirm(c1);
    lab.release('cyd', 'b1', { key: '1' });
    assert.deepEqual([lab.offered(a2), lab.fate(c2)], ['b1', 'waiting']);
  });

  test('a grant that is taken back after it costs no turn', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const [b1, b2] = [lab.ask('bob', 'p', { key: '1' }), lab.ask('bob', 'p', { key: '2' })];
    const c = lab.ask('cyd', 'p');
    lab.release('ana', 'b1');
    assert.equal(lab.offered(b1), 'b1');
    lab.configure({ ...two, discipline: 'turns', limits: { queueLength: 7 } });
    lab.detach(b1, true);
    assert.deepEqual([lab.offered(b2), lab.fate(c)], ['b1', 'waiting']);
  });

  test('but one that is confirmed after it does', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const [b1, b2] = [lab.ask('bob', 'p', { key: '1' }), lab.ask('bob', 'p', { key: '2' })];
    const c = lab.ask('cyd', 'p');
    lab.release('ana', 'b1');
    lab.configure({ ...two, limits: { queueLength: 7 } });
    lab.confirm(b1);
    lab.release('bob', 'b1', { key: '1' });
    assert.deepEqual([lab.offered(c), lab.fate(b2)], ['b1', 'waiting']);
  });

  test('two pools that become equal share a queue', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1'], q: ['b2'] }, present: false });
    const [p, q] = [lab.ask('ana', 'p'), lab.ask('bob', 'q')];
    lab.configure({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'], q: ['b2', 'b1'] } });
    assert.equal(lab.ticket(p).queue, lab.ticket(q).queue);
  });

  test('a ticket that no board can satisfy any more ends refused', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const [gone, kept] = [lab.ask('bob', 'b2'), lab.ask('cyd', 'p')];
    lab.configure({ boards: ['b1'], pools: { p: ['b1'] } });
    const outcome = lab.outcome(gone);
    assert.ok(outcome?.kind === 'refused' && outcome.why.kind === 'no-board');
    assert.equal(lab.fate(kept), 'waiting');
  });

  test('a parked ticket follows too', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const ticket = lab.ask('bob', 'p');
    lab.detach(ticket);
    lab.configure({ boards: ['b1', 'b2', 'b3'], pools: { p: ['b1', 'b3'] } });
    lab.present();
    assert.equal(lab.fate(ticket), 'parked');
    lab.send('attach', { ticket });
    assert.equal(lab.offered(ticket), 'b3');
  });

  test('an offer stands; taken back where nothing could serve it any more, it ends refused', () => {
    const lab = new Lab(two);
    const [kept, lost] = [lab.ask('ana', 'b1'), lab.ask('bob', 'b2')];
    lab.configure({ boards: ['b3'] });
    assert.equal(lab.confirm(kept).kind, 'held');
    lab.pass(3);
    assert.equal(lab.fate(lost), 'refused');
    assert.equal(lab.state.boards.has('b2'), false);
  });

  test('the turns can be switched off and on', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [a1, a2] = [lab.ask('bob', 'b1', { key: '1' }), lab.ask('bob', 'b1', { key: '2' })];
    const c = lab.ask('cyd', 'b1');
    lab.release('ana', 'b1');
    lab.confirm(a1);
    lab.configure({ discipline: 'fifo' });
    lab.release('bob', 'b1', { key: '1' });
    assert.deepEqual([lab.offered(a2), lab.fate(c)], ['b1', 'waiting']);
  });

  test('slot tickets follow as well', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1'] } });
    lab.take('ana', 'b2');
    const ticket = lab.ask('ana', 'p', { kind: 'slot' });
    assert.equal(lab.fate(ticket), 'waiting');
    lab.configure(two);
    assert.equal(lab.offered(ticket), 'b2');
  });
});

describe('a board that the configuration no longer names', () => {
  test('is gone at once when it is free', () => {
    const lab = new Lab(two);
    lab.configure({ boards: ['b1'] });
    assert.equal(lab.state.boards.has('b2'), false);
  });

  test('is finished by its holder first, and reclaimed by nobody', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b2', { holdSeconds: 10 });
    const job = lab.run('ana', 'b2', { kind: 'slot' });
    lab.configure({ boards: ['b1'] });
    lab.pass(60);
    assert.deepEqual([lab.stateOf('b2'), lab.state.boards.get('b2')?.removed], ['held', true]);
    lab.release('ana', 'b2');
    lab.endJob(job, { verdict: 'cancelled' });
    assert.equal(lab.state.boards.has('b2'), false);
  });

  test('and comes back in time is as before', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b2');
    lab.configure({ boards: ['b1'] });
    lab.configure(two);
    lab.release('ana', 'b2');
    assert.equal(lab.take('bob', 'b2').board, 'b2');
  });

  test('stays broken when it comes back', () => {
    const lab = new Lab(two);
    lab.endJob(lab.run('ana', 'b2'), { mayBeOn: true });
    lab.poweredOff('b2', false);
    lab.configure({ boards: ['b1'] });
    lab.configure(two);
    const { health, mayBeOn } = lab.state.boards.get('b2') ?? {};
    assert.deepEqual([health?.state, mayBeOn], ['broken', true]);
  });

  test('is forgotten when somebody has looked at it', () => {
    const lab = new Lab(two);
    lab.send('boardFailed', { board: 'b2', why: 'no console' });
    lab.configure({ boards: ['b1'] });
    lab.send('service', { caller: admin, boards: ['b2'], action: 'resume', note: '' });
    assert.equal(lab.state.boards.has('b2'), false);
  });

  test('refuses whoever waits for its job slot', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b2');
    const job = lab.run('ana', 'b2', { kind: 'slot' });
    const slot = lab.ask('ana', 'b2', { kind: 'slot' });
    lab.configure({ boards: ['b1'] });
    assert.equal(lab.fate(slot), 'refused');
    lab.send('cancelJob', { caller: asCaller('ana'), job: job.id, why: '' });
    assert.equal(lab.stateOf('b2'), 'held');
  });
});
