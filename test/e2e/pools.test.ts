// Pools and order: a board held all the time while jobs pass through the others, boards in several pools, turns, and
// who is first in line.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import type { Running } from './harness/running.ts';
import { daemon, me, nobody, noOtherUsers } from './harness/users.ts';

const pc = { machine: { driver: 'v86' } };
const lab = await Lab.start(
  { after },
  {
    boards: { a: { ...pc, soc: 'x' }, b: { ...pc, soc: 'x' }, c: pc },
    pools: { left: ['a', 'b'], right: ['b', 'c'], all: ['c', 'b', 'a'], chosen: { where: { soc: 'x' } } },
  },
);
const image = await lab.file('hello', makeImage({ kind: 'hello' }));
const quiet = { exit: 0, stdout: '' };
const wait = (target: string, key: string, ...words: string[]) => [
  'sem',
  '-wait',
  target,
  '-k',
  key,
  ...words,
];
const lock = (board: string, key: string) => lab.expect(wait(board, key), quiet);
const signal = (board: string, key: string) => lab.expect(['sem', '-signal', board, '-k', key], quiet);
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

/** Queues the commands one after the other, so that their order is known. */
async function queueUp(commands: readonly { target: string; key: string }[]): Promise<Running[]> {
  const running: Running[] = [];
  for (const { target, key } of commands) {
    running.push(lab.mq(wait(target, key)));
    await lab.untilWaiting(key);
  }
  return running;
}

/** Which of the waiting keys has the board now. */
async function servedKey(board: string): Promise<string> {
  return (await lab.holder(board)).split(' ').at(-1) ?? '';
}

afterEach(() => lab.reset());

test('one board of a pool is held by a person throughout while ten jobs pass through the others', async () => {
  await lock('b', 'person');
  const held = (await lab.run(['sem', '-info', 'b'])).stdout;
  const jobs = Array.from({ length: 10 }, (_, index) =>
    lab.mq(['run', '-s', 'all', '-c', 'universe', '-k', `job ${index}`, '-f', image]),
  );
  const outcomes = await Promise.all(jobs.map((job) => job.ended));
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    jobs.map(() => 0),
  );
  const boards = outcomes.map(({ stdout }) => {
    const before = stdout.slice(0, stdout.indexOf('Lock acquired'));
    return /.*^Acquiring lock for (\w+)$/ms.exec(before)?.[1];
  });
  assert.deepEqual([...new Set(boards)].sort(), ['a', 'c']);
  assert.equal((await lab.run(['sem', '-info', 'b'])).stdout, held);
  await signal('b', 'person');
  await lab.untilQuiet();
});

test('a board in several pools is taken in all of them by the one lock', async () => {
  await lock('b', 'x');
  for (const pool of ['left', 'right', 'all']) {
    assert.match((await lab.run(['sem', '-mr-info', pool])).stdout, new RegExp(`^b LOCKED ${me.name}`, 'm'));
  }
  const { pools } = await lab.until('pools are counted', () => true);
  assert.deepEqual(
    pools.map(({ pool, usable, taken }) => [pool, usable, taken]),
    [
      ['left', 2, 1],
      ['right', 2, 1],
      ['all', 3, 1],
      ['chosen', 2, 1],
    ],
  );
  assert.equal(lastLine((await lab.run(wait('right', 'y'))).stdout), 'c');
  await Promise.all([signal('b', 'x'), signal('c', 'y')]);
});

test('members are taken in the listed order, a selector in the order of the file', async () => {
  for (const [pool, board] of [
    ['all', 'c'],
    ['left', 'a'],
    ['chosen', 'a'],
  ] as const) {
    assert.equal(lastLine((await lab.run(wait(pool, 'x'))).stdout), board);
    await signal(board, 'x');
  }
});

test('a free board beside a busy one is never waited for', async () => {
  await lock('a', 'h');
  await lock('b', 'h');
  const waiting = lab.mq(wait('left', 'w'));
  await lab.untilWaiting('w');
  assert.equal(lastLine((await lab.run(wait('right', 'z', '-t', '0'))).stdout), 'c');
  await signal('a', 'h');
  assert.equal(lastLine((await waiting.ended).stdout), 'a');
  await lab.run(['sem', '-signal', 'all', '-f']);
});

test('one waits for a board itself, others for each of its two pools: served in the order they came', async () => {
  for (const board of ['a', 'b', 'c']) await lock(board, 'h');
  const wishes = [
    { target: 'left', key: '1' },
    { target: 'b', key: '2' },
    { target: 'right', key: '3' },
    { target: 'left', key: '4' },
    { target: 'b', key: '5' },
  ];
  const waiting = await queueUp(wishes);
  let holder = 'h';
  for (const [index, { key }] of wishes.entries()) {
    await signal('b', holder);
    assert.equal((await waiting[index]?.ended)?.code, 0);
    assert.equal(await servedKey('b'), key);
    assert.ok(waiting.slice(index + 1).every((later) => !later.hasEnded));
    holder = key;
  }
  await lab.run(['sem', '-signal', 'all', '-f']);
});

test('the first in line is always first, of 17', async () => {
  await lock('a', 'h');
  const wishes = Array.from({ length: 17 }, (_, index) => ({ target: 'a', key: `k${index}` }));
  const waiting = await queueUp(wishes);
  let holder = 'h';
  for (const [index, { key }] of wishes.entries()) {
    await signal('a', holder);
    await waiting[index]?.ended;
    assert.equal(await servedKey('a'), key);
    holder = key;
  }
  await signal('a', holder);
});

test('three clients that lock again at once do not keep out one that waits: turns', {
  skip: noOtherUsers,
}, async () => {
  await lock('a', 'h');
  const greedy = [0, 1, 2];
  const served: string[] = [];
  let stop = false;
  const loops = greedy.map(async (index) => {
    const key = `greedy ${index}`;
    while (!stop) {
      if ((await lab.run(wait('a', key), { as: nobody })).code !== 0) return;
      served.push('greedy');
      await lab.expect(['sem', '-signal', 'a', '-k', key], quiet, { as: nobody });
    }
  });
  await lab.untilWaiting(...greedy.map((index) => `greedy ${index}`));
  const patient = lab.mq(wait('a', 'patient'), { as: daemon });
  await lab.untilWaiting('patient');
  await signal('a', 'h');
  assert.equal((await patient.ended).code, 0);
  // What waited when it came may go first, once: the three are one set, whose turn comes after each grant.
  const before = served.length;
  stop = true;
  await lab.expect(['sem', '-signal', 'a', '-k', 'patient'], quiet, { as: daemon });
  await Promise.all(loops);
  assert.ok(before <= 1, `${before} went before it`);
  await lab.untilQuiet();
});

test('jobs of one set take turns with another that came later; with one set they keep their order', async () => {
  await lock('a', 'h');
  const words = [
    ['--set', 'big', '1'],
    ['--set', 'big', '2'],
    ['--set', 'big', '3'],
    ['--set', 'small', '4'],
  ];
  const waiting = new Map<string, Running>();
  for (const [flag = '', set = '', key = ''] of words) {
    waiting.set(key, lab.mq(wait('a', key, flag, set)));
    await lab.untilWaiting(key);
  }
  let holder = 'h';
  for (const key of ['1', '4', '2', '3']) {
    await signal('a', holder);
    await waiting.get(key)?.ended;
    assert.equal(await servedKey('a'), key);
    holder = key;
  }
  await signal('a', holder);
});

test('a client that dies in the queue leaves its place to the next', async () => {
  await lock('a', 'h');
  const [first, second] = await queueUp([
    { target: 'a', key: '1' },
    { target: 'a', key: '2' },
  ]);
  first?.kill('SIGKILL');
  await lab.until('its ticket is gone', ({ queue }) => queue.length === 1);
  await signal('a', 'h');
  assert.equal((await second?.ended)?.code, 0);
  await signal('a', '2');
});

test('-T: a lock past its end is kept until somebody is next for the board, and no free one would do', async () => {
  await lab.expect(wait('a', 'short', '-T', '1'), quiet);
  const begin = performance.now();
  const next = lab.mq(wait('left', 'n'));
  assert.equal(lastLine((await next.ended).stdout), 'b');
  const { code } = await lab.run(wait('left', 'm'));
  assert.equal(code, 0);
  assert.equal(await servedKey('a'), 'm');
  assert.ok(performance.now() - begin > 500, 'not before its end');
  await lab.run(['sem', '-signal', 'all', '-f']);
});

test('a lock without -T is never reclaimed', async () => {
  await lock('a', 'long');
  assert.equal((await lab.run(wait('a', 'n', '-t', '1', '-w', '1'))).code, 2);
  assert.equal(await servedKey('a'), 'long');
  await signal('a', 'long');
});

test('a board that is drained finishes its lock and gives no new one; resumed, it goes to who waits', async () => {
  await lock('a', 'h');
  assert.equal((await lab.run(['board', 'drain', 'a', '--note', 'new cable'])).code, 0);
  const waiting = lab.mq(wait('a', 'w'));
  await lab.untilWaiting('w');
  await signal('a', 'h');
  await lab.until('it is out', ({ boards }) =>
    boards.some(({ board, state }) => board === 'a' && state === 'out'),
  );
  assert.equal(lastLine((await lab.run(wait('left', 'x'))).stdout), 'b');
  assert.equal(waiting.hasEnded, false);
  assert.equal((await lab.run(['board', 'resume', 'a'])).code, 0);
  assert.equal((await waiting.ended).code, 0);
  await lab.run(['sem', '-signal', 'all', '-f']);
  await lab.untilQuiet();
});

test('ad-hoc sets and selectors are targets too; equal sets share one queue', async () => {
  await lock('a', 'h');
  await lock('b', 'h');
  const waiting: Running[] = [];
  for (const [index, target] of ['b,a', 'a,b', 'soc=x'].entries()) {
    waiting.push(lab.mq(wait(target, `w${index}`)));
    await lab.untilWaiting(`w${index}`);
  }
  await signal('b', 'h');
  assert.equal((await waiting[0]?.ended)?.code, 0);
  assert.equal(await servedKey('b'), 'w0');
  await signal('a', 'h');
  assert.equal((await waiting[1]?.ended)?.code, 0);
  assert.equal(await servedKey('a'), 'w1');
  await signal('a', 'w1');
  assert.equal((await waiting[2]?.ended)?.code, 0);
  await lab.run(['sem', '-signal', 'all', '-f']);
});

test('--priority: low waits behind normal; high is only for whom the lab lists', async () => {
  await lock('a', 'h');
  const low = lab.mq(wait('a', 'low', '--priority', 'low'));
  await lab.untilWaiting('low');
  const normal = lab.mq(wait('a', 'normal'));
  await lab.untilWaiting('normal');
  await signal('a', 'h');
  assert.equal((await normal.ended).code, 0);
  assert.equal(low.hasEnded, false);
  await signal('a', 'normal');
  assert.equal((await low.ended).code, 0);
  await signal('a', 'low');
  const { code } = await lab.run(wait('a', 'x', '--priority', 'high'), noOtherUsers ? {} : { as: nobody });
  assert.notEqual(code, 0);
  await lab.untilQuiet();
});
