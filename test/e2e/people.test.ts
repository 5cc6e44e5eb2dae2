// What people type and see: typing errors, help, tables, JSON, and text of other people that must not move the cursor.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import type { JobView, StatusView } from '../../src/protocol/views.ts';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import { noTerminal } from './harness/terminal.ts';
import { daemon, me, nobody, noOtherUsers } from './harness/users.ts';

const pc = { machine: { driver: 'v86' } };
const lab = await Lab.start(
  { after },
  {
    boards: { sabre: { ...pc, arch: 'arm' }, haswell: { ...pc, arch: 'x86' } },
    pools: { pair: ['sabre', 'haswell'] },
  },
);
const hello = await lab.file('hello.elf', makeImage({ kind: 'hello' }));
const hang = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
const quiet = { exit: 0, stdout: '' };
const escapeCode = '\u001b';
const commands = ['run', 'sem', 'status', 'queue', 'jobs', 'logs', 'cancel', 'board'];

afterEach(() => lab.reset());

test('mq alone and an unknown command show the usage on stdout and exit 1; --help exits 0', async () => {
  for (const [words, exit] of [
    [[], 1],
    [['sttaus'], 1],
    [['toString'], 1],
    [['--help'], 0],
  ] as [string[], number][]) {
    const { code, stdout, stderr } = await lab.run(words);
    assert.equal(code, exit, words.join(' '));
    assert.match(stdout, /^usage: mq COMMAND/);
    assert.equal(stderr, '');
  }
});

test('on a terminal an unknown command is answered with the nearest one', { skip: noTerminal }, async () => {
  const { code, stdout } = await lab.run(['sttaus'], { terminal: true });
  assert.equal(code, 1);
  assert.match(stdout, /Did you mean status\?/);
});

test('every command has help with an example, without a server', async () => {
  const env = { MQ_SERVER: 'unix:/nonexistent/socket' };
  for (const command of commands) {
    const { code, stdout } = await lab.run([command, '--help'], { env });
    assert.equal(code, command === 'sem' ? 1 : 0, command);
    assert.match(stdout, new RegExp(`Examples:\n +mq ${command}`), command);
    const { code: asked, stdout: same } = await lab.run(['help', command], { env });
    assert.deepEqual([asked, same], [0, stdout], command);
  }
});

test('typing errors are told on stderr with what was meant and how to get help', async () => {
  const cases: [string[], RegExp][] = [
    [['status', '--jsn'], /Did you mean --json\?.*mq status --help/],
    [['status', 'extra'], /'extra' is one word too many/],
    [['jobs', '--limit', 'many'], /--limit is a number from 1/],
    [['logs'], /Which job\?/],
    [['logs', 'x'], /'x' is no number of a job/],
    [['cancel'], /Which job or ticket\?/],
    [['board', 'drian', 'sabre'], /Did you mean drain\?/],
    [['board', 'drain'], /Which board/],
    [['status', '--server', 'nonsense'], /must be unix:PATH/],
  ];
  for (const [words, message] of cases) {
    const { code, stdout, stderr } = await lab.run(words);
    assert.deepEqual([code, stdout], [2, ''], words.join(' '));
    assert.match(stderr, message);
    assert.match(stderr, /^mq: .*\n$/);
  }
});

test('names that are nowhere are told, and the nearest board is', { skip: noTerminal }, async () => {
  for (const words of [
    ['logs', '99999'],
    ['cancel', '99999'],
    ['board', 'drain', 'nosuch'],
  ]) {
    const { code, stderr } = await lab.run(words);
    assert.equal(code, 1, words.join(' '));
    assert.match(stderr, /99999|nosuch/);
  }
  const { stdout } = await lab.run(['sem', '-info', 'sabr'], { terminal: true });
  assert.match(stdout, /Did you mean sabre\?/);
});

test('no server: it says where it looked and how to start one', async () => {
  const { code, stdout, stderr } = await lab.run(['status'], { env: { MQ_SERVER: 'unix:/nonexistent/s' } });
  assert.deepEqual([code, stdout], [4, '']);
  assert.match(stderr, /unix:\/nonexistent\/s \(from MQ_SERVER\).*mq server/);
});

test('status, queue and jobs as tables and as JSON, and no escape sequence in a pipe', async () => {
  await lab.expect(['sem', '-wait', 'sabre', '-k', 'mine', '-T', '600', '--note', 'until lunch'], quiet);
  assert.equal((await lab.run(['run', '-s', 'haswell', '-c', 'universe', '-k', 'j', '-f', hello])).code, 0);
  const waiting = lab.mq(['sem', '-wait', 'sabre', '-k', 'waits']);
  await lab.untilWaiting('waits');
  const status = await lab.run(['status']);
  assert.match(status.stdout, new RegExp(`^sabre +held +${me.name} +mine .*until lunch`, 'm'));
  assert.match(status.stdout, /^pair +1 +2 /m);
  const queue = await lab.run(['queue']);
  assert.match(queue.stdout, /sabre .*waits .*held by/);
  const jobs = await lab.run(['jobs']);
  assert.match(jobs.stdout, /completed +haswell .*hello\.elf/);
  for (const { code, stdout, stderr } of [status, queue, jobs]) {
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(!stdout.includes(escapeCode));
  }
  const view = JSON.parse((await lab.run(['status', '--json'])).stdout) as StatusView;
  assert.deepEqual(
    view.boards.map(({ board, state, lock }) => [board, state, lock?.key, lock?.note]),
    [
      ['sabre', 'held', 'mine', 'until lunch'],
      ['haswell', 'free', undefined, undefined],
    ],
  );
  assert.equal(view.queue[0]?.key, 'waits');
  const list = JSON.parse((await lab.run(['jobs', '--json'])).stdout) as JobView[];
  assert.deepEqual(
    list.map(({ verdict, key, board }) => [verdict, key, board]),
    [['completed', 'j', 'haswell']],
  );
  waiting.kill('SIGINT');
  await waiting.ended;
  await lab.expect(['sem', '-signal', 'sabre', '-k', 'mine'], quiet);
});

test('status --watch --json has a line for each change, and ends at Ctrl+C', async () => {
  const watch = lab.mq(['status', '--watch', '--json']);
  await watch.printed('\n');
  await lab.expect(['sem', '-wait', 'haswell', '-k', 'seen'], quiet);
  await watch.printed('"seen"');
  watch.kill('SIGINT');
  const { code, stdout } = await watch.ended;
  assert.equal(code, 0);
  for (const line of stdout.trimEnd().split('\n')) JSON.parse(line);
  await lab.expect(['sem', '-signal', 'haswell', '-k', 'seen'], quiet);
});

test('logs -f of a job that waits for its board waits for its beginning, or tells why there was none', async () => {
  await lab.expect(['lock', 'haswell', '--key', 'h'], { exit: 0, stdout: 'haswell\n' });
  const detached = async () =>
    (await lab.run(['run', 'haswell', hello, '--until', 'universe', '--detach'])).stdout.trim();
  const [first, second] = [await detached(), await detached()];
  const follows = [first, second].map((id) => lab.mq(['logs', '-f', id]));
  const early = await lab.run(['logs', first]);
  assert.deepEqual([early.code, early.stdout], [1, '']);
  assert.match(early.stderr, /still waits for a board/);
  await lab.expect(['cancel', second], { exit: 0, stdout: `Cancelled ${second}\n` });
  const none = await follows[1]?.ended;
  assert.equal(none?.code, 1);
  assert.match(none?.stderr ?? '', new RegExp(`Job ${second} has ended before it began: cancelled by `));
  assert.equal(follows[0]?.hasEnded, false);
  await lab.expect(['unlock', 'haswell', '--key', 'h'], quiet);
  const followed = await follows[0]?.ended;
  assert.equal(followed?.code, 0, followed?.stderr);
  assert.match(followed?.stdout ?? '', /universe/);
  await lab.untilQuiet();
});

test('logs shows the console of a job, live with -f, with times with --timestamps', async () => {
  const run = lab.mq(['run', '-s', 'sabre', '-c', 'never', '-k', 'log', '-f', hang]);
  await run.printed('hang: booted\n');
  const { jobs } = await lab.until('it runs', (status) => status.jobs.some((job) => job.key === 'log'));
  const id = String(jobs.find((job) => job.key === 'log')?.id);
  const follow = lab.mq(['logs', '-f', id]);
  await follow.printed('hang: booted\n');
  assert.equal((await lab.run(['logs', id])).stdout, 'hang: booted\n');
  assert.match(
    (await lab.run(['logs', '--timestamps', id])).stdout,
    /^\S+ \d\d:\d\d:\d\d\.\d{3} hang: booted\n$/,
  );
  assert.equal(follow.hasEnded, false);
  const cancelled = await lab.run(['cancel', id]);
  assert.deepEqual([cancelled.code, cancelled.stdout], [0, `Cancelled ${id}\n`]);
  assert.equal((await follow.ended).code, 0);
  const { code, stderr } = await run.ended;
  assert.equal(code, 1);
  assert.match(stderr, /cancelled/);
  assert.equal((await lab.run(['logs', id])).stdout, 'hang: booted\n');
});

test('cancel --mine ends all of mine and nothing of others', { skip: noOtherUsers }, async () => {
  await lab.expect(['sem', '-wait', 'sabre', '-k', 'h'], quiet);
  const mine = ['m1', 'm2'].map((key) => lab.mq(['sem', '-wait', 'sabre', '-k', key], { as: nobody }));
  const theirs = lab.mq(['sem', '-wait', 'sabre', '-k', 't1'], { as: daemon });
  await lab.untilWaiting('m1', 'm2', 't1');
  const { code } = await lab.run(['cancel', '--mine'], { as: nobody });
  assert.equal(code, 0);
  for (const command of mine) assert.equal((await command.ended).code, 2);
  assert.equal(theirs.hasEnded, false);
  const ticket = (await lab.untilWaiting('t1')).queue[0]?.ticket;
  assert.notEqual((await lab.run(['cancel', String(ticket)], { as: nobody })).code, 0);
  assert.equal(theirs.hasEnded, false);
  await lab.expect(['sem', '-signal', 'sabre', '-k', 'h'], quiet);
  assert.equal((await theirs.ended).code, 0);
  await lab.run(['sem', '-signal', 'sabre', '-f']);
});

test('board drain and resume, by an admin only', { skip: noOtherUsers }, async () => {
  assert.equal((await lab.run(['board', 'drain', 'sabre'], { as: nobody })).code, 1);
  const drained = await lab.run(['board', 'drain', 'sabre', '--note', 'fan']);
  assert.deepEqual([drained.code, drained.stdout], [0, 'sabre is out: fan\n']);
  assert.match((await lab.run(['status'])).stdout, /^sabre +out .*fan/m);
  const resumed = await lab.run(['board', 'resume', 'sabre']);
  assert.deepEqual([resumed.code, resumed.stdout], [0, 'sabre is free\n']);
});

test('keys and notes of others are shown escaped, in a pipe and on a terminal', {
  skip: noTerminal,
}, async () => {
  const hostile = `${escapeCode}[2Jx\nhaswell LOCKED root\r\u202e\u009b1m`;
  await lab.expect(['sem', '-wait', 'sabre', '-k', hostile, '--note', hostile], quiet);
  const waiting = lab.mq(['sem', '-wait', 'sabre', '-k', `${hostile}2`]);
  await lab.untilWaiting(`${hostile}2`);
  for (const words of [['status'], ['queue'], ['sem', '-info', 'sabre'], ['sem', 'dumpall']]) {
    const { stdout } = await lab.run(words);
    assert.ok(stdout.includes('\\e[2Jx\\nhaswell'), words.join(' '));
    for (const character of [escapeCode, '\r', '\u202e', '\u009b']) assert.ok(!stdout.includes(character));
    const shown = (await lab.run(words, { terminal: true, env: { TERM: 'xterm' } })).stdout;
    assert.ok(!shown.includes(`${escapeCode}[2J`) && !shown.includes('\u202e') && !shown.includes('\u009b'));
    assert.ok(!/^haswell LOCKED root/m.test(shown), words.join(' '));
  }
  waiting.kill('SIGINT');
  await waiting.ended;
  await lab.expect(['sem', '-signal', 'sabre', '-k', hostile], quiet);
});

test('on a terminal a waiting command shows its place and who holds the board', {
  skip: noTerminal,
}, async () => {
  await lab.expect(['sem', '-wait', 'sabre', '-k', 'h'], quiet);
  const waiting = lab.mq(['sem', '-wait', 'sabre', '-k', 'w'], { terminal: true });
  await waiting.printed(`Next in line for sabre; sabre is held by ${me.name} since `);
  await lab.expect(['sem', '-signal', 'sabre', '-k', 'h'], quiet);
  assert.equal((await waiting.ended).code, 0);
  await lab.expect(['sem', '-signal', 'sabre', '-k', 'w'], quiet);
});

test('Ctrl+C on a terminal stops a run and waits for its clean-up', { skip: noTerminal }, async () => {
  const run = lab.mq(['run', '-s', 'sabre', '-c', 'never', '-f', hang], { terminal: true });
  await run.printed('hang: booted');
  run.type('\u0003');
  assert.equal((await run.ended).code, 1);
  assert.equal(await lab.holder('sabre'), 'sabre FREE');
});
