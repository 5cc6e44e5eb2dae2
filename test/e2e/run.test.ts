// The old words of `run` on emulated PCs that boot real machine code: lines, console, texts, limits, log file.
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { type ImageSpec, makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';

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

test('two files: the second is the module of the first; names may hold spaces', async () => {
  const kernel = await image({ kind: 'module' });
  const module = await lab.file('root task (1).bin', 'I am the root task');
  const { code, stdout } = await lab.run(['run', '-s', 'pc1', '-c', 'universe', '-f', kernel, '-f', module]);
  assert.equal(code, 0);
  assert.match(stdout, /module of 18 bytes\nI am the root task\n/);
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
