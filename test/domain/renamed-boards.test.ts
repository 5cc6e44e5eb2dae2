// A board that gets another name: the new one has the old among its aliases.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admin, Lab } from './lab.ts';

const before = { boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } };
const bee = { name: 'bee', aliases: ['b2'] };
const after = { boards: ['b1', bee], pools: { p: ['b1', 'bee'] } };

function rename(lab: Lab): void {
  lab.configure(after);
  lab.present(['bee']);
}

describe('a board with another name', () => {
  test('is the new one at once where it is free: in the same health and service, with its faults', () => {
    const lab = new Lab(before);
    lab.endJob(lab.run('ana', 'b2'), { verdict: 'lab-fault' });
    lab.send('service', { caller: admin, boards: ['b2'], action: 'drain', note: 'new fan', seconds: 60 });
    rename(lab);
    assert.equal(lab.state.boards.has('b2'), false);
    const { health, service, faults, succeeds } = lab.state.boards.get('bee') ?? {};
    assert.deepEqual([health?.state, faults, succeeds], ['suspect', 1, undefined]);
    assert.ok(service?.state === 'out' && service.note === 'new fan');
    const ticket = lab.ask('bob', 'bee');
    lab.pass(60);
    assert.equal(lab.offered(ticket), 'bee');
  });

  test('stays broken, and is switched off under the new name when somebody has looked', () => {
    const lab = new Lab(before);
    lab.endJob(lab.run('ana', 'b2'), { mayBeOn: true });
    lab.poweredOff('b2', false);
    rename(lab);
    assert.equal(lab.state.boards.has('b2'), false);
    const ticket = lab.ask('bob', 'bee');
    assert.equal(lab.fate(ticket), 'waiting');
    lab.send('service', { caller: admin, boards: ['bee'], action: 'resume', note: '' });
    assert.deepEqual(
      lab.effectsOf('power-off').map(({ board }) => board),
      ['bee'],
    );
    lab.poweredOff('bee');
    assert.equal(lab.offered(ticket), 'bee');
  });

  test('is not locked by a file under the new one while it is held under the old one', () => {
    const files = { lockFiles: '/locks' };
    const lab = new Lab({ ...before, ...files });
    const ticket = lab.ask('ana', 'b2');
    lab.made('b2');
    lab.confirm(ticket);
    lab.configure({ ...after, ...files });
    lab.present(['bee']);
    lab.seen('bee', {});
    assert.equal(lab.state.locks.has('bee'), false);
    lab.release('ana', 'b2');
    lab.seen('bee', {});
    assert.equal(lab.lock('bee').origin, 'file');
  });

  test('is nobody else’s while it is held under the old one, whatever they call it', () => {
    const lab = new Lab(before);
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const [old, pool] = [lab.ask('bob', 'b2'), lab.ask('cyd', 'p')];
    rename(lab);
    const fresh = lab.ask('dee', 'bee');
    assert.deepEqual(
      [old, pool, fresh].map((ticket) => lab.fate(ticket)),
      ['waiting', 'waiting', 'waiting'],
    );
    assert.equal(lab.state.isFree('bee'), false);
    lab.release('ana', 'b2');
    // In the order in which they came, and not to two.
    assert.equal(lab.whoIsNext(old, pool, fresh), old);
    assert.equal(lab.offered(old), 'bee');
    assert.deepEqual([lab.fate(pool), lab.fate(fresh)], ['waiting', 'waiting']);
  });

  test('and while its job is being stopped and it is switched off', () => {
    const lab = new Lab(before);
    const job = lab.run('ana', 'b2');
    lab.release('ana', 'b2');
    rename(lab);
    const ticket = lab.ask('bob', 'bee');
    lab.endJob(job, { verdict: 'cancelled', mayBeOn: true });
    assert.equal(lab.fate(ticket), 'waiting');
    lab.poweredOff('b2');
    assert.equal(lab.offered(ticket), 'bee');
  });

  test('is refused to its holder with the same key, as it was under the old name', () => {
    const lab = new Lab(before);
    lab.take('ana', 'b2', { key: 'k' });
    rename(lab);
    const reply = lab.submit('ana', 'bee', { key: 'k' });
    assert.ok(reply.kind === 'refused' && reply.why.kind === 'already-yours' && reply.why.board === 'b2');
    assert.equal(lab.submit('ana', 'bee', { key: 'other' }).kind, 'waiting');
  });

  test('that gets its old one back is as before', () => {
    const lab = new Lab(before);
    lab.take('ana', 'b2');
    rename(lab);
    lab.configure(before);
    assert.deepEqual([lab.stateOf('b2'), lab.state.boards.get('b2')?.removed], ['held', false]);
    lab.release('ana', 'b2');
    assert.equal(lab.take('bob', 'b2').board, 'b2');
  });

  test('that changes once more is still nobody’s before its holder under the first is done', () => {
    const lab = new Lab(before);
    lab.take('ana', 'b2');
    rename(lab);
    lab.configure({ boards: ['b1', { name: 'sea', aliases: ['bee', 'b2'] }] });
    lab.present(['sea']);
    const ticket = lab.ask('bob', 'sea');
    assert.equal(lab.fate(ticket), 'waiting');
    lab.release('ana', 'b2');
    assert.equal(lab.offered(ticket), 'sea');
  });

  test('keeps an offer that was made under the old one', () => {
    const lab = new Lab(before);
    const ticket = lab.ask('ana', 'b2');
    rename(lab);
    assert.equal(lab.confirm(ticket).kind, 'held');
    assert.equal(lab.lock('b2').user, 'ana');
    lab.release('ana', 'b2');
    assert.equal(lab.state.isFree('bee'), true);
  });

  test('refuses whoever waits for a job slot of the old one, and keeps who waits for one of the pool', () => {
    const lab = new Lab(before);
    lab.take('ana', 'b2');
    lab.run('ana', 'b2', { kind: 'slot' });
    const [slot, pool] = [lab.ask('ana', 'b2', { kind: 'slot' }), lab.ask('ana', 'p', { kind: 'slot' })];
    rename(lab);
    assert.deepEqual([lab.fate(slot), lab.fate(pool)], ['refused', 'waiting']);
  });

  test('survives a restart of the server in between', () => {
    const lab = new Lab(before);
    lab.take('ana', 'b2');
    const ticket = lab.ask('bob', 'b2');
    lab.configure(after);
    lab.restart();
    lab.configure(after);
    lab.present(['b1', 'b2', 'bee']);
    lab.send('attach', { ticket });
    assert.equal(lab.fate(ticket), 'waiting');
    lab.release('ana', 'b2');
    assert.equal(lab.offered(ticket), 'bee');
  });
});
