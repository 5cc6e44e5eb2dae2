// The newer words for locks against a real server: what they print, how they exit, what stays behind.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { daemon, me, nobody, noOtherUsers } from './harness/users.ts';

const pc = { machine: { driver: 'v86' }, arch: 'x86' };
const boards = { one: pc, two: pc };
const lab = await Lab.start({ after }, { boards, pools: { pair: ['one', 'two'] } });
const quiet = { exit: 0, stdout: '' };

afterEach(async () => {
  await lab.run(['unlock', 'arch=x86', '--force']);
  await lab.untilQuiet();
});

/** Runs it and checks its exit code and all that it says, on stderr too. */
async function says(
  words: string[],
  wanted: { exit: number; stdout?: string; stderr: RegExp },
): Promise<void> {
  const { code, stdout, stderr } = await lab.run(words);
  assert.deepEqual({ code, stdout }, { code: wanted.exit, stdout: wanted.stdout ?? '' }, stderr);
  assert.match(stderr, wanted.stderr);
}

test('lock prints the board alone, for a board, a pool, names and attributes; unlock gives it back', async () => {
  for (const target of ['one', 'pair', 'one,two', 'arch=x86']) {
    await lab.expect(['lock', target], { exit: 0, stdout: 'one\n' });
    assert.equal(await lab.holder('one'), `one LOCKED ${me.name}`);
    await lab.expect(['unlock', target === 'one,two' ? 'one' : target], quiet);
    assert.equal(await lab.holder('one'), 'one FREE');
  }
});

test('lock --json tells board, token, user, key, since and until', async () => {
  const { code, stdout } = await lab.run(['lock', 'one', '--key', 'k', '--hold', '20m', '--json']);
  assert.equal(code, 0);
  const { board, token, user, key, since, until } = JSON.parse(stdout);
  assert.deepEqual({ board, user, key }, { board: 'one', user: me.name, key: 'k' });
  assert.match(token, /^\d+\.\d+$/);
  assert.ok(Math.abs(Date.parse(until) - Date.parse(since) - 1_200_000) < 5_000, `${since} ${until}`);
});

test('several boards are had in one step, a line each, and go back by name or all at once', async () => {
  await lab.expect(['lock', 'two', 'one'], { exit: 0, stdout: 'two\none\n' });
  await lab.expect(['unlock', 'two'], quiet);
  assert.deepEqual([await lab.holder('one'), await lab.holder('two')], [`one LOCKED ${me.name}`, 'two FREE']);
  await lab.expect(['unlock', 'one'], quiet);
  await lab.expect(['lock', 'pair', '--count', '2'], { exit: 0, stdout: 'one\ntwo\n' });
  await says(['unlock', 'one', 'nosuch'], { exit: 1, stderr: /no board or pool 'nosuch'/ });
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name}`);
  await lab.expect(['unlock', 'one', 'two'], quiet);
  await lab.expect(['lock', '--need', 'arch=x86=1', '--need', 'one=1'], { exit: 0, stdout: 'two\none\n' });
  await lab.expect(['unlock', 'pair'], quiet);
  assert.equal(await lab.holder('one'), 'one FREE');
  await says(['lock', 'pair', '--count', '3'], {
    exit: 1,
    stderr: /pair has 2 boards, and 3 were asked for/,
  });
  await says(['lock', 'one', 'two', '--count', '2'], { exit: 2, stderr: /--count goes with one target/ });
  await says(['lock', '--need', 'one'], { exit: 2, stderr: /--need takes TARGET=N/ });
});

test('one of several is kept until the other comes, whoever asks meanwhile', async () => {
  await lab.expect(['lock', 'two', '--key', 'a'], { exit: 0, stdout: 'two\n' });
  const both = lab.mq(['lock', 'one', 'two', '--key', 'b', '--json']);
  await lab.untilWaiting('b');
  await says(['lock', 'one', '--no-wait'], { exit: 2, stderr: /one was not free/ });
  await lab.expect(['unlock', 'two', '--key', 'a'], quiet);
  const { code, stdout } = await both.ended;
  assert.equal(code, 0);
  const boards = (JSON.parse(stdout) as { board: string }[]).map(({ board }) => board);
  assert.deepEqual(boards, ['one', 'two']);
});

test('a lock that is not had exits with 2 and says why on stderr', async () => {
  await lab.expect(['lock', 'one', '--key', 'a'], { exit: 0, stdout: 'one\n' });
  await says(['lock', 'one', '--key', 'b', '--no-wait'], { exit: 2, stderr: /^mq: .*one/ });
  await says(['lock', 'one', '--key', 'b', '--wait', '1s'], {
    exit: 2,
    stderr: /^mq: the lock of one was not had/,
  });
  await says(['lock', 'one', '--key', 'a'], { exit: 2, stderr: /^mq: .*one/ });
  await lab.expect(['lock', 'one', '--key', 'a', '--reuse'], { exit: 0, stdout: 'one\n' });
});

test('a lock that is waited for is had when the other ends; stopped by a signal, nothing stays', async () => {
  await lab.expect(['lock', 'one', '--key', 'a'], { exit: 0, stdout: 'one\n' });
  const stopped = lab.mq(['lock', 'one', '--key', 'b']);
  const waiting = lab.mq(['lock', 'one', '--key', 'c', '--wait', '10m']);
  await lab.untilWaiting('b', 'c');
  stopped.kill('SIGTERM');
  assert.equal((await stopped.ended).code, 1);
  await lab.expect(['unlock', 'one', '--key', 'a'], quiet);
  const { code, stdout } = await waiting.ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'one\n' });
  await lab.expect(['unlock', 'one', '--key', 'c'], quiet);
});

test('unlock exits with 2 for what is not mine or has another key, and leaves it', async () => {
  await says(['unlock', 'one'], { exit: 2, stderr: /^mq: one is not yours\.\n$/ });
  await says(['unlock', 'pair'], { exit: 2, stderr: /^mq: No board of pair is yours\.\n$/ });
  await lab.expect(['lock', 'one', '--key', 'a'], { exit: 0, stdout: 'one\n' });
  await says(['unlock', 'one'], { exit: 2, stderr: /^mq: one is yours with another key\.\n$/ });
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name} a`);
  const { code, stdout } = await lab.run(['unlock', 'one', '--key', 'a', '--json']);
  const [outcome] = JSON.parse(stdout);
  assert.deepEqual([code, outcome.board, outcome.outcome], [0, 'one', 'released']);
});

test('unlock --force releases whoever has it', { skip: noOtherUsers }, async () => {
  assert.equal((await lab.run(['lock', 'one'], { as: nobody })).code, 0);
  const { code, stderr } = await lab.run(['unlock', 'one'], { as: daemon });
  assert.deepEqual({ code, stderr }, { code: 2, stderr: 'mq: one is not yours.\n' });
  await lab.expect(['unlock', 'one', '--force', '--note', 'maintenance'], quiet, { as: daemon });
  assert.equal(await lab.holder('one'), 'one FREE');
});

test('extend gives a new end, or none, and only to a lock of mine', async () => {
  await says(['extend', 'one', '--hold', '20m'], { exit: 2, stderr: /^mq: .*one/ });
  await lab.expect(['lock', 'one', '--hold', '1m'], { exit: 0, stdout: 'one\n' });
  const { stdout } = await lab.run(['extend', 'one', '--hold', '20m', '--json']);
  const minutes = (Date.parse(JSON.parse(stdout).until) - Date.now()) / 60_000;
  assert.ok(minutes > 18 && minutes <= 20.1, `${minutes}`);
  await says(['extend', 'one', '--key', 'x', '--hold', '0'], { exit: 2, stderr: /^mq: .*one/ });
  await lab.expect(['extend', 'one', '--hold', '0'], quiet);
  const status = await lab.until('there is an answer', () => true);
  assert.equal(status.boards[0]?.lock?.untilAt, undefined);
});

test('what makes no sense exits with 2 and points to the help', async () => {
  for (const words of [
    ['lock'],
    ['lock', 'one', 'two', '--count', 'x'],
    ['lock', 'one', '--wait', 'x'],
    ['extend', 'one'],
  ]) {
    await says(words, { exit: 2, stderr: new RegExp(`^mq: .*See: mq ${words[0]} --help`) });
  }
});
