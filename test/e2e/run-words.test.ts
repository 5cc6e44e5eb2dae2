// `mq run` in the newer words against a real server: what goes to stdout and to stderr, the exit codes, and --json.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import { noTerminal } from './harness/terminal.ts';

const pc = { machine: { driver: 'v86' }, arch: 'x86' };
const lab = await Lab.make({ after });
const script = await lab.scriptBoard('scripted');
await lab.configure({
  boards: { one: pc, two: pc, scripted: { machine: script.machine, linux: true } },
  pools: { pair: ['one', 'two'] },
});
await lab.startServer();
const hello = await lab.file('hello.elf', makeImage({ kind: 'hello' }));
const fail = await lab.file('fail.elf', makeImage({ kind: 'fail' }));
const hang = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
const echo = await lab.file('echo.elf', makeImage({ kind: 'echo' }));
const quiet = { exit: 0, stdout: '' };
const console = 'hello: booted\nHello from the board\nAll is well';

afterEach(() => lab.reset());

/** The report, without its times. */
const said = (stderr: string) => stderr.replace(/[\d.]+ s\b/g, 'T');

test('stdout has the console up to the text and nothing else; stderr the board, the job and the end', async () => {
  const log = join(lab.folder, 'open/console.log');
  for (const target of ['one', 'pair', 'one,two', 'arch=x86']) {
    const { code, stdout, stderr } = await lab.run([
      ...['run', target, hello, '--until', 'All is well', '--log', log],
    ]);
    assert.deepEqual([code, stdout], [0, console], stderr);
    const id = /job (\d+)/.exec(stderr)?.[1];
    assert.equal(
      said(stderr),
      `mq: board one, job ${id}\nmq: job ${id} on one: done. Waited T, ran T. Console: ${log}, mq logs ${id}\n`,
    );
    assert.match(await readFile(log, 'utf8'), /^hello: booted\n.*All is well/s);
    assert.equal(await lab.holder('one'), 'one FREE');
  }
});

test('each end has its exit code: the error text 1, time run out 5', async () => {
  const failed = await lab.run([
    'run',
    'one',
    fail,
    '--until',
    'All is well',
    '--fail-on',
    'Assertion failed',
  ]);
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stdout, /^fail: booted\nAssertion failed$/);
  assert.match(failed.stderr, /: failed, its error text came\. Waited/);
  const late = await lab.run(['run', 'one', hang, '--until', 'never', '--timeout', '1s']);
  assert.deepEqual([late.code, late.stdout], [5, 'hang: booted\n'], late.stderr);
  assert.match(late.stderr, /: its time ran out \(/);
});

test('--json prints one object and no console; that goes to --log', async () => {
  const log = join(lab.folder, 'open/json.log');
  const words = ['run', 'one', hello, '--until', 'All is well', '--json', '--log', log];
  const { code, stdout, stderr } = await lab.run(words);
  assert.equal(code, 0, stderr);
  const { job, waitedSeconds, ranSeconds, ...rest } = JSON.parse(stdout);
  assert.deepEqual(rest, { board: 'one', verdict: 'completed', exit: 0, log });
  assert.ok(job > 0 && waitedSeconds >= 0 && ranSeconds > 0, stdout);
  assert.match(await readFile(log, 'utf8'), /All is well/);
  const about = JSON.parse((await lab.run(['jobs', String(job), '--json'])).stdout);
  assert.deepEqual([about.id, about.verdict], [job, 'completed']);
});

test('a lock that is not had exits with 2, at once with --no-wait, in time with --wait', async () => {
  await lab.expect(['lock', 'one', '--key', 'a'], { exit: 0, stdout: 'one\n' });
  const now = await lab.run(['run', 'one', hello, '--until', 'x', '--no-wait', '--json']);
  assert.deepEqual([now.code, now.stdout], [2, '']);
  const { error } = JSON.parse(now.stderr);
  assert.deepEqual([error.code, error.exit], ['NOT_GRANTED_IN_TIME', 2]);
  const soon = await lab.run(['run', 'one', hello, '--until', 'x', '--wait', '1s']);
  assert.deepEqual([soon.code, soon.stdout], [2, '']);
  assert.match(soon.stderr, /^mq: the lock of one was not had: no board came free in time\.\n$/);
});

test('--own-lock runs under a lock that I have, and leaves it', async () => {
  const words = ['run', 'one', hello, '--until', 'All is well', '--own-lock', '--key', 'mine'];
  assert.equal((await lab.run(words)).code, 2);
  await lab.expect(['lock', 'one', '--key', 'mine'], { exit: 0, stdout: 'one\n' });
  assert.equal((await lab.run(words)).code, 0);
  assert.match(await lab.holder('one'), /^one LOCKED \S+ mine$/);
});

test('a signal stops the job, tells its end and exits with 1; the board is free then', async () => {
  const run = lab.mq(['run', 'one', hang, '--until', 'never', '--json']);
  await run.printed('job ', 'stderr');
  run.kill('SIGTERM');
  const { code, stdout } = await run.ended;
  const { verdict, exit } = JSON.parse(stdout);
  assert.deepEqual([code, verdict, exit], [1, 'cancelled', 1]);
  assert.equal(await lab.holder('one'), 'one FREE');
});

test('--detach prints the number and leaves; the job waits, runs and ends by itself', async () => {
  await lab.expect(['lock', 'one'], { exit: 0, stdout: 'one\n' });
  const waits = await lab.run(['run', 'one', hello, '--until', 'All is well', '--detach', '--key', 'later']);
  assert.deepEqual([waits.code, waits.stderr], [0, '']);
  const id = waits.stdout.trim();
  assert.match(id, /^\d+$/);
  await lab.untilWaiting('later');
  assert.equal(JSON.parse((await lab.run(['jobs', id, '--json'])).stdout).state, 'waiting');
  await lab.expect(['unlock', 'one'], quiet);
  await lab.until('it has run', ({ jobs, queue }) => jobs.length === 0 && queue.length === 0);
  assert.match((await lab.run(['logs', '-f', id])).stdout, /All is well/);
  assert.equal(JSON.parse((await lab.run(['jobs', id, '--json'])).stdout).verdict, 'completed');
  const runs = await lab.run(['run', 'one', hang, '--detach', '--json']);
  const { job, ...rest } = JSON.parse(runs.stdout);
  assert.deepEqual(rest, { state: 'started', board: 'one' });
  await lab.expect(['cancel', String(job)], { exit: 0, stdout: `Cancelled ${job}\n` });
});

test('--keep-on types into the board from the text on', async () => {
  const run = lab.mq(['run', 'one', echo, '--until', 'booted', '--keep-on'], { stdin: 'open' });
  await run.printed('booted');
  run.type('over\nexit\n');
  await run.printed('All is well');
  run.endInput();
  assert.equal((await run.ended).code, 0);
});

test('a board’s own program that fails exits with 1, whatever it returns; --json has its code', async () => {
  const image = await lab.file('seven.sh', 'exit 7');
  const { code, stdout } = await lab.run(['run', 'scripted', image, '--until', 'x', '--json']);
  const { verdict, exit, programExit } = JSON.parse(stdout);
  assert.deepEqual([code, verdict, exit, programExit], [1, 'error-text', 1, 7]);
});

test('wrong use exits with 2 and says what is right; old letters and new words do not mix', async () => {
  for (const [words, message] of [
    [['run', 'one'], /Which files are to run on one\? As in: mq run sabre/],
    [['run', 'one', '/nonexistent'], /There is no file '\/nonexistent'/],
    [['run', 'one', 'x'.repeat(5_000)], /There is no file 'xxx/],
    [['run', 'one', hello, '--untli', 'x'], /Did you mean --until\?/],
    [['run', 'one', hello, '--until', '(', '--json'], /"code":"BAD_PATTERN"/],
    [
      ['run', '-s', 'one', '-c', 'x', '--log', 'f'],
      /-s is one of the old letters.*The old letter for --log is -l/,
    ],
    [['run', 'one', hello, '--until', 'x', '-k', 'y'], /The new word for -k is --key/],
  ] as [string[], RegExp][]) {
    const { code, stdout, stderr } = await lab.run(words);
    assert.deepEqual([code, stdout], [2, ''], words.join(' '));
    assert.match(stderr, message);
  }
  const nowhere = await lab.run(['run', 'sabre', hello]);
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /There is no board or pool 'sabre'/);
  const away = await lab.run(['run', 'one', hello], { env: { MQ_SERVER: 'unix:/nonexistent/s' } });
  assert.equal(away.code, 4);
});

test('mq run alone shows the old usage and, on a terminal, how to begin', { skip: noTerminal }, async () => {
  const { code, stdout, stderr } = await lab.run(['run']);
  assert.deepEqual([code, stderr], [1, '']);
  assert.match(stdout, /^mq run -s BOARD\|POOL -c TEXT/);
  const shown = await lab.run(['run'], { terminal: true });
  assert.match(shown.stdout, /mq run sabre kernel\.elf --until/);
});

test('on a terminal the place is shown while it waits, then the board and the job', {
  skip: noTerminal,
}, async () => {
  await lab.expect(['lock', 'one', '--key', 'h'], { exit: 0, stdout: 'one\n' });
  const run = lab.mq(['run', 'one', hello, '--until', 'All is well'], { terminal: true });
  await run.printed('Next in line for one; one is held by ');
  await lab.expect(['unlock', 'one', '--key', 'h'], quiet);
  const { code, stdout } = await run.ended;
  assert.equal(code, 0);
  assert.match(stdout, /mq: board one, job \d+\r\n.*All is well\r\nmq: job \d+ on one: done\. Waited/s);
});
