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

test('a board that is mine with no key is refused at once', async () => {
  await lab.expect(['sem', '-wait', 'one'], quiet);
  await lab.expect(['sem', '-wait', 'one'], {
    exit: 2,
    stdout: lines(
      'Attempting to grab lock you already own. Please explicitly release',
      'Failed to acquire lock for system (one)',
    ),
  });
  await release('one');
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

test('a board that another user holds is waited for', { skip: noOtherUsers }, async () => {
  await lab.expect(['sem', '-wait', 'one'], quiet, { as: nobody });
  await lab.expect(['sem', '-wait', 'one', '-w', '1', '-t', '1'], failed, { as: daemon });
  assert.equal(await lab.holder('one'), 'one LOCKED nobody');
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

test('a pool says which members it passed over, and the board alone on the last line', async () => {
  await lab.expect(['sem', '-wait', 'pair'], { exit: 0, stdout: lines(attempts[0] ?? '', 'one') });
  await lab.expect(['sem', '-wait', 'pair', '-k', 'b'], { exit: 0, stdout: lines(...attempts, 'two') });
  await release('pair');
});

test('boards of a pool that are mine with the same key are passed over', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'x'], quiet);
  await lab.expect(['sem', '-wait', 'pair', '-k', 'x'], { exit: 0, stdout: lines(...attempts, 'two') });
  const third = lab.mq(['sem', '-wait', 'pair', '-k', 'x', '-w', '1', '-t', '1']);
  const { code, stdout } = await third.ended;
  assert.deepEqual({ code, stdout }, { code: 2, stdout: lines(...attempts, done, failedPair) });
  await release('pair');
});

test('a pool with none free says so once, is silent, and ends with the board', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'a'], quiet);
  await lab.expect(['sem', '-wait', 'two', '-k', 'a'], quiet);
  const waiting = lab.mq(['sem', '-wait', 'pair', '-k', 'w', '-w', '1']);
  await waiting.printed(done);
  await lab.untilWaiting('w');
  await lab.expect(['sem', '-signal', 'two', '-k', 'a'], quiet);
  const { code, stdout, stderr } = await waiting.ended;
  assert.deepEqual(
    { code, stdout, stderr },
    { code: 0, stdout: lines(...attempts, done, 'two'), stderr: '' },
  );
  await release('pair');
});

test('-signal tells of a board that is not mine, free or with another key, and exits 0', async () => {
  const notMine = {
    exit: 0,
    stdout: 'Attempting to unlock system one that you do not hold\n',
  };
  await lab.expect(['sem', '-signal', 'one'], notMine);
  await lab.expect(['sem', '-wait', 'one', '-k', 'x'], quiet);
  const wrongKey = { exit: 0, stdout: 'Attempting to unlock system one with the wrong key!\n' };
  await lab.expect(['sem', '-signal', 'one'], wrongKey);
  await lab.expect(['sem', '-signal', 'one', '-k', 'y'], wrongKey);
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name} x`);
  await lab.expect(['sem', '-k', 'x', '-signal', 'one'], quiet);
});

test("-signal of another user's board says so and leaves it", { skip: noOtherUsers }, async () => {
  await lab.expect(['sem', '-wait', 'one'], quiet, { as: nobody });
  const stdout = 'Attempting to unlock system one that you do not hold\n';
  await lab.expect(['sem', '-signal', 'one'], { exit: 0, stdout }, { as: daemon });
  assert.equal(await lab.holder('one'), 'one LOCKED nobody');
  await lab.expect(['sem', '-f', '-signal', 'one'], quiet, { as: daemon });
  assert.equal(await lab.holder('one'), 'one FREE');
});

test('-signal -f releases any key and is silent on a free board, flags in any order', async () => {
  await lab.expect(['sem', '-wait', 'one', '-k', 'x'], quiet);
  await lab.expect(['sem', '-f', '-signal', 'one'], quiet);
  assert.equal(await lab.holder('one'), 'one FREE');
  await lab.expect(['sem', '-signal', 'one', '-f', '-k', 'other'], quiet);
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

test('-info and -mr-info tell holder, time, timeout and key', async () => {
  await lab.expect(['sem', '-info', 'one'], { exit: 0, stdout: 'Lock for one currently free\n' });
  await lab.expect(['sem', '-mr-info', 'one'], { exit: 0, stdout: 'one FREE\n' });
  await lab.expect(['sem', '-wait', 'one', '-T', '600'], quiet);
  await lab.expect(['sem', '-T', '30', '-k', 'a key', '-wait', 'two'], quiet);
  const info = (await lab.run(['sem', '-info', 'pair'])).stdout;
  const heldBy = (board: string) => `Lock for ${board} held by ${me.name} since ${time}`;
  assert.match(
    info,
    new RegExp(`^${heldBy('one')}, timeout 600\n${heldBy('two')}, timeout 30 with key 'a key'\n$`),
  );
  const mr = (await lab.run(['sem', '-mr-info', 'trio'])).stdout;
  const locked = (board: string) => `${board} LOCKED ${me.name} ${time}`;
  assert.match(mr, new RegExp(`^three FREE\n${locked('two')} a key\n${locked('one')}\n$`));
  const dump = (await lab.run(['sem', 'dumpall'])).stdout;
  assert.match(dump, new RegExp(`^${locked('one')}\n${locked('two')} a key\n$`));
  await release('pair');
  await lab.expect(['sem', 'dumpall'], quiet);
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

test('-T is checked before the name', async () => {
  const bad = { exit: 1, stdout: '-T <timeout> requires a positive integer\n' };
  for (const hold of ['x', '-1', '1.5', '']) {
    await lab.expect(['sem', '-wait', 'nosuch', '-T', hold], bad);
    await lab.expect(['sem', '-T', hold, '-wait', 'one'], bad);
  }
});

test('an unknown name is answered with the boards, one a line, and the pools on one line', async () => {
  const stdout = lines(
    "System or pool 'nosuch' does not exist. Valid systems are",
    'one',
    'two',
    'three',
    'four',
    'Valid pools are',
    'pair trio',
  );
  for (const verb of ['-wait', '-signal', '-info', '-mr-info', '-cancel']) {
    await lab.expect(['sem', verb, 'nosuch'], { exit: 1, stdout });
  }
  await lab.expect(['sem', '-signal', 'nosuch', '-f'], { exit: 1, stdout });
});

test('an alias is one of the names of its board', async () => {
  await lab.expect(['sem', '-wait', 'vier'], quiet);
  assert.equal(await lab.holder('four'), `four LOCKED ${me.name}`);
  assert.equal(await lab.holder('vier'), `vier LOCKED ${me.name}`);
  await lab.expect(['sem', '-signal', 'vier'], quiet);
});

test('unknown flags, a board without a verb, no verb and help show the usage and exit 1', async () => {
  const cases: [string[], string | undefined][] = [
    [['-x'], 'Unknown option -x'],
    [['one'], 'Unknown option one'],
    [['-wait', 'one', '--frobnicate'], 'Unknown option --frobnicate'],
    [[], 'Unknown usage'],
    [['-k', 'x'], 'Unknown usage'],
    [['help'], undefined],
  ];
  for (const [words, first] of cases) {
    const { code, stdout } = await lab.run(['sem', ...words], { oldName: true });
    assert.equal(code, 1, words.join(' '));
    const all = stdout.split('\n');
    if (first !== undefined) assert.equal(all.shift(), first);
    assert.match(all[0] ?? '', /^mq\.sh sem -wait/);
  }
  await lab.untilQuiet();
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

test('without a server the words are those that clients try again on', async () => {
  const { code, stdout } = await lab.run(['sem', '-wait', 'one'], {
    env: { MQ_SERVER: `unix:${lab.folder}/none` },
  });
  assert.equal(code, 1);
  assert.match(stdout, /^Unable to ssh to \S+\n$/);
});
