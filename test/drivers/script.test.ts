// Driver script: the words it calls a lab's program with, its console and exit code, and that nothing of a
// run is left behind.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createScriptDriver } from '../../src/drivers/board/script.ts';
import { endTree } from '../../src/platform/process-tree.ts';
import {
  type BoardProgram,
  boardJob,
  floodText,
  helloText,
  neverAborted,
  testBoardDriver,
  testFolder,
  writeBoardFile,
} from '../../src/testing/board-suite.ts';
import { ConsoleRecord } from '../../src/testing/console-record.ts';
import { processRuns, runShell, writeProgram } from './lab-program.ts';

/** Each program as shell; those that print much print a file beside them. */
const programs: Readonly<Record<BoardProgram, string>> = {
  hello: 'cat "$kernel.bytes"',
  raw: 'cat "$kernel.bytes"',
  flood: 'cat "$kernel.bytes"',
  hang: 'echo ready; while :; do sleep 1000; done',
  echo: 'while printf "> " && read -r line; do echo "you said: $line"; done',
};
const outputs: Partial<Record<BoardProgram, Uint8Array>> = {
  hello: Buffer.from(helloText),
  raw: Uint8Array.from({ length: 256 }, (_, byte) => byte),
  flood: Buffer.from(floodText()),
};

const suiteFolder = await testFolder({ after });
const suiteProgram = await writeProgram(suiteFolder);

testBoardDriver('script', {
  createDriver: () => createScriptDriver({ path: suiteProgram }),
  missing: (job) => ({ driver: createScriptDriver({ path: '/no-such-thing' }), job }),
  load: async (program, folder) => {
    await writeBoardFile(folder, `${program}.bytes`, outputs[program] ?? '');
    return [await writeBoardFile(folder, program, programs[program])];
  },
});

/** A shell kernel that prints each word it was called with on a line. */
const printsWords = 'for word in "$@"; do echo "[$word]"; done';

function wordsOf(console: ConsoleRecord): string[] {
  return console.text
    .trim()
    .split('\n')
    .map((line) => line.slice(1, -1));
}

test('a program gets the words of the old scripts, in their order, each whole', async (t) => {
  const { session, console, folder } = await runShell(t, printsWords, {
    changes: { endText: `it's "done" $(id) *`, errorText: '', timeoutSeconds: 300 },
  });
  assert.deepEqual(await session.exit, { kind: 'exited', code: 0 });
  assert.deepEqual(wordsOf(console), [
    ...['-t', '300', '-c', `it's "done" $(id) *`, '-e', ''],
    ...['-l', join(folder, 'log'), '-k', join(folder, 'kernel')],
  ]);
});

test('a program gets every option that a job can have', async (t) => {
  const folder = await testFolder(t);
  const console = new ConsoleRecord();
  const driver = createScriptDriver({ path: await writeProgram(folder) });
  const files = [
    await writeBoardFile(folder, 'a kernel', printsWords),
    await writeBoardFile(folder, 'root', ''),
  ];
  const job = boardJob(files, folder, {
    ...{ linux: true, dtbPath: '/d.dtb', bitstreamPath: '/b.bit', keepOn: true, timeoutSeconds: -1 },
  });
  const session = await driver.start(job, console, { signal: neverAborted() });
  await session.exit;
  assert.deepEqual(wordsOf(console), [
    ...['-L', '-b', '/d.dtb', '--bitstream', '/b.bit', '-t', '-1', '-c', '', '-e', '', '-l', job.logPath],
    ...['-k', join(folder, 'a kernel'), '-u', join(folder, 'root'), '-a', '-i'],
  ]);
});

test('what a program writes to both outputs comes in the order in which it was written', async (t) => {
  const text = 'for n in 1 2 3 4 5 6 7 8 9; do echo "out $n"; echo "error $n" >&2; done';
  const { session, console } = await runShell(t, text);
  await session.exit;
  const lines = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((n) => [`out ${n}`, `error ${n}`]);
  assert.equal(console.text, `${lines.join('\n')}\n`);
});

test('a program can open its outputs again by name', async (t) => {
  const { session, console } = await runShell(t, 'echo one > /dev/stdout && echo two > /dev/stderr');
  assert.deepEqual(await session.exit, { kind: 'exited', code: 0 });
  assert.equal(console.text, 'one\ntwo\n');
});

test('the exit code of a program is the exit', async (t) => {
  const { session } = await runShell(t, 'exit 7');
  assert.deepEqual(await session.exit, { kind: 'exited', code: 7 });
});

test('a program that a signal ended says by which', async (t) => {
  const { session } = await runShell(t, 'kill -9 $$');
  assert.deepEqual(await session.exit, { kind: 'signalled', signal: 'SIGKILL' });
});

test('a program without -a has an empty standard input', async (t) => {
  const { session, console } = await runShell(t, 'read -r line; echo "code $?"');
  session.write(Buffer.from('never read\n'));
  assert.deepEqual(await session.exit, { kind: 'exited', code: 0 });
  assert.equal(console.text, 'code 1\n');
});

test('the caller learns of the child before the start is done, and the child carries its marks', async (t) => {
  const env = { MQ_JOB: 'job 1' };
  const { session, console, children } = await runShell(t, 'echo "$$ $MQ_JOB"', { env });
  assert.equal(children.length, 1);
  await session.exit;
  assert.equal(console.text, `${children[0]} job 1\n`);
});

test('settings of this program do not reach a lab program, other variables do', async (t) => {
  process.env.MQ_TOKEN = 'secret';
  t.after(() => delete process.env.MQ_TOKEN);
  const { session, console } = await runShell(t, 'echo "[$MQ_TOKEN] [$PATH]"');
  await session.exit;
  assert.equal(console.text, `[] [${process.env.PATH}]\n`);
});

test('a program starts at home, and where there is no home, at the root', async (t) => {
  const { HOME } = process.env;
  const folder = await testFolder(t);
  t.after(() => {
    process.env.HOME = HOME;
  });
  for (const [home, started] of [
    [folder, folder],
    ['/nonexistent', '/'],
  ] as const) {
    process.env.HOME = home;
    const { session, console } = await runShell(t, 'pwd -P');
    await session.exit;
    assert.equal(console.text.trim(), started);
  }
});

test('while a process of a job can not be ended, the board takes no job and no power off; then it does', async (t) => {
  let canEnd = false;
  const ending: typeof endTree = async (tree, options) =>
    canEnd ? endTree(tree, options) : { ended: 0, remaining: [...tree.leaders] };
  const options = { endTree: ending };
  const { session, driver, folder, children } = await runShell(t, 'while :; do sleep 1000; done', {
    options,
  });
  await session.stop();
  assert.equal((await session.exit).kind, 'fault');
  const job = boardJob([await writeBoardFile(folder, 'next', 'echo next')], folder);
  const hooks = new ConsoleRecord();
  const start = () => driver.start(job, { onConsole: hooks.onConsole }, { signal: neverAborted() });
  const refused = await (await start()).exit;
  assert.match(refused.kind === 'fault' ? refused.message : refused.kind, /can't be ended: \d+/);
  await assert.rejects(driver.powerOff({}, { signal: neverAborted() }), /can't be ended/);
  canEnd = true;
  const [leader = 0] = children;
  process.kill(-leader, 'SIGKILL');
  while (processRuns(leader)) await new Promise((resolve) => setImmediate(resolve));
  await driver.powerOff({}, { signal: neverAborted() });
  assert.deepEqual(await (await start()).exit, { kind: 'exited', code: 0 });
  assert.equal(hooks.text, 'next\n');
});

test('power off calls the program with --shutdown, or the other program where there is one', async (t) => {
  const folder = await testFolder(t);
  const path = await writeProgram(folder);
  await createScriptDriver({ path }).powerOff({}, { signal: neverAborted() });
  const powerOffPath = await writeProgram(folder, await readFile(path, 'utf8'), 'other');
  await createScriptDriver({ path, powerOffPath }).powerOff({}, { signal: neverAborted() });
  assert.equal(await readFile(join(folder, 'power-offs'), 'utf8'), `${path}\n${powerOffPath}\n`);
});

test('a power off that fails rejects with the code and what the program said', async (t) => {
  const folder = await testFolder(t);
  const path = await writeProgram(folder, '#!/bin/sh\necho "outlet 4: no answer" >&2; exit 3\n');
  const poweringOff = createScriptDriver({ path }).powerOff({}, { signal: neverAborted() });
  await assert.rejects(poweringOff, {
    message: `'${path} --shutdown' exited with code 3: outlet 4: no answer`,
  });
});

test('a power off whose program is missing says so', async () => {
  const poweringOff = createScriptDriver({ path: '/no-such-thing' }).powerOff({}, { signal: neverAborted() });
  await assert.rejects(poweringOff, /'\/no-such-thing' can't be started: .*ENOENT/);
});

test('a power off that hangs is given up and ended when its signal is aborted', async (t) => {
  const folder = await testFolder(t);
  const path = await writeProgram(folder, '#!/bin/sh\nexec sleep 1000\n');
  const children: number[] = [];
  const aborting = new AbortController();
  const onChild = ({ pid }: { readonly pid: number }) => {
    children.push(pid);
    aborting.abort();
  };
  const poweringOff = createScriptDriver({ path }).powerOff({ onChild }, { signal: aborting.signal });
  await assert.rejects(poweringOff, /given up before it was done/);
  assert.equal(processRuns(children[0] ?? 0), false);
});
