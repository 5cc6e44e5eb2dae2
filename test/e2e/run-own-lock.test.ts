// `run -n`: jobs under a lock that the caller has, on boards and pools. The lock stays, whatever becomes of the job.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { me, nobody, noOtherUsers } from './harness/users.ts';

const lab = await Lab.make({ after });
const one = await lab.scriptBoard('one');
const two = await lab.scriptBoard('two');
await lab.configure({
  boards: { one: { machine: one.machine }, two: { machine: two.machine } },
  pools: { pair: ['one', 'two'] },
});
await lab.startServer();

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const quiet = { exit: 0, stdout: '' };
const allowed = 'Lock acquired, we are allowed to run';
const notMine = "Failed to run because you said you own the lock (-n flag), but you don't!";
const wrongKey = 'Failed to run because you said you own the lock (-n flag), but you gave the wrong key!';
const failed = (board: string) => `Failed to acquire lock for system (${board})`;
const free = (board: string) => `Lock for ${board} currently free`;
const done = await lab.file('done', 'echo done');
const hang = await lab.file('hang', 'echo ready; sleep 1000');
const run = (target: string, ...words: string[]) => ['run', '-n', '-s', target, '-c', 'x', ...words];
const lock = (board: string, key: string) => lab.expect(['sem', '-wait', board, '-k', key], quiet);
const unlock = (board: string) => lab.expect(['sem', '-signal', board, '-f'], quiet);

afterEach(() => lab.reset());

test('a board that is not mine: the three lines, exit 2', async () => {
  const stdout = lines(notMine, free('one'), failed('one'));
  await lab.expect(run('one', '-f', done), { exit: 2, stdout });
  await lab.expect(run('one', '-k', 'x', '-t', '5', '-f', done), { exit: 2, stdout });
});

test("a board that is another user's: its -info line in the middle", { skip: noOtherUsers }, async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'x'], quiet, { as: nobody });
  const info = (await lab.run(['sem', '-info', 'one'])).stdout;
  const stdout = `${lines(notMine)}${info}${lines(failed('one'))}`;
  await lab.expect(run('one', '-k', 'x', '-f', done), { exit: 2, stdout });
  await unlock('one');
});

test('a board that is mine with another key: two lines, exit 2', async () => {
  await lock('one', 'x');
  const stdout = lines(wrongKey, failed('one'));
  await lab.expect(run('one', '-f', done), { exit: 2, stdout });
  await lab.expect(run('one', '-k', 'y', '-f', done), { exit: 2, stdout });
  await unlock('one');
});

test('the right key: the last line, the console, and the lock stays with its key', async () => {
  await lock('one', 'x');
  const before = (await lab.run(['sem', '-info', 'one'])).stdout;
  for (const _ of [1, 2]) {
    await lab.expect(run('one', '-k', 'x', '-f', done), { exit: 0, stdout: lines(allowed, 'done') });
    assert.equal((await lab.run(['sem', '-info', 'one'])).stdout, before);
  }
  assert.deepEqual((await one.journal()).at(-1), 'off');
  await unlock('one');
});

test('INT stops the job and powers the board off; lock and key stay; exit 1', async () => {
  await lock('one', 'x');
  const job = lab.mq(run('one', '-k', 'x', '-f', hang));
  await job.printed('ready');
  job.kill('SIGINT');
  const { code, stdout } = await job.ended;
  assert.deepEqual([code, stdout], [1, lines(allowed, 'ready')]);
  assert.equal((await one.journal()).at(-1), 'off');
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name} x`);
  await unlock('one');
});

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

test('a pool: lines for each member once, silence, then the first member that is mine with that key', async () => {
  const job = lab.mq(run('pair', '-k', 'x', '-f', done));
  await lab.untilWaiting('x');
  const looked = lines(...['one', 'two'].flatMap((board) => [notMine, free(board), failed(board)]));
  await job.printed(failed('two'));
  assert.equal(job.stdout, looked);
  await lock('one', 'other');
  await lock('two', 'x');
  const { code, stdout } = await job.ended;
  assert.deepEqual([code, stdout], [0, looked + lines(allowed, 'done')]);
  assert.equal(await lab.holder('two'), `two LOCKED ${me.name} x`);
  await unlock('pair');
});

test('a pool with members that are mine: those passed over are told, the first with that key runs it', async () => {
  await lock('one', 'other');
  await lock('two', 'x');
  const stdout = lines(wrongKey, failed('one'), allowed, 'done');
  await lab.expect(run('pair', '-k', 'x', '-f', done), { exit: 0, stdout });
  await unlock('pair');
});

test('a pool of which none becomes mine in time: exit 2, at once with -t 0', async () => {
  await lock('one', 'other');
  const { code, stdout } = await lab.run(run('pair', '-k', 'x', '-t', '1', '-w', '1', '-f', done));
  assert.equal(code, 2);
  assert.equal(
    stdout,
    lines(
      ...[wrongKey, failed('one'), notMine, free('two'), failed('two')],
      'Failed to acquire lock for any system in pool (pair)',
    ),
  );
  assert.equal((await lab.run(run('pair', '-k', 'x', '-t', '0', '-w', '60', '-f', done))).code, 2);
  await unlock('pair');
});
