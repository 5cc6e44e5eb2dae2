// Crashes and restarts: the server or the agent is killed while jobs run and tickets wait.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { floodLine } from '../../src/testing/images/programs.ts';
import { Lab } from './harness/lab.ts';
import type { Running } from './harness/running.ts';
import { me } from './harness/users.ts';

const pc = { machine: { driver: 'v86' } };
const lab = await Lab.make({ after });
const script = await lab.scriptBoard('script');
await lab.configure({
  boards: { pc1: pc, pc2: pc, script: { machine: script.machine } },
  pools: { pcs: ['pc1', 'pc2'] },
});
await lab.startServer();
const quiet = { exit: 0, stdout: '' };
const start = (board: string): string =>
  `Acquiring lock for ${board}\nLock for ${board} currently free\nLock acquired, we are allowed to run\n`;
const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

afterEach(() => lab.reset());

test('kill -9 of the server during a job: the job goes on, no console byte is lost or doubled', async () => {
  const image = await lab.file('flood', makeImage({ kind: 'flood', megabytes: 8 }));
  const log = join(lab.folder, 'open', 'flood log');
  const words = ['run', '-s', 'pc1', '-c', 'universe', '-k', 'x', '-d', '120', '-l', log, '-f', image];
  const run = lab.mq(words);
  await run.printed(floodLine(2_000));
  const agent = await lab.agentPid();
  await lab.killServer();
  assert.equal(run.hasEnded, false, 'the client waits for the server');
  await lab.startServer();
  const { code, stdout } = await run.ended;
  assert.equal(code, 0);
  assert.equal(await lab.agentPid(), agent, 'the agent is the one from before');
  const lines = Array.from({ length: (8 * 1024 * 1024) / 64 }, (_, index) => floodLine(index + 1));
  const console = `${lines.join('')}All is well in the universe`;
  assert.equal(stdout.length, start('pc1').length + console.length);
  assert.ok(stdout === start('pc1') + console, 'stdout holds each byte once');
  assert.ok((await readFile(log, 'utf8')).startsWith(console), 'the log file too');
  assert.equal(await lab.holder('pc1'), 'pc1 FREE');
});

test('the lock of a job is right after kill -9; a job that ends while the server is away is told later', async () => {
  const gate = join(lab.folder, 'gate');
  const image = await lab.file('gated', `echo ready; until [ -f '${gate}' ]; do sleep 0.02; done; echo over`);
  const run = lab.mq(['run', '-s', 'script', '-c', 'x', '-k', 'x', '-f', image]);
  await run.printed('ready');
  await lab.killServer();
  await lab.startServer();
  assert.equal(await lab.holder('script'), `script LOCKED ${me.name} x`);
  await lab.killServer();
  await lab.file('gate', '');
  await lab.startServer();
  const { code, stdout } = await run.ended;
  assert.deepEqual([code, stdout], [0, `${start('script')}ready\nover\n`]);
  assert.equal(await lab.holder('script'), 'script FREE');
});

test('kill -9 of the server while tickets wait: each keeps its place, locks stay', async () => {
  await lab.expect(['sem', '-wait', 'pc1', '-k', 'h', '-T', '600'], quiet);
  const before = (await lab.run(['sem', '-info', 'pc1'])).stdout;
  const keys = ['w1', 'w2', 'w3'];
  const waiting: Running[] = [];
  for (const key of keys) {
    waiting.push(lab.mq(['sem', '-wait', 'pc1', '-k', key]));
    await lab.untilWaiting(key);
  }
  await lab.killServer();
  // As a write raises that is under way when the server goes.
  for (const client of waiting) client.kill('SIGPIPE');
  await lab.startServer();
  await lab.untilWaiting(...keys);
  assert.equal((await lab.run(['sem', '-info', 'pc1'])).stdout, before);
  let holder = 'h';
  for (const [index, key] of keys.entries()) {
    await lab.expect(['sem', '-signal', 'pc1', '-k', holder], quiet);
    const ended = await waiting[index]?.ended;
    assert.deepEqual([ended?.code, ended?.stdout, ended?.stderr], [0, '', '']);
    assert.equal(await lab.holder('pc1'), `pc1 LOCKED ${me.name} ${key}`);
    holder = key;
  }
  await lab.expect(['sem', '-signal', 'pc1', '-k', holder], quiet);
});

test('a client that dies while the server is away loses its ticket, and the next one is served', async () => {
  await lab.expect(['sem', '-wait', 'pc1', '-k', 'h'], quiet);
  const dead = lab.mq(['sem', '-wait', 'pc1', '-k', 'dead']);
  await lab.untilWaiting('dead');
  const alive = lab.mq(['sem', '-wait', 'pc1', '-k', 'alive']);
  await lab.untilWaiting('alive');
  await lab.killServer();
  dead.kill('SIGKILL');
  await dead.ended;
  await lab.startServer();
  await lab.expect(['sem', '-signal', 'pc1', '-k', 'h'], quiet);
  assert.equal((await alive.ended).code, 0);
  await lab.expect(['sem', '-signal', 'pc1', '-k', 'alive'], quiet);
});

test('kill -9 of the agent: leftovers end, the board is off before its next job, lab fault; locks and tickets stay', async () => {
  await lab.expect(['sem', '-wait', 'pc2', '-k', 'keep'], quiet);
  const ticket = lab.mq(['sem', '-wait', 'pc2', '-k', 'waits']);
  await lab.untilWaiting('waits');
  const grandchildren =
    'sleep 1000 & mark $!\n( setsid sh -c \'echo $$ >> "$0"; exec sleep 1000\' "$board.marks" & )';
  const image = await lab.file('stays', `${grandchildren}\necho ready\nsleep 1000`);
  const begin = (await script.journal()).length;
  const run = lab.mq(['run', '-s', 'script', '-c', 'x', '-k', 'job', '-f', image]);
  await run.printed('ready');
  const next = lab.mq([
    'run',
    '-s',
    'script',
    '-c',
    'x',
    '-k',
    'next',
    '-f',
    await lab.file('done', 'echo done'),
  ]);
  await lab.untilWaiting('next');
  const agent = await lab.agentPid();
  process.kill(agent, 'SIGKILL');
  const { code, stdout, stderr } = await run.ended;
  assert.notEqual(code, 0);
  assert.equal(stdout, `${start('script')}ready\n`);
  assert.match(stderr, /fault of the lab/);
  assert.equal((await next.ended).code, 0);
  const journal = (await script.journal()).slice(begin).map((line) => line.replace(/ \d+$/, ''));
  assert.deepEqual(
    journal.filter((kind) => kind !== 'end'),
    ['start', 'off', 'start', 'off'],
  );
  assert.notEqual(await lab.agentPid(), agent);
  assert.equal(await lab.holder('pc2'), `pc2 LOCKED ${me.name} keep`);
  assert.equal(ticket.hasEnded, false);
  const { jobs } = await lab.until('the agent is back', ({ boards }) =>
    boards.every((board) => board.agentPresent),
  );
  assert.ok(!jobs.some((job) => job.state === 'running'));
  const verdicts = JSON.parse((await lab.run(['jobs', '--json'])).stdout) as {
    key: string;
    verdict: string;
  }[];
  assert.equal(verdicts.find((job) => job.key === 'job')?.verdict, 'lab-fault');
  await lab.expect(['sem', '-signal', 'pc2', '-k', 'keep'], quiet);
  assert.equal((await ticket.ended).code, 0);
  await lab.expect(['sem', '-signal', 'pc2', '-k', 'waits'], quiet);
});

test('kill -9 of server and agent at once: the lock of the job is given back, the board can be used', async () => {
  const image = await lab.file('both', 'sleep 1000 & mark $!\necho ready\nsleep 1000');
  const run = lab.mq(['run', '-s', 'script', '-c', 'x', '-f', image]);
  await run.printed('ready');
  await lab.expect(['sem', '-wait', 'pc2', '-k', 'keep'], quiet);
  const agent = await lab.agentPid();
  await lab.killServer();
  process.kill(agent, 'SIGKILL');
  await lab.startServer();
  assert.notEqual((await run.ended).code, 0);
  assert.equal(await lab.holder('pc2'), `pc2 LOCKED ${me.name} keep`);
  await lab.expect(['sem', '-wait', 'script', '-t', '10', '-w', '1'], quiet);
  assert.ok(!(await script.journal()).some((line) => line.startsWith('overlap')));
  await lab.run(['sem', '-signal', 'script', '-f']);
  await lab.run(['sem', '-signal', 'pc2', '-f']);
});

test('a lock that was just answered survives kill -9 of the server; a released one does not come back', async () => {
  for (const key of ['1', '2']) {
    await lab.expect(['sem', '-wait', 'pc1', '-k', key], quiet);
    await lab.killServer();
    await lab.startServer();
    assert.equal(await lab.holder('pc1'), `pc1 LOCKED ${me.name} ${key}`);
    await lab.expect(['sem', '-signal', 'pc1', '-k', key], quiet);
    await lab.killServer();
    await lab.startServer();
    assert.equal(await lab.holder('pc1'), 'pc1 FREE');
  }
});

test('a waiting client for a pool lives through a restart and is served afterwards', async () => {
  for (const board of ['pc1', 'pc2']) await lab.expect(['sem', '-wait', board, '-k', 'h'], quiet);
  const image = await lab.file('hello', makeImage({ kind: 'hello' }));
  const run = lab.mq(['run', '-s', 'pcs', '-c', 'universe', '-k', 'w', '-f', image]);
  await lab.untilWaiting('w');
  lab.server.kill('SIGTERM');
  assert.equal((await lab.server.ended).code, 0);
  await lab.startServer();
  await lab.expect(['sem', '-signal', 'pc2', '-k', 'h'], quiet);
  const { code, stdout } = await run.ended;
  assert.equal(code, 0);
  assert.equal(lastLine(stdout), 'All is well in the universe');
  await lab.expect(['sem', '-signal', 'pc1', '-k', 'h'], quiet);
});
