// `run` on boards that a lab's own program drives: how it is called, what its output and exit code become, -L and -b.
import assert from 'node:assert/strict';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Lab } from './harness/lab.ts';

const lab = await Lab.make({ after });
const plain = await lab.scriptBoard('plain');
const stubborn = await lab.scriptBoard('stubborn');
const linux = await lab.scriptBoard('linux');
const power = await lab.scriptBoard('power');
await lab.configure({
  boards: {
    plain: { machine: plain.machine },
    stubborn: { machine: stubborn.machine },
    linux: { machine: linux.machine, files: { default: 1, linux: 2 }, linux: true, dtb: true },
    nodtb: { machine: linux.machine, linux: true },
    two: { machine: { ...plain.machine, power_off_path: power.machine.path }, files: 2 },
  },
});
await lab.startServer();

const start = (board: string): string =>
  `Acquiring lock for ${board}\nLock for ${board} currently free\nLock acquired, we are allowed to run\n`;

let count = 0;
/** What the board is to do, as a shell script in the place of an image. */
function image(script: string): Promise<string> {
  count += 1;
  return lab.file(`image-${count}`, script);
}

// It takes half a minute, so it runs beside the other tests.
const overdue = lab.mq([
  ...['run', '-s', 'stubborn', '-c', 'x', '-d', '1', '-f', await image('echo ready; sleep 1000')],
]);

test('without -d and -e the program gets -1 and an empty text', async () => {
  const begin = (await plain.calls()).length;
  assert.equal((await lab.run(['run', '-s', 'plain', '-c', '', '-f', await image('exit 0')])).code, 0);
  assert.match((await plain.calls())[begin] ?? '', /^10 <-t> <-1> <-c> <> <-e> <> <-l> <\S+> <-k> <\S+>$/);
});

test('another program for power is called with --shutdown', async () => {
  const [kernel, second] = await Promise.all([image('echo two'), image('')]);
  const begin = (await plain.calls()).length;
  assert.equal((await lab.run(['run', '-s', 'two', '-c', 'x', '-f', kernel, '-f', second])).code, 0);
  assert.equal((await plain.calls()).length, begin + 1);
  assert.equal((await power.calls()).at(-1), '1 <--shutdown>');
});

test('bytes pass raw, carriage returns and what is no UTF-8 included', async () => {
  const log = join(lab.folder, 'open', 'log');
  const path = await image(String.raw`printf 'a\r\n\377\300\000\033[31mred\303'`);
  const { code, bytes } = await lab.run(['run', '-s', 'plain', '-c', 'x', '-l', log, '-f', path]);
  assert.equal(code, 0);
  const wanted = Buffer.from('a\r\n\xff\xc0\x00\x1b[31mred\xc3', 'latin1');
  assert.deepEqual(bytes, Buffer.concat([Buffer.from(start('plain')), wanted]));
  assert.deepEqual(await readFile(log), wanted);
});

test('what the program writes to stderr is console too', async () => {
  const { code, stdout, stderr } = await lab.run([
    ...['run', '-s', 'plain', '-c', 'x', '-f', await image('echo out; echo err >&2')],
  ]);
  assert.deepEqual([code, stdout, stderr], [0, `${start('plain')}out\nerr\n`, '']);
});

test('with -a standard input reaches the program', async () => {
  const path = await image('echo ready; read -r word; echo "got $word"');
  const run = lab.mq(['run', '-s', 'plain', '-a', '-c', '', '-f', path], { stdin: 'open' });
  await run.printed('ready');
  run.type('hello\n');
  const { code, stdout } = await run.ended;
  assert.deepEqual([code, stdout], [0, `${start('plain')}ready\ngot hello\n`]);
});

test('a program that is missing is a fault of the lab: told on stderr, not 0', async () => {
  const path = plain.machine.path;
  await chmod(path, 0o644);
  try {
    const { code, stderr } = await lab.run(['run', '-s', 'plain', '-c', 'x', '-f', await image('echo')]);
    assert.notEqual(code, 0);
    assert.match(stderr, /plain/);
  } finally {
    await chmod(path, 0o755);
  }
});

test('a device tree needs a board that takes it, and -L', async () => {
  const [file, dtb] = await Promise.all([image(''), image('')]);
  const words = ['-c', 'x', '-f', file, '-b', dtb];
  const cases: [string[], string][] = [
    [['-s', 'plain', '-L', '-c', 'x', '-f', file], 'System plain cannot boot Linux over the network.'],
    [['-s', 'nodtb', '-L', ...words], 'System nodtb does not accept a dtb'],
    [['-s', 'linux', ...words], 'A dtb may only be supplied when booting a linux image over the network.'],
    [['-s', 'linux', '-L', '-c', 'x', '-f', file], 'Wrong number of files specified for system linux'],
    [['-s', 'linux', '-c', 'x', '-f', file, '-f', file], 'Wrong number of files specified for system linux'],
  ];
  for (const [more, line] of cases) await lab.expect(['run', ...more], { exit: 1, stdout: `${line}\n` });
});

test('a program that does not mind -d is ended a little after it, as timed out', async () => {
  const { code, stdout } = await overdue.ended;
  assert.notEqual(code, 0);
  assert.equal(stdout, `${start('stubborn')}ready\n[[Timeout]]\n`);
  assert.ok(!(await stubborn.journal()).some((line) => line.startsWith('overlap')));
  assert.equal((await stubborn.journal()).at(-1), 'off');
});
