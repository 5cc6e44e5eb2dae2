// The old words of `run` on emulated PCs that boot real machine code: lines, console, texts, limits, log file.
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { type ImageSpec, makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import { me } from './harness/users.ts';

const pc = { machine: { driver: 'v86' }, files: { min: 1, max: 2 } };
const lab = await Lab.start(
  { after },
  {
    boards: { pc1: pc, pc2: pc, single: { machine: { driver: 'v86' } } },
    pools: { pcs: ['pc1', 'pc2'], mixed: ['single', 'pc2'] },
  },
);

const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const acquire = (board: string, state = 'currently free'): string[] => [
  `Acquiring lock for ${board}`,
  `Lock for ${board} ${state}`,
];
const allowed = 'Lock acquired, we are allowed to run';
const hello = 'hello: booted\nHello from the board\nAll is well in the universe';
const heldBy = (name: string, key: string) =>
  `held by ${name} since TIME, timeout 0${key === '' ? '' : ` with key '${key}'`}`;
const withoutTime = (text: string) => text.replaceAll(/since .*?, timeout/g, 'since TIME, timeout');

const made = new Map<string, Promise<string>>();
function image(spec: ImageSpec): Promise<string> {
  const name = `${JSON.stringify(spec).replaceAll(/\W+/g, '-').slice(0, 60)}.elf`;
  const path = made.get(name) ?? lab.file(name, makeImage(spec));
  made.set(name, path);
  return path;
}

afterEach(() => lab.reset());

test('a board: the three lines, the console up to the end text, exit 0, and the board is free', async () => {
  const path = await image({ kind: 'hello' });
  const words = [
    'run',
    '-s',
    'pc1',
    '-c',
    'All is well in the universe',
    '-e',
    'halt',
    '-d',
    '30',
    '-f',
    path,
  ];
  for (const oldName of [false, true]) {
    await lab.expect(words, { exit: 0, stdout: lines(...acquire('pc1'), allowed) + hello }, { oldName });
    assert.equal(await lab.holder('pc1'), 'pc1 FREE');
  }
});

test('texts are regular expressions and match across line ends', async () => {
  const path = await image({ kind: 'hello' });
  const { code, stdout } = await lab.run(['run', '-s', 'pc1', '-c', 'booted.*un[a-i]+', '-f', path]);
  assert.equal(code, 0);
  assert.ok(stdout.endsWith('All is well in the uni'), stdout);
});

test('the error text ends the job with an error, and wins over a later end text', async () => {
  const path = await image({ kind: 'hello' });
  const { code, stdout } = await lab.run(['run', '-s', 'pc1', '-e', 'from the b', '-c', 'well', '-f', path]);
  assert.notEqual(code, 0);
  assert.equal(stdout, `${lines(...acquire('pc1'), allowed)}hello: booted\nHello from the b`);
  await lab.untilQuiet();
});

test('[[Timeout]] stands on a line of its own where -d ran out', async () => {
  const path = await image({ kind: 'hang' });
  const { code, stdout } = await lab.run(['run', '-s', 'pc1', '-c', 'never', '-d', '1', '-f', path]);
  assert.notEqual(code, 0);
  assert.equal(stdout, lines(...acquire('pc1'), allowed, 'hang: booted', '[[Timeout]]'));
  await lab.untilQuiet();
});

test('[[Boot timeout]] where the board did not boot, and the reason on stderr', async () => {
  const path = await lab.file('text.elf', 'this is no image\n');
  const { code, stdout, stderr } = await lab.run(['run', '-s', 'pc1', '-c', 'x', '-f', path]);
  assert.notEqual(code, 0);
  assert.equal(stdout, lines(...acquire('pc1'), allowed, '[[Boot timeout]]'));
  assert.match(stderr, /did not boot/);
});

test('an image that crashes ends the job with an error', async () => {
  const path = await image({ kind: 'reset' });
  const { code, stdout } = await lab.run(['run', '-s', 'pc1', '-c', 'never', '-d', '20', '-f', path]);
  assert.notEqual(code, 0);
  assert.ok(stdout.startsWith(`${lines(...acquire('pc1'), allowed)}reset: booted\n`), stdout);
});

test('-d -1 is no limit', async () => {
  const path = await image({ kind: 'hello' });
  assert.equal((await lab.run(['run', '-s', 'pc1', '-c', 'well', '-d', '-1', '-f', path])).code, 0);
});

test('two files: the second is the module of the first; names may hold spaces', async () => {
  const kernel = await image({ kind: 'module' });
  const module = await lab.file('root task (1).bin', 'I am the root task');
  const { code, stdout } = await lab.run(['run', '-s', 'pc1', '-c', 'universe', '-f', kernel, '-f', module]);
  assert.equal(code, 0);
  assert.match(stdout, /module of 18 bytes\nI am the root task\n/);
});

test('bytes pass raw to stdout and to the file of -l, which has all of them', async () => {
  const path = await image({ kind: 'raw' });
  const log = join(lab.folder, 'open', 'raw log');
  const { code, bytes } = await lab.run(['run', '-s', 'pc1', '-c', 'universe', '-l', log, '-f', path]);
  assert.equal(code, 0);
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const start = bytes.indexOf(lines(allowed)) + lines(allowed).length;
  assert.deepEqual(bytes.subarray(start, start + 256), all);
  assert.deepEqual((await readFile(log)).subarray(0, 256), all);
});

test('a flood of 2 MB comes whole and in order', async () => {
  const path = await image({ kind: 'flood', megabytes: 2 });
  const log = join(lab.folder, 'open', 'flood log');
  const { code, stdout } = await lab.run(['run', '-s', 'pc1', '-c', 'universe', '-l', log, '-f', path]);
  assert.equal(code, 0);
  const console = stdout.slice(lines(...acquire('pc1'), allowed).length);
  const numbers = console.split('\n').filter((line) => line.includes('quick brown'));
  assert.equal(numbers.length, 32_768);
  numbers.forEach((line, index) => {
    assert.equal(Number(line.slice(0, 9)), index + 1);
  });
  assert.ok((await readFile(log, 'utf8')).startsWith(console));
});

test('the file of -l exists after any run: refused, failed, timed out', async () => {
  const path = await image({ kind: 'hang' });
  const cases = [
    ['nosuch', '-s', 'nosuch', '-c', 'x', '-f', path],
    ['count', '-s', 'single', '-c', 'x', '-f', path, '-f', path],
    ['timeout', '-s', 'pc1', '-c', 'x', '-d', '1', '-f', path],
  ];
  for (const [name = '', ...words] of cases) {
    const log = join(lab.folder, 'open', `${name} log`);
    assert.notEqual((await lab.run(['run', ...words, '-l', log])).code, 0, name);
    const { size } = await stat(log);
    assert.equal(size > 0, name === 'timeout', name);
  }
});

test('a pool: the lines of each member passed over or taken, and the first free one runs it', async () => {
  const path = await image({ kind: 'hello' });
  const words = ['run', '-s', 'pcs', '-c', 'universe', '-f', path];
  const first = lines('Attempting system pc1 in pool pcs', ...acquire('pc1'), allowed);
  await lab.expect(words, { exit: 0, stdout: first + hello });
  await lab.expect(['sem', '-wait', 'pc1', '-k', 'mine'], { exit: 0, stdout: '' });
  const { code, stdout } = await lab.run(words);
  assert.equal(code, 0);
  const passed = ['Attempting system pc1 in pool pcs', ...acquire('pc1', heldBy(me.name, 'mine'))];
  const taken = ['Attempting system pc2 in pool pcs', ...acquire('pc2'), allowed];
  assert.equal(withoutTime(stdout), lines(...passed, ...taken) + hello);
  await lab.expect(['sem', '-signal', 'pc1', '-k', 'mine'], { exit: 0, stdout: '' });
});

test('a pool with none free: done attempting, silence, then the three lines at the grant', async () => {
  const path = await image({ kind: 'hello' });
  for (const board of ['pc1', 'pc2']) {
    await lab.expect(['sem', '-wait', board, '-k', 'h'], { exit: 0, stdout: '' });
  }
  const run = lab.mq(['run', '-s', 'pcs', '-c', 'universe', '-k', 'w', '-f', path]);
  await lab.untilWaiting('w');
  const looked = lines(
    ...['pc1', 'pc2'].flatMap((board) => [
      `Attempting system ${board} in pool pcs`,
      ...acquire(board, heldBy(me.name, 'h')),
    ]),
    'Done attempting system pc2 in pool pcs',
  );
  await run.printed('Done attempting system pc2 in pool pcs\n');
  assert.equal(withoutTime(run.stdout), looked);
  await lab.expect(['sem', '-signal', 'pc2', '-k', 'h'], { exit: 0, stdout: '' });
  const { code, stdout } = await run.ended;
  assert.equal(code, 0);
  const granted = lines('Attempting system pc2 in pool pcs', ...acquire('pc2'), allowed);
  assert.equal(withoutTime(stdout), looked + granted + hello);
  await lab.expect(['sem', '-signal', 'pc1', '-k', 'h'], { exit: 0, stdout: '' });
});

test('a lock that is not had in time: exit 2, on a board and on a pool', async () => {
  const path = await image({ kind: 'hello' });
  for (const board of ['pc1', 'pc2']) {
    await lab.expect(['sem', '-wait', board, '-k', 'h'], { exit: 0, stdout: '' });
  }
  for (const time of [
    ['-t', '0'],
    ['-t', '1', '-w', '1'],
  ]) {
    const board = await lab.run(['run', '-s', 'pc1', '-c', 'x', ...time, '-f', path]);
    assert.equal(board.code, 2);
    const failed = 'Failed to acquire lock for system (pc1)';
    assert.equal(withoutTime(board.stdout), lines(...acquire('pc1', heldBy(me.name, 'h')), failed));
    const pool = await lab.run(['run', '-s', 'pcs', '-c', 'x', ...time, '-f', path]);
    assert.equal(pool.code, 2);
    const end = [
      'Done attempting system pc2 in pool pcs',
      'Failed to acquire lock for any system in pool (pcs)',
    ];
    assert.ok(pool.stdout.endsWith(lines(...end)), pool.stdout);
  }
  await lab.expect(['sem', '-signal', 'pcs', '-k', 'h'], { exit: 0, stdout: '' });
});

test('a wrong number of files is refused at once, and a pool member that can not take them is passed over', async () => {
  const path = await image({ kind: 'module' });
  const two = ['-c', 'universe', '-f', path, '-f', path];
  await lab.expect(['run', '-s', 'single', ...two], {
    exit: 1,
    stdout: 'Wrong number of files specified for system single\n',
  });
  await lab.expect(['run', '-s', 'pc1', '-c', 'x'], {
    exit: 1,
    stdout: 'Wrong number of files specified for system pc1\n',
  });
  const { code, stdout } = await lab.run(['run', '-s', 'mixed', ...two]);
  assert.equal(code, 0);
  assert.match(stdout, /^Attempting system pc2 in pool mixed$/m);
  await lab.untilQuiet();
});

test('a file that is missing or no file is told, whatever else is wrong', async () => {
  for (const path of ['/nonexistent/x y', lab.folder]) {
    const stdout = `File "${path}" either does not exist, or is not considered a valid file\n`;
    await lab.expect(['run', '-s', 'nosuch', '-f', path, '-c', 'x'], { exit: 1, stdout });
  }
});

test('an unknown board is answered with the list', async () => {
  const path = await image({ kind: 'hello' });
  await lab.expect(['run', '-s', 'nosuch', '-c', 'x', '-f', path], {
    exit: 1,
    stdout: lines(
      "System or pool 'nosuch' does not exist. Valid systems are",
      'pc1',
      'pc2',
      'single',
      'Valid pools are',
      'pcs mixed',
    ),
  });
});

test('a board without Linux or without a device tree says so', async () => {
  const path = await image({ kind: 'hello' });
  const words = ['-c', 'x', '-f', path];
  await lab.expect(['run', '-s', 'pc1', '-L', ...words], {
    exit: 1,
    stdout: 'System pc1 cannot boot Linux over the network.\n',
  });
  await lab.expect(['run', '-s', 'pc1', '-b', '/nonexistent/dtb', ...words], {
    exit: 1,
    stdout: 'dtb file "/nonexistent/dtb" either does not exist, or is not considered a valid file\n',
  });
});

test('no -s, neither -c nor -r, a second -c: usage and exit 1; run help exits 0', async () => {
  const path = await image({ kind: 'hello' });
  const cases: [string[], number][] = [
    [['-c', 'x', '-f', path], 1],
    [['-s', 'pc1', '-f', path], 1],
    [['-s', 'pc1', '-c', 'x', '-c', 'y', '-f', path], 1],
    [['help'], 0],
  ];
  for (const [words, exit] of cases) {
    const { code, stdout } = await lab.run(['run', ...words], { oldName: true });
    assert.equal(code, exit, words.join(' '));
    assert.match(stdout, /^mq\.sh run -s/);
  }
  const unknown = await lab.run(['run', '-s', 'pc1', '--nosuch', '-c', 'x', '-f', path]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stdout, /^Unknown option --nosuch\n/);
});

test('-a with an empty end text: standard input goes to the board from the start', async () => {
  const path = await image({ kind: 'echo' });
  const run = lab.mq(['run', '-s', 'pc1', '-a', '-c', '', '-d', '20', '-f', path], { stdin: 'open' });
  await run.printed('> ');
  run.type('good day\n');
  await run.printed('you said: good day\r\n> ');
  run.kill('SIGINT');
  assert.equal((await run.ended).code, 1);
  await lab.untilQuiet();
});

test('-a keeps the board on after the end text until the end of input, and exits 0', async () => {
  const path = await image({ kind: 'echo' });
  const run = lab.mq(['run', '-s', 'pc1', '-a', '-c', 'booted', '-d', '20', '-f', path], { stdin: 'open' });
  await run.printed('> ');
  run.type('still here\n');
  await run.printed('you said: still here\r\n> ');
  assert.equal(await lab.holder('pc1'), `pc1 LOCKED ${me.name}`);
  run.endInput();
  assert.equal((await run.ended).code, 0);
  assert.equal(await lab.holder('pc1'), 'pc1 FREE');
});

test('without a server the words are those that clients try again on', async () => {
  const path = await image({ kind: 'hello' });
  const env = { MQ_SERVER: `unix:${lab.folder}/none` };
  const { code, stdout } = await lab.run(['run', '-s', 'pc1', '-c', 'x', '-f', path], { env });
  assert.equal(code, 1);
  assert.match(stdout, /^Unable to ssh to \S+\n$/);
});
