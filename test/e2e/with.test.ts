// `mq with` against a real server: the lock lives as long as the command, whatever ends it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, afterEach, test } from 'node:test';
import { connectTo } from '../../src/cli/connect/connect.ts';
import {
  hasProcessTable,
  isRunning,
  type ProcessIdentity,
  readStartTime,
} from '../../src/platform/process-table.ts';
import { Lab } from './harness/lab.ts';
import type { Running } from './harness/running.ts';
import { noTerminal } from './harness/terminal.ts';
import { me } from './harness/users.ts';

const pc = { machine: { driver: 'v86' }, arch: 'x86' };
const lab = await Lab.start({ after }, { boards: { one: pc, two: pc }, pools: { pair: ['one', 'two'] } });
const noTable = hasProcessTable() ? false : 'without /proc the command is not ended with a killed mq';
/** A command that says how it was ended. */
const patient = `trap 'echo caught term; exit 5' TERM; trap 'echo caught int; exit 6' INT; echo runs; while :; do sleep 0.05; done`;

afterEach(async () => {
  await lab.run(['unlock', 'arch=x86', '--force']);
  await lab.untilQuiet();
});

function run(...words: string[]) {
  return lab.run(['with', ...words]);
}

/** Starts the patient command under a lock; resolves when it runs. */
async function startPatient(words: string[] = ['one']): Promise<{ mq: Running }> {
  const mq = lab.mq(['with', ...words, '--', 'sh', '-c', patient]);
  await mq.printed('runs');
  return { mq };
}

const tokenForm = String.raw`\d+\.\d+`;

test('the command finds its board, key and token in its environment, and the lock ends with it', async () => {
  const script = 'echo "$MQ_BOARD $MQ_KEY $MQ_LOCK $MQ_TOKEN"; exec "$0" sem -mr-info "$MQ_BOARD"';
  const mqPath = new URL('../../bin/mq', import.meta.url).pathname;
  const { code, stdout, stderr } = await run('pair', '--', 'sh', '-c', script, mqPath);
  assert.equal(code, 0, stderr);
  const form = `^one (with-[0-9a-z]{20}) (${tokenForm}) (${tokenForm})\\none LOCKED ${me.name} .* (with-[0-9a-z]{20})\\n$`;
  const [, key, lock, token, heldKey] = new RegExp(form).exec(stdout) ?? assert.fail(stdout);
  assert.equal(lock, token);
  assert.equal(key, heldKey);
  assert.equal(stderr, '');
  assert.equal(await lab.holder('one'), 'one FREE');
});

test('it exits as the command does, and gives the lock back', async () => {
  const cases: [string[], number, RegExp][] = [
    [['true'], 0, /^$/],
    [['sh', '-c', 'exit 7'], 7, /^$/],
    [['sh', '-c', 'kill -9 $$'], 137, /^$/],
    [['sh', '-c', 'kill -TERM $$'], 143, /^$/],
    [['/nonexistent/program', '--json'], 127, /^mq: \/nonexistent\/program: there is no such program\.\n$/],
    [['/etc/passwd'], 126, /^mq: \/etc\/passwd can not be run: EACCES\.\n$/],
  ];
  for (const [words, exit, stderr] of cases) {
    const ended = await run('one', '--key', 'k', '--', ...words);
    assert.equal(ended.code, exit, words.join(' '));
    assert.match(ended.stderr, stderr);
    assert.equal(await lab.holder('one'), 'one FREE');
  }
});

test('a command may have several boards, and all are given back', async () => {
  const words = ['pair', '--count', '2', '--', 'sh', '-c', 'echo $MQ_BOARD, $MQ_BOARDS'];
  const { code, stdout } = await run(...words);
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'one, one two\n' });
  assert.deepEqual([await lab.holder('one'), await lab.holder('two')], ['one FREE', 'two FREE']);
});

test('no shell reads the words, and options behind -- are those of the command', async () => {
  const { code, stdout } = await run('one', '--', 'printf', '%s|', '--no-wait', '$HOME;*', '--', '-k');
  assert.deepEqual({ code, stdout }, { code: 0, stdout: '--no-wait|$HOME;*|--|-k|' });
});

test('a lock that is not had runs nothing and exits with 2; so does wrong use', async () => {
  assert.equal((await lab.run(['lock', 'one'])).code, 0);
  for (const words of [
    ['one', '--no-wait', '--', 'echo', 'ran'],
    ['one'],
    ['one', '--'],
    ['--', 'echo', 'ran'],
  ]) {
    const { code, stdout, stderr } = await run(...words);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, words.join(' '));
    assert.match(stderr, /^mq: /);
  }
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name}`);
});

test('a second one of the same user waits its turn, and with one --key for both is refused', async () => {
  const first = await startPatient(['one', '--key', 'k']);
  const refused = await run('one', '--key', 'k', '--', 'true');
  assert.equal(refused.code, 2, refused.stderr);
  const second = lab.mq(['with', 'one', '--', 'echo', 'mine now']);
  await lab.until('the second waits', ({ queue }) => queue.some(({ key }) => key.startsWith('with-')));
  first.mq.kill('SIGTERM');
  const { code, stdout } = await second.ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'mine now\n' });
});

test('a signal goes on to the command, whose answer to it is ours', async () => {
  for (const [signal, exit] of [
    ['SIGTERM', 5],
    ['SIGINT', 6],
  ] as const) {
    const { mq } = await startPatient();
    mq.kill(signal);
    const { code, stdout } = await mq.ended;
    assert.equal(code, exit, signal);
    assert.match(stdout, /caught/);
    assert.equal(await lab.holder('one'), 'one FREE');
  }
});

test('stopped while it waits, it runs nothing and leaves no ticket', async () => {
  assert.equal((await lab.run(['lock', 'one'])).code, 0);
  const waiting = lab.mq(['with', 'one', '--key', 'w', '--', 'echo', 'ran']);
  await lab.untilWaiting('w');
  waiting.kill('SIGINT');
  const { code, stdout } = await waiting.ended;
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  await lab.until('nothing waits', ({ queue }) => queue.length === 0);
});

/** Counts its INTs; a TERM ends it with 10 more than that. */
const counter = `let n = 0; setInterval(() => {}, 1000);
  process.on('SIGINT', () => console.log('got', ++n)).on('SIGTERM', () => process.exit(n + 10));
  console.log('mq', process.ppid, 'go');`;
const countInterrupts = [process.execPath, '-e', counter];

test('Ctrl+C at a terminal reaches the command', { skip: noTerminal }, async () => {
  const mq = lab.mq(['with', 'one', '--', ...countInterrupts], { terminal: true });
  await mq.printed(' go');
  mq.type('\u0003');
  await mq.printed('got 1');
  process.kill(mqOf(mq), 'SIGTERM');
  assert.equal((await mq.ended).code, 11, mq.stdout);
});

test('Ctrl+C at a terminal is not sent once more by us', { skip: noTerminal || noTable }, async () => {
  // In a session of its own the command gets from the terminal nothing, and would get only ours.
  const mq = lab.mq(['with', 'one', '--', 'setsid', ...countInterrupts], { terminal: true });
  await mq.printed(' go');
  mq.type('\u0003');
  await mq.printed('^C');
  // It goes the way of an INT that is passed on, and so would come behind it.
  process.kill(mqOf(mq), 'SIGTERM');
  assert.equal((await mq.ended).code, 10, mq.stdout);
});

function mqOf(command: Running): number {
  return Number(/mq (\d+) go/.exec(command.stdout)?.[1]);
}

test('killed with -9, its command, what that started, and its lock end too', { skip: noTable }, async () => {
  const mq = lab.mq(['with', 'one', '--', 'sh', '-c', 'sleep 600 & echo pids $$ $! go; wait']);
  await mq.printed(' go');
  const processes = identitiesOf(mq);
  assert.equal(processes.length, 2);
  mq.kill('SIGKILL');
  await lab.untilQuiet();
  assert.deepEqual(processes.map(isRunning), [false, false]);
});

test('a command that minds no TERM is killed, and only then the lock ends', { skip: noTable }, async () => {
  const mq = lab.mq([
    'with',
    'one',
    '--',
    'sh',
    '-c',
    `trap '' TERM; echo pids $$ go; while :; do sleep 0.05; done`,
  ]);
  await mq.printed(' go');
  const processes = identitiesOf(mq);
  mq.kill('SIGKILL');
  await lab.untilQuiet();
  assert.deepEqual(processes.map(isRunning), [false]);
});

/** The processes that a command printed as its own. */
function identitiesOf({ stdout }: Running): ProcessIdentity[] {
  const pids = /pids ([\d ]+) go/.exec(stdout)?.[1]?.split(' ').map(Number) ?? assert.fail(stdout);
  return pids.map((pid) => ({ pid, startTime: readStartTime(pid) ?? assert.fail(`${pid} runs`) }));
}

test('a lock that is lost meanwhile is told at once; a success is none then, a failure stays what it was', async () => {
  for (const [commandExit, exit] of [
    [0, 2],
    [7, 7],
  ] as const) {
    const script = `trap 'exit ${commandExit}' TERM; echo go; while :; do sleep 0.05; done`;
    const mq = lab.mq(['with', 'one', '--', 'sh', '-c', script]);
    await mq.printed('go');
    assert.equal((await lab.run(['unlock', 'one', '--force'])).code, 0);
    await mq.printed('mq: the lock of one was lost', 'stderr');
    // The next holder's lock must not be released by us.
    assert.equal((await lab.run(['lock', 'one', '--key', 'next'])).code, 0);
    mq.kill('SIGTERM');
    assert.equal((await mq.ended).code, exit);
    assert.equal(await lab.holder('one'), `one LOCKED ${me.name} next`);
    assert.equal((await lab.run(['unlock', 'one', '--key', 'next'])).code, 0);
  }
});

test('a lock that was handed on meanwhile is left to whom it was given, though the key is the same', async () => {
  const { mq } = await startPatient(['one', '--key', 'k']);
  const client = await connectTo(`unix:${lab.socketPath}`);
  await client.request('steal', { requestId: client.newRequestId(), board: 'one', newKey: 'k' });
  client.close();
  mq.kill('SIGTERM');
  const { code, stderr } = await mq.ended;
  assert.equal(code, 5);
  assert.match(stderr, /^mq: the lock of one was lost/);
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name} k`);
});

test('a restart of the server meanwhile changes nothing', async () => {
  const { mq } = await startPatient(['one', '--key', 'k']);
  await lab.killServer();
  await lab.startServer();
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name} k`);
  mq.kill('SIGTERM');
  const { code, stderr } = await mq.ended;
  assert.deepEqual({ code, stderr }, { code: 5, stderr: '' });
  assert.equal(await lab.holder('one'), 'one FREE');
});

test('the client in POSIX sh does not run the command on the host of the lab', () => {
  const client = new URL('../../deploy/mq.sh', import.meta.url).pathname;
  const env = { ...process.env, MQ_SERVER: 'ssh://127.0.0.1:1' };
  const { status, stderr } = spawnSync('sh', [client, 'with', 'one', '--', 'true'], {
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 2);
  assert.match(stderr, /'with' would run its command on the lab's host/);
});
