// `run -n`: several jobs under a lock that the caller has, and the death of clients. What one job prints and leaves is
// in compat/.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { me } from './harness/users.ts';

const lab = await Lab.make({ after });
const one = await lab.scriptBoard('one');
await lab.configure({ boards: { one: { machine: one.machine } } });
await lab.startServer();

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const quiet = { exit: 0, stdout: '' };
const allowed = 'Lock acquired, we are allowed to run';
const failed = (board: string) => `Failed to acquire lock for system (${board})`;
const done = await lab.file('done', 'echo done');
const hang = await lab.file('hang', 'echo ready; sleep 1000');
const run = (target: string, ...words: string[]) => ['run', '-n', '-s', target, '-c', 'x', ...words];
const lock = (board: string, key: string) => lab.expect(['sem', '-wait', board, '-k', key], quiet);
const unlock = (board: string) => lab.expect(['sem', '-signal', board, '-f'], quiet);

afterEach(() => lab.reset());

test('SIGKILL of the client stops the job and leaves the lock', async () => {
  await lock('one', 'x');
  const job = lab.mq(run('one', '-k', 'x', '-f', hang));
  await job.printed('ready');
  job.kill('SIGKILL');
  await job.ended;
  await lab.expect(run('one', '-k', 'x', '-f', done), { exit: 0, stdout: lines(allowed, 'done') });
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name} x`);
  await unlock('one');
});

test('jobs under one lock come one after the other, first come first served', async () => {
  await lock('one', 'x');
  const begin = (await one.journal()).length;
  const first = lab.mq(run('one', '-k', 'x', '-f', hang));
  await first.printed('ready');
  const second = lab.mq(run('one', '-k', 'x', '-f', hang));
  await lab.untilWaiting('x');
  const third = lab.mq(run('one', '-k', 'x', '-f', done));
  await lab.until('two wait', ({ queue }) => queue.length === 2);
  first.kill('SIGINT');
  await second.printed('ready');
  assert.equal(third.hasEnded, false);
  second.kill('SIGINT');
  assert.equal((await third.ended).code, 0);
  const kinds = (await one.journal()).slice(begin).map((line) => line.split(' ')[0]);
  assert.deepEqual(
    kinds.filter((kind) => kind !== 'end'),
    ['start', 'off', 'start', 'off', 'start', 'off'],
  );
  await unlock('one');
});

test('the lock is released while a job waits for it: the job that runs ends, the one that waits is refused', async () => {
  await lock('one', 'x');
  const first = lab.mq(run('one', '-k', 'x', '-f', hang));
  await first.printed('ready');
  const second = lab.mq(run('one', '-k', 'x', '-f', hang));
  await lab.untilWaiting('x');
  await unlock('one');
  assert.equal((await first.ended).code, 1);
  const { code, stdout } = await second.ended;
  assert.deepEqual([code, stdout], [2, lines(failed('one'))]);
  assert.equal(await lab.holder('one'), 'one FREE');
});
