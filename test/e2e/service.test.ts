// What only admins may do with boards, with the real server: out of service and back, notes, and force where the lab keeps it.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { me, nobody, noOtherUsers } from './harness/users.ts';

const pc = (soc: string, desk: string) => ({ machine: { driver: 'v86' }, soc, tags: { desk } });
const boards = {
  a: { ...pc('imx6', 'north'), aliases: ['anna'] },
  b: pc('imx6', 'south'),
  c: pc('imx8', 'north'),
};
const pools = { all: ['a', 'b', 'c'], kept: { boards: ['b'], force: 'admin' } };
const lab = await Lab.start({ after }, { boards, pools });
const escapeCode = '\u001b';

afterEach(async () => {
  await lab.run(['board', 'resume', 'all']);
  await lab.run(['unlock', 'all', '--force']);
  await lab.untilQuiet();
});

async function says(words: string[], exit: number, stdout: string, stderr: RegExp): Promise<void> {
  const ended = await lab.run(words);
  assert.deepEqual([ended.code, ended.stdout], [exit, stdout], ended.stderr);
  assert.match(ended.stderr, stderr);
}

const out = (...names: string[]) => names.map((name) => `${name} is out: x\n`).join('');

test('boards go out of service by name, alias, pool and list, and by what they are', async () => {
  for (const [words, names] of [
    [
      ['anna', 'c'],
      ['a', 'c'],
    ],
    [['a,b'], ['a', 'b']],
    [['all'], ['a', 'b', 'c']],
    [
      ['--where', 'soc=imx6'],
      ['a', 'b'],
    ],
    [['--where', 'soc=imx6', '--where', 'desk=north'], ['a']],
    [['--where', 'soc=imx6,desk=south'], ['b']],
  ] as const) {
    await says(['board', 'drain', ...words, '--note', 'x'], 0, out(...names), /^$/);
    await says(['board', 'resume', ...names], 0, names.map((name) => `${name} is free\n`).join(''), /^$/);
  }
});

test('it is done to all or to none, and wrong words are refused', async () => {
  await says(['board', 'drain', 'a', 'nosuch'], 1, '', /no board or pool 'nosuch'/);
  await says(['board', 'drain', '--where', 'soc=imx9'], 1, '', /No board matches soc=imx9 now/);
  await says(['board', 'drain', 'a', '--where', 'soc=imx6'], 2, '', /not both/);
  await says(['board', 'drain', '--where', 'imx6'], 2, '', /ATTRIBUTE=VALUE/);
  await says(['board', 'resume', 'a', '--until', '2h'], 2, '', /--until is for drain/);
  await says(['board', 'drain', 'a', '--until', 'monday'], 2, '', /takes a time/);
  await says(['board', 'note', 'a'], 2, '', /What is to be noted/);
  await lab.until('all are free', (status) => status.boards.every(({ state }) => state === 'free'));
});

test('why and since when is shown in the status and to whoever waits, with control characters escaped', async () => {
  await lab.run(['board', 'drain', 'a', '--note', `new ${escapeCode}[2J fan`, '--until', '2h']);
  const { stdout } = await lab.run(['status']);
  assert.match(
    stdout,
    new RegExp(`^a +out .*by ${me.name} since \\d\\d:\\d\\d, until .*: new \\\\e\\[2J fan`, 'm'),
  );
  const waiting = lab.mq(['lock', 'a', '--key', 'w']);
  const { queue } = await lab.untilWaiting('w');
  const [reason] = queue[0]?.reasons ?? [];
  assert.equal(reason?.kind, 'out');
  assert.match(reason.text, new RegExp(`^a is out of service since .*, by ${me.name}, until .*: new `));
  assert.ok((reason.untilAt ?? 0) - (reason.sinceAt ?? 0) === 7_200_000);
  await lab.run(['board', 'resume', 'a']);
  assert.equal((await waiting.ended).code, 0);
});

test('a board comes back by itself, through a restart', async () => {
  await lab.run(['board', 'drain', 'a', '--until', '3s']);
  const waiting = lab.mq(['lock', 'a', '--key', 'w']);
  await lab.untilWaiting('w');
  await lab.killServer();
  await lab.startServer();
  const { code, stdout } = await waiting.ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'a\n' });
});

test('a note stays with a board in service until it is taken away; --json tells the boards', async () => {
  await says(['board', 'note', 'a', '--note', 'slow'], 0, 'a is free: slow\n', /^$/);
  assert.match((await lab.run(['status'])).stdout, /^a +free .*: slow$/m);
  const { stdout } = await lab.run(['board', 'note', 'a', 'b', '--note', '', '--json']);
  const answer = JSON.parse(stdout) as { boards: { board: string; serviceNote?: string }[] };
  assert.deepEqual(
    answer.boards.map(({ board, serviceNote }) => [board, serviceNote]),
    [
      ['a', undefined],
      ['b', undefined],
    ],
  );
});

test('force takes an admin where a pool says so, and is told; others and free boards are released as ever', {
  skip: noOtherUsers,
}, async () => {
  for (const board of ['a', 'b']) await lab.expect(['sem', '-wait', board], { exit: 0, stdout: '' });
  const old = await lab.run(['sem', '-f', '-signal', 'all'], { as: nobody });
  const line = 'Attempting to unlock system b that you do not hold\n';
  assert.deepEqual([old.code, old.stdout], [1, line]);
  assert.match(old.stderr, /^mq: b: only an admin of the lab may release by force/);
  assert.equal(await lab.holder('a'), 'a FREE');
  assert.equal(await lab.holder('b'), `b LOCKED ${me.name}`);
  const words = await lab.run(['unlock', 'b', '--force'], { as: nobody });
  assert.deepEqual([words.code, words.stdout], [1, '']);
  assert.match(words.stderr, /b is somebody else's, and only an admin/);
  const steal = await lab.run(['steal', 'b'], { as: nobody });
  assert.equal(steal.code, 1);
  assert.match(steal.stderr, new RegExp(`b is held by ${me.name}, and only an admin`));
  await lab.expect(['sem', '-f', '-signal', 'b'], { exit: 0, stdout: '' });
  const free = await lab.run(['sem', '-f', '-signal', 'all'], { as: nobody });
  assert.deepEqual([free.code, free.stdout, free.stderr], [0, '', '']);
  await lab.expect(['sem', '-wait', 'b', '-k', 'k'], { exit: 0, stdout: '' }, { as: nobody });
  await lab.expect(['sem', '-signal', 'b', '-f'], { exit: 0, stdout: '' }, { as: nobody });
});
