// Jobs whose board stays on after the end text (-a), for their client or for the holder of the lock.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };
const finish = { type: 'finish', job: 1, token: '1.1' } as const;

test('the job stays open after the end text until its client leaves', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server, { spec: { keepOn: true } });
  const { session } = lab.board();
  session.print('all is well, and more');
  const completed = await server.message('completed');
  assert.deepEqual(completed, { type: 'completed', job: 1, matchEnd: 11, open: true });
  session.print(' to say: panic');
  server.send({ type: 'write', job: 1, token: '1.1', bytes: Buffer.from('ls\n').toString('base64') });
  await server.settled();
  assert.deepEqual(session.written, ['ls\n']);
  assert.ok(!lab.board().events.includes('stop'));
  server.send(finish);
  const { result } = await server.ended(1);
  assert.deepEqual([result.verdict, result.matchEnd, result.mayBeOn], ['completed', 11, false]);
  assert.equal(lab.store.console(1), 'all is well, and more to say: panic');
});

test('a client that left before the end text ends the job as soon as that comes', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server, { spec: { keepOn: true } });
  server.send(finish);
  await server.settled();
  assert.ok(!lab.board().events.includes('stop'));
  lab.board().session.print('all is well');
  assert.equal((await server.ended(1)).result.verdict, 'completed');
  assert.equal((await server.message('completed')).open, false);
});

test('without an end text the client may leave at any time', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server, { spec: { keepOn: true, endText: '' } });
  server.send(finish);
  assert.equal((await server.ended(1)).result.verdict, 'completed');
});

test('only the policy of the lab ends an open job, and says so', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server, { jobMaxSeconds: 600, spec: { keepOn: true, timeoutSeconds: 10 } });
  lab.board().session.print('all is well');
  await server.message('completed');
  lab.clock.advance(599_999);
  await server.settled();
  assert.ok(!lab.board().events.includes('stop'));
  lab.clock.advance(1);
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'timed-out');
  assert.match(result.detail, /job_max/);
});

test('a program that watches is told apart by its end text, and ends with its client', options, async (t) => {
  const lab = await TestLab.open(t);
  lab.board().watches = true;
  const server = await lab.connect();
  await lab.run(server, { spec: { keepOn: true } });
  lab.board().session.print('panic, but all is well');
  assert.equal((await server.message('completed')).open, true);
  server.send(finish);
  assert.equal((await server.ended(1)).result.verdict, 'completed');
});

test(
  'a board is left on for the holder of its lock, and ended before anything else is done to it',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    await lab.run(server, { leaveOn: true, spec: { keepOn: true } });
    lab.board().session.print('all is well');
    server.send(finish);
    const { result } = await server.ended(1);
    assert.equal(result.mayBeOn, true);
    await server.settled();
    assert.equal(lab.board().session.hasEnded, false);
    server.send({ type: 'forget', job: 1 });
    server.send(start({ job: 2, token: '1.2' }));
    await lab.board().sees('started', 2);
    assert.deepEqual(lab.board().events.slice(4), [
      ...['stop', 'ended', 'power off', 'is off', 'start', 'started'],
    ]);
  },
);

test('a board that would be left on is powered off when its job is cancelled', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server, { leaveOn: true, spec: { keepOn: true } });
  lab.board().session.print('all is well');
  await server.message('completed');
  server.send({ type: 'cancel', job: 1, token: '1.1', why: 'INT' });
  const { result } = await server.ended(1);
  assert.deepEqual([result.verdict, result.mayBeOn], ['cancelled', false]);
});
