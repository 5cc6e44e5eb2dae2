// Lock files beside the scheduler's locks: offers that wait for theirs, and locks that old clients take by files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lab, type LabOptions, type Wish } from './lab.ts';

const withFiles = (more: LabOptions = {}) => new Lab({ lockFiles: '/locks', ...more });

const needs = [{ target: { kind: 'pool', name: 'p' }, count: 2 }] as const;
const twoOfPool = { target: { kind: 'several', needs } } as Wish;

test('an offer is told when its lock file is made, and may be confirmed only then', () => {
  const lab = withFiles();
  const ticket = lab.ask('ana', 'b1');
  assert.deepEqual(lab.effectsOf('offer'), []);
  assert.deepEqual(lab.effectsOf('lock-file'), [{ kind: 'lock-file', board: 'b1' }]);
  assert.equal(lab.confirm(ticket).kind, 'gone');
  lab.pass(10);
  lab.made('b1');
  assert.equal(lab.effectsOf('offer').length, 1);
  lab.pass(2.9);
  assert.equal(lab.confirm(ticket).kind, 'held');
});

test('a lab without lock files offers at once, and speaks of none', () => {
  const lab = new Lab();
  lab.ask('ana', 'b1');
  assert.equal(lab.effectsOf('offer').length, 1);
  assert.deepEqual(lab.effectsOf('lock-file'), []);
  lab.seen('b1', {});
  assert.equal(lab.stateOf('b1'), 'granted');
});

test('where a file of another is quicker, its owner has the board, and the ticket waits on at its place', () => {
  const lab = withFiles();
  const first = lab.ask('ana', 'b1', { set: 'ana/run' });
  const second = lab.ask('bob', 'b1');
  const third = lab.ask('ana', 'b1', { set: 'ana/run', key: 'k' });
  lab.seen('b1', { key: 'theirs', holdSeconds: 5 });
  const { user, key, state, origin, holdSeconds } = lab.lock('b1');
  assert.deepEqual(
    { user, key, state, origin, holdSeconds },
    { user: 'old', key: 'theirs', state: 'held', origin: 'file', holdSeconds: 5 },
  );
  assert.deepEqual(
    [first, second, third].map((id) => lab.fate(id)),
    ['waiting', 'waiting', 'waiting'],
  );
  lab.seen('b1');
  assert.equal(lab.offered(first), 'b1');
  lab.made('b1');
  lab.confirm(first);
  lab.release('ana', 'b1');
  // The grant that was none has not cost its set the turn, but the one that was has.
  assert.equal(lab.whoIsNext(second, third), second);
});

test('a ticket that would have none but now ends when the file of another was quicker, and gets another board of its pool', () => {
  const lab = withFiles({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
  const now = lab.ask('ana', 'b1', { waitSeconds: 0 });
  lab.seen('b1', {});
  lab.pass(0);
  assert.equal(lab.fate(now), 'timed-out');
  lab.seen('b1');
  const pool = lab.ask('ana', 'p', { waitSeconds: 0 });
  lab.seen('b1', {});
  assert.equal(lab.offered(pool), 'b2');
  assert.deepEqual(lab.effectsOf('offer'), []);
});

test('a lock by a file is refused, released, reclaimed and run under as any other, and its file goes last', () => {
  const lab = withFiles();
  lab.seen('b1', { user: 'ana', key: 'k', holdSeconds: 10 });
  assert.equal(lab.submit('ana', 'b1', { key: 'k' }).kind, 'refused');
  assert.equal(lab.submit('ana', 'b1', { key: 'k', reuse: true }).kind, 'refused');
  assert.deepEqual(lab.release('bob', 'b1'), ['not-held']);
  assert.deepEqual(lab.release('ana', 'b1'), ['wrong-key']);
  const job = lab.run('ana', 'b1', { kind: 'slot', key: 'k' });
  const next = lab.ask('bob', 'b1');
  lab.pass(11);
  lab.send('alive', { ticket: next });
  assert.equal(lab.lock('b1').ending?.reason, 'reclaimed');
  lab.endJob(job, { mayBeOn: true });
  assert.equal(lab.lock('b1').file, 'there');
  lab.poweredOff('b1');
  assert.equal(lab.lock('b1').file, 'leaving');
  // However long that takes, the board is not broken for it.
  lab.pass(3_600);
  assert.equal(lab.state.boards.get('b1')?.health.state, 'good');
  lab.seen('b1');
  assert.equal(lab.lock('b1').user, 'bob');
});

test('a board that the holder of a file has switched on is off when only its file is left to go', () => {
  const lab = withFiles();
  lab.seen('b1', { user: 'ana' });
  lab.power('ana', 'b1', 'on');
  lab.release('ana', 'b1');
  lab.poweredOff('b1');
  assert.deepEqual([lab.lock('b1').file, lab.state.boards.get('b1')?.mayBeOn], ['leaving', false]);
  lab.seen('b1');
  assert.equal(lab.stateOf('b1'), 'free');
});

test('a lock by a file can neither be extended nor given nor stolen', () => {
  const lab = withFiles();
  lab.seen('b1', { user: 'ana' });
  const mine = { caller: { user: 'ana', admin: false }, board: 'b1', key: '0' };
  assert.equal(lab.send('extend', { ...mine, holdSeconds: 5 }).kind, 'from-file');
  assert.equal(lab.send('give', { ...mine, user: 'bob', newKey: '0' }).kind, 'from-file');
  assert.equal(lab.send('steal', { ...mine, newKey: '0', note: '' }).kind, 'from-file');
  assert.equal(lab.lock('b1').user, 'ana');
});

test('key and time-out that an old client writes late are taken over; another file is another lock', () => {
  const lab = withFiles();
  lab.seen('b1', {});
  const { token } = lab.lock('b1');
  lab.seen('b1', { key: 'late', holdSeconds: 9 });
  assert.deepEqual(
    [lab.lock('b1').key, lab.lock('b1').holdSeconds, lab.lock('b1').token],
    ['late', 9, token],
  );
  lab.seen('b1', { id: '7.2', user: 'old2' });
  assert.equal(lab.lock('b1').user, 'old2');
  assert.notDeepEqual(lab.lock('b1').token, token);
});

test('when the file of our lock is removed, it is as if somebody had released it by force', () => {
  const lab = withFiles();
  const offered = lab.ask('ana', 'b1');
  lab.made('b1');
  lab.seen('b1');
  assert.deepEqual(lab.outcome(offered), { kind: 'withdrawn', by: 'an old client', why: 'forced' });
  const id = lab.ask('ana', 'b1', { kind: 'run' });
  lab.made('b1');
  lab.confirm(id);
  lab.seen('b1', { user: 'old' });
  assert.equal(lab.lock('b1').ending?.reason, 'forced');
  assert.equal(lab.lock('b1').ending?.note, 'its lock file was removed');
  // The old client has it as soon as our job is over.
  lab.endJob(lab.job(id));
  assert.equal(lab.stateOf('b1'), 'free');
  lab.seen('b1', { user: 'old' });
  assert.equal(lab.lock('b1').user, 'old');
});

test('a report of an older lock changes nothing', () => {
  const lab = withFiles();
  lab.ask('ana', 'b1');
  const { token } = lab.lock('b1');
  lab.release('root', 'b1', { force: true });
  lab.ask('bob', 'b1');
  lab.send('lockFileMade', { folder: '/locks', board: 'b1', token });
  lab.send('lockFileSeen', { folder: '/locks', board: 'b1', token });
  lab.send('lockFileSeen', { folder: '/locks', board: 'b1' });
  assert.equal(lab.lock('b1').file, 'making');
  assert.deepEqual(lab.effectsOf('offer'), []);
});

test('a board whose lock file fails, or is not made in time, is given to nobody until it works', () => {
  const lab = withFiles({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
  const ticket = lab.ask('ana', 'b1');
  lab.fileFault('b1', 'no space');
  assert.deepEqual([lab.fate(ticket), lab.stateOf('b1')], ['waiting', 'free']);
  assert.equal(lab.offered(lab.ask('bob', 'p')), 'b2');
  lab.fileFault('b1');
  assert.equal(lab.offered(ticket), 'b1');
  lab.pass(20);
  assert.deepEqual([lab.fate(ticket), lab.stateOf('b1')], ['waiting', 'free']);
  assert.match(lab.state.boards.get('b1')?.fileFault?.why ?? '', /in time/);
});

test('after a restart an offer waits for its file still, and is told when it is made', () => {
  const lab = withFiles();
  const ticket = lab.ask('ana', 'b1');
  lab.restart();
  lab.present();
  lab.send('attach', { ticket });
  assert.deepEqual(lab.effectsOf('offer'), []);
  lab.made('b1');
  assert.equal(lab.effectsOf('offer').length, 1);
  assert.equal(lab.confirm(ticket).kind, 'held');
});

test('a lab that begins to lock by files keeps its locks, unless the file of another is there; one that ends it forgets them', () => {
  const lab = new Lab({ boards: ['b1', 'b2', 'b3'] });
  lab.take('ana', 'b1');
  lab.take('ana', 'b2');
  lab.configure({ boards: ['b1', 'b2', 'b3'], lockFiles: '/locks' });
  lab.made('b1');
  lab.seen('b2', {});
  assert.deepEqual([lab.lock('b1').user, lab.lock('b2').user], ['ana', 'old']);
  const ticket = lab.ask('bob', 'b3');
  lab.configure({ boards: ['b1', 'b2', 'b3'] });
  assert.equal(lab.effectsOf('offer').length, 1);
  assert.equal(lab.confirm(ticket).kind, 'held');
  assert.deepEqual([lab.lock('b1').file, lab.stateOf('b2')], [undefined, 'free']);
});

test('of several boards all lock files are made before they are offered, or none is', () => {
  const lab = withFiles({ boards: ['b1', 'b2', 'b3'], pools: { p: ['b1', 'b2', 'b3'] } });
  const ticket = lab.ask('ana', 'p', twoOfPool);
  lab.made('b1');
  assert.deepEqual(lab.effectsOf('offer'), []);
  assert.equal(lab.confirm(ticket).kind, 'gone');
  lab.seen('b2', {});
  // Another board of the pool takes its place, and the one that was made is made anew under another token.
  assert.deepEqual(
    [lab.stateOf('b1'), lab.lock('b2').origin, lab.stateOf('b3')],
    ['granted', 'file', 'granted'],
  );
  assert.equal(lab.lock('b1').file, 'making');
  lab.made('b3');
  assert.deepEqual(lab.effectsOf('offer'), []);
  lab.made('b1');
  assert.equal(lab.effectsOf('offer').length, 1);
  assert.equal(lab.confirm(ticket).kind, 'held');
});

for (const made of [[], ['b1'], ['b2']]) {
  const already = made.length === 0 ? 'none' : made[0];
  test(`of several boards, ${already} of whose files is made, all are made anew in another folder`, () => {
    const boards = ['b1', 'b2', 'b3'];
    const lab = withFiles({ boards });
    const ticket = lab.askAll('ana', ['b1', 'b2']);
    for (const board of made) lab.made(board);
    lab.configure({ boards, lockFiles: '/elsewhere' });
    assert.deepEqual(
      [lab.fate(ticket), lab.lock('b1').file, lab.lock('b2').file],
      ['offered', 'making', 'making'],
    );
    assert.equal(lab.confirm(ticket).kind, 'gone');
    lab.made('b1');
    lab.made('b2');
    assert.equal(lab.confirm(ticket).kind, 'held');
  });
}

test('a board that is kept for a ticket for several may be taken by a file, and is kept no more', () => {
  const lab = withFiles({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
  lab.seen('b2', {});
  lab.ask('ana', 'p', twoOfPool);
  assert.notEqual(lab.state.boards.get('b1')?.keptFor, undefined);
  lab.seen('b1', { id: '7.2' });
  assert.equal(lab.state.boards.get('b1')?.keptFor, undefined);
  assert.equal(lab.lock('b1').origin, 'file');
});

test('a board whose file gets another name is locked by that, one that leaves the lab keeps its own', () => {
  const lab = withFiles({ boards: [{ name: 'b1', lockFile: 'old' }, 'b2'] });
  lab.ask('ana', 'b1');
  lab.made('b1');
  lab.seen('b2', {});
  lab.configure({ lockFiles: '/locks', boards: ['b3'] });
  assert.deepEqual([lab.lock('b1').file, lab.lock('b2').file], ['made', 'there']);
  lab.configure({ lockFiles: '/locks', boards: ['b1', { name: 'b2', lockFile: 'new' }] });
  lab.configure({ lockFiles: '/locks', boards: [{ name: 'b1', lockFile: 'newer' }, 'b2'] });
  assert.equal(lab.lock('b1').file, undefined);
  assert.equal(lab.stateOf('b2'), 'free');
});
