// Boards in and out of service: several at once, with a note and an end; and who may use force on a board.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admin, asCaller, Lab } from './lab.ts';

const two = { boards: ['b1', 'b2'] };
const drain = { caller: admin, boards: ['b1', 'b2'], action: 'drain', note: 'new switch' } as const;

function serviceOf(lab: Lab, board = 'b1') {
  return lab.state.boards.get(board)?.service;
}

describe('boards out of service', () => {
  test('go in one step, held or free, each with who, since when and why', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b1');
    assert.equal(lab.send('service', drain).kind, 'done');
    const sinceWallAt = 1e12 + lab.nowMs;
    const about = { by: 'root', note: 'new switch', sinceWallAt };
    assert.deepEqual(serviceOf(lab, 'b1'), { state: 'draining', ...about });
    assert.deepEqual(serviceOf(lab, 'b2'), { state: 'out', ...about });
    assert.deepEqual(lab.audit, ['drain', 'drain']);
  });

  test('go all or none, and by an admin only', () => {
    const lab = new Lab(two);
    const unknown = lab.send('service', { ...drain, boards: ['b1', 'b9'] });
    assert.deepEqual(unknown, { kind: 'unknown', board: 'b9' });
    assert.equal(lab.send('service', { ...drain, caller: asCaller('ana') }).kind, 'not-allowed');
    assert.deepEqual([serviceOf(lab)?.state, lab.last.changes.length], ['in', 0]);
  });

  test('come back at their time, through a restart, and go to who waits', () => {
    const lab = new Lab(two);
    lab.send('service', { ...drain, seconds: 3_600 });
    const ticket = lab.ask('ana', 'b1');
    lab.restart();
    lab.present();
    lab.send('attach', { ticket });
    lab.pass(3_599);
    assert.equal(lab.fate(ticket), 'waiting');
    lab.pass(1);
    assert.equal(lab.offered(ticket), 'b1');
    assert.deepEqual(serviceOf(lab), { state: 'in' });
    assert.deepEqual(
      lab.last.audit.filter(({ event }) => event === 'resume').map(({ by }) => by),
      ['system', 'system'],
    );
  });

  test('that are held at their time were never out', () => {
    const lab = new Lab(two);
    lab.take('ana', 'b1');
    lab.send('service', { ...drain, seconds: 60 });
    lab.pass(60);
    lab.release('ana', 'b1');
    assert.equal(lab.take('bob', 'b1').board, 'b1');
  });

  test('come back earlier by hand, and their time does nothing more', () => {
    const lab = new Lab(two);
    lab.send('service', { ...drain, seconds: 60 });
    lab.send('service', { ...drain, action: 'resume', note: '' });
    lab.send('service', { ...drain, note: 'again' });
    lab.pass(61);
    assert.equal(serviceOf(lab)?.state, 'out');
  });
});

describe('a note', () => {
  const note = { caller: admin, boards: ['b1'], action: 'note', note: 'slow today' } as const;

  test('of a board in service leaves it there, and an empty one takes it away', () => {
    const lab = new Lab(two);
    lab.send('service', note);
    const sinceWallAt = 1e12 + lab.nowMs;
    assert.deepEqual(serviceOf(lab), { state: 'in', by: 'root', note: 'slow today', sinceWallAt });
    assert.equal(lab.take('ana', 'b1').board, 'b1');
    lab.send('service', { ...note, note: '' });
    assert.deepEqual(serviceOf(lab), { state: 'in' });
  });

  test('of one that is out keeps its end', () => {
    const lab = new Lab(two);
    lab.send('service', { ...drain, seconds: 60 });
    lab.send('service', note);
    const service = serviceOf(lab);
    assert.ok(service?.state === 'out' && service.note === 'slow today');
    lab.pass(60);
    assert.equal(serviceOf(lab)?.state, 'in');
  });

  test('goes with resume, unless there is a new one', () => {
    const lab = new Lab(two);
    lab.send('service', drain);
    lab.send('service', { ...drain, boards: ['b1'], action: 'resume', note: 'fan replaced' });
    lab.send('service', { ...drain, boards: ['b2'], action: 'resume', note: '' });
    assert.equal(serviceOf(lab, 'b1')?.note, 'fan replaced');
    assert.deepEqual(serviceOf(lab, 'b2'), { state: 'in' });
  });
});

describe('force that takes an admin', () => {
  const kept = { boards: [{ name: 'b1', force: 'admin' as const }, 'b2'] };

  test('is refused to others for what somebody else holds, board by board', () => {
    const lab = new Lab(kept);
    for (const board of ['b1', 'b2']) lab.take('ana', board);
    assert.deepEqual(lab.release('bob', ['b1', 'b2'], { force: true }), ['not-allowed', 'released']);
    assert.equal(lab.lock('b1').user, 'ana');
    const steal = { caller: asCaller('bob'), board: 'b1', newKey: '0', note: '' };
    assert.equal(lab.send('steal', steal).kind, 'not-allowed');
    assert.equal(lab.send('steal', { ...steal, caller: admin }).kind, 'done');
  });

  test('is there for admins, for one’s own lock with any key, and of a free board is nothing', () => {
    const lab = new Lab(kept);
    assert.deepEqual(lab.release('bob', 'b1', { force: true }), ['not-held']);
    lab.take('ana', 'b1', { key: 'k' });
    assert.deepEqual(lab.release('ana', 'b1', { force: true }), ['released']);
    lab.take('ana', 'b1');
    assert.deepEqual(lab.release('root', 'b1', { force: true }), ['released']);
  });

  test('holds for an offer and for a board that has left the lab as well', () => {
    const lab = new Lab(kept);
    lab.ask('ana', 'b1');
    assert.deepEqual(lab.release('bob', 'b1', { force: true }), ['not-allowed']);
    lab.take('ana', 'b2');
    lab.configure({ boards: kept.boards.slice(0, 1) });
    assert.deepEqual(lab.release('bob', 'b2', { force: true }), ['not-allowed']);
    assert.deepEqual(lab.release('ana', 'b2'), ['released']);
  });
});
