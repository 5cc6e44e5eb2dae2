// The old words of `sem`, byte for byte, against a real server with real users.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { daemon, me, nobody, noOtherUsers } from './harness/users.ts';

const pc = { machine: { driver: 'v86' } };
const boards = { one: pc, two: pc, three: pc, four: { ...pc, aliases: ['vier'] } };
const pools = { pair: ['one', 'two'], trio: ['three', 'two', 'one'] };
const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} \+0000`;
const quiet = { exit: 0, stdout: '' };
const lab = await Lab.start({ after }, { boards, pools });

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const failed = { exit: 2, stdout: 'Failed to acquire lock for system (one)\n' };
const failedPair = 'Failed to acquire lock for any system in pool (pair)';
const attempts = ['Attempting system one in pool pair', 'Attempting system two in pool pair'];
const done = 'Done attempting system two in pool pair';
const release = (...targets: string[]) =>
  Promise.all(targets.map((target) => lab.expect(['sem', '-signal', target, '-f'], quiet)));

afterEach(() => lab.reset());

test('a free board is locked and released without a word, under both names of the program', async () => {
  for (const oldName of [false, true]) {
    await lab.expect(['sem', '-wait', 'one'], quiet, { oldName });
    assert.equal(await lab.holder('one'), `one LOCKED ${me.name}`);
    await lab.expect(['sem', '-signal', 'one'], quiet, { oldName });
    assert.equal(await lab.holder('one'), 'one FREE');
  }
});

test('a board that is mine with the same key is refused at once, and --reuse takes it', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'x'], quiet);
  await lab.expect(['sem', '-wait', 'one', '-k', 'x'], {
    exit: 2,
    stdout: lines(
      'Attempting to grab lock you already own with the same key. Please explicitly release',
      'Failed to acquire lock for system (one)',
    ),
  });
  await lab.expect(['sem', '-wait', 'one', '-k', 'x', '--reuse'], quiet);
  await release('one');
});

test('a board that is mine with another key is waited for, for -t times -w seconds', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'a'], quiet);
  const begin = performance.now();
  await lab.expect(['sem', '-wait', 'one', '-k', 'b', '-w', '1', '-t', '2'], failed);
  const seconds = (performance.now() - begin) / 1000;
  assert.ok(seconds >= 2 && seconds < 6, `it took ${seconds} s`);
  await release('one');
});

test('-t 0 fails at once, on a board and on a pool', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'a'], quiet);
  await lab.expect(['sem', '-wait', 'two', '-k', 'a'], quiet);
  const begin = performance.now();
  await lab.expect(['sem', '-t', '0', '-wait', 'one', '-w', '60'], failed);
  await lab.expect(['sem', '-wait', 'pair', '-w', '60', '-t', '0'], {
    exit: 2,
    stdout: lines(...attempts, done, failedPair),
  });
  assert.ok(performance.now() - begin < 10_000);
  await release('one', 'two');
});

test('boards of a pool that are mine with the same key are passed over', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'x'], quiet);
  await lab.expect(['sem', '-wait', 'pair', '-k', 'x'], { exit: 0, stdout: lines(...attempts, 'two') });
  const third = lab.mq(['sem', '-wait', 'pair', '-k', 'x', '-w', '1', '-t', '1']);
  const { code, stdout } = await third.ended;
  assert.deepEqual({ code, stdout }, { code: 2, stdout: lines(...attempts, done, failedPair) });
  await release('pair');
});

test("-signal of another user's board says so and leaves it", { skip: noOtherUsers }, async () => {
  await lab.expect(['sem', '-wait', 'one'], quiet, { as: nobody });
  const stdout = 'Attempting to unlock system one that you do not hold\n';
  await lab.expect(['sem', '-signal', 'one'], { exit: 0, stdout }, { as: daemon });
  assert.equal(await lab.holder('one'), 'one LOCKED nobody');
  await lab.expect(['sem', '-f', '-signal', 'one'], quiet, { as: daemon });
  assert.equal(await lab.holder('one'), 'one FREE');
});

test('-signal of a pool releases only mine with that key; with -f every member', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'x'], quiet);
  await lab.expect(['sem', '-wait', 'three', '-k', 'y'], quiet);
  await lab.expect(['sem', '-signal', 'trio', '-k', 'x'], {
    exit: 0,
    stdout: lines(
      'Attempting to unlock system three with the wrong key!',
      'Attempting to unlock system two that you do not hold',
    ),
  });
  assert.deepEqual(
    [await lab.holder('one'), await lab.holder('three')],
    ['one FREE', `three LOCKED ${me.name} y`],
  );
  await lab.expect(['sem', '-signal', 'trio', '-f'], quiet);
  assert.equal((await lab.run(['sem', 'dumpall'])).stdout, '');
});

test('a hold without -T shows timeout 0, and the same lock always shows the same time', async () => {
  await lab.expect(['sem', '-wait', 'one'], quiet);
  const first = (await lab.run(['sem', '-info', 'one'])).stdout;
  assert.match(first, new RegExp(`^Lock for one held by ${me.name} since ${time}, timeout 0\n$`));
  assert.equal((await lab.run(['sem', '-info', 'one'])).stdout, first);
  await release('one');
});

test('keys of any text are compared as a whole', async () => {
  const keys = [
    'owner/repo-Some workflow (x)-1234567-job-3',
    `it's "quoted" $(id) \`id\` ; rm -rf`,
    'a:b:c',
    '.*',
    '-k',
    '',
    'schlüssel',
    '*',
    ' ',
  ];
  for (const key of keys) {
    await lab.expect(['sem', '-wait', 'one', '-k', key], quiet);
    assert.equal(await lab.holder('one'), `one LOCKED ${me.name} ${key}`.trimEnd(), key);
    const stdout = 'Attempting to unlock system one with the wrong key!\n';
    await lab.expect(['sem', '-signal', 'one', '-k', `${key}x`], { exit: 0, stdout });
    await lab.expect(['sem', '-signal', 'one', '-k', key], quiet);
  }
});

test('-cancel ends my waiting commands for that name with exactly that key, from another client', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'h'], quiet);
  await lab.expect(['sem', '-wait', 'two', '-k', 'h'], quiet);
  const key = 'o/r-1 (a)';
  const board = lab.mq(['sem', '-wait', 'one', '-k', key]);
  const pool = lab.mq(['sem', '-wait', 'pair', '-k', key]);
  const other = lab.mq(['sem', '-wait', 'one', '-k', 'o/r-1 (ab)']);
  await lab.until('three wait', ({ queue }) => queue.length === 3);
  await lab.expect(['sem', '-cancel', 'one', '-k', 'o/r-1 .*'], quiet);
  await lab.expect(['sem', '-cancel', 'one', '-k', key], quiet);
  assert.deepEqual([(await board.ended).code, (await board.ended).stdout], [2, failed.stdout]);
  assert.deepEqual([pool.hasEnded, other.hasEnded], [false, false]);
  await lab.expect(['sem', '-k', key, '-cancel', 'pair'], quiet);
  const { code, stdout } = await pool.ended;
  assert.deepEqual([code, stdout], [2, lines(...attempts, done, failedPair)]);
  await lab.expect(['sem', '-signal', 'one', '-k', 'h'], quiet);
  assert.equal((await other.ended).code, 0);
  await release('pair');
});

test("-cancel leaves another user's waiting command", { skip: noOtherUsers }, async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'h'], quiet);
  const theirs = lab.mq(['sem', '-wait', 'one', '-k', 'same'], { as: nobody });
  const mine = lab.mq(['sem', '-wait', 'one', '-k', 'same'], { as: daemon });
  await lab.until('two wait', ({ queue }) => queue.length === 2);
  await lab.expect(['sem', '-cancel', 'one', '-k', 'same'], quiet, { as: daemon });
  assert.equal((await mine.ended).code, 2);
  assert.equal(theirs.hasEnded, false);
  await release('one');
  assert.equal((await theirs.ended).code, 0);
  await release('one');
});

test('an alias is one of the names of its board', async () => {
  await lab.expect(['sem', '-wait', 'vier'], quiet);
  assert.equal(await lab.holder('four'), `four LOCKED ${me.name}`);
  assert.equal(await lab.holder('vier'), `vier LOCKED ${me.name}`);
  await lab.expect(['sem', '-signal', 'vier'], quiet);
});

test('a waiting command that is signalled leaves no ticket and no lock', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'h'], quiet);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGKILL'] as const) {
    const waiting = lab.mq(['sem', '-wait', 'one', '-k', signal]);
    await lab.untilWaiting(signal);
    waiting.kill(signal);
    const { code } = await waiting.ended;
    assert.equal(code, signal === 'SIGKILL' ? null : 1, signal);
    await lab.until(`${signal}: its ticket is gone`, ({ queue }) => queue.length === 0);
  }
  await release('one');
  await lab.untilQuiet();
});
