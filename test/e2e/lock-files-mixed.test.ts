// Time-outs, keys and force between whole commands of the old scripts and ours, in both directions, with the twin in
// which nothing may happen. Who contends for a board is in lock-files.test.ts.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { noLockfile } from './harness/old-client.ts';
import { OldScripts } from './harness/old-scripts.ts';
import { me, nobody, noOtherUsers } from './harness/users.ts';

const quiet = { exit: 0, stdout: '' };
const names = ['keys', 'force', 'job', 'time', 'live', 'p1', 'p2'] as const;
type Board = (typeof names)[number];
const failed = (board: string) => `Failed to acquire lock for system (${board})\n`;
const wrongKey = (board: string) => `Attempting to unlock system ${board} with the wrong key!\n`;
const notMine = (board: string) => `Attempting to unlock system ${board} that you do not hold\n`;
const oddKey = `o/r-1 (a): it's "q" $(id) \`id\` ; * é`;

describe('commands of the old scripts and ours', {
  concurrency: 3,
  skip: noLockfile || noOtherUsers,
}, async () => {
  if (noLockfile !== false || noOtherUsers !== false) return;
  const lab = await Lab.make({ after });
  const old = await OldScripts.make(lab);
  const { machine } = await lab.scriptBoard('any');
  await lab.configure({
    boards: Object.fromEntries(names.map((name) => [name, { machine }])),
    pools: { pair: ['p1', 'p2'] },
    lock_files: old.locks,
  });
  await lab.startServer();
  const as = { as: nobody };
  const isLocked = (board: Board) => existsSync(join(old.locks, `${board}.lock`));

  const untilHeld = (board: Board, user: string, key: string) =>
    lab.until(`${board} is held by ${user} with ${key}`, ({ boards }) =>
      boards.some(({ board: name, lock }) => name === board && lock?.user === user && lock.key === key),
    );
  const untilFree = (board: Board) =>
    lab.until(`${board} is free`, ({ boards }) =>
      boards.some(({ board: name, lock, state }) => name === board && !lock && state === 'free'),
    );

  test('keys: each side releases with the key that the other gave, and with no other', async () => {
    const words = ['sem', '-wait', 'keys', '-k', oddKey];
    const signal = (key: string) => ['sem', '-signal', 'keys', '-k', key];
    await lab.expect(words, quiet, as);
    assert.match(
      (await old.run(['sem', '-info', 'keys']))[1],
      / held by nobody since .*timeout 0 with key 'o\/r-1/,
    );
    assert.equal((await old.run(words, as))[0], 2);
    assert.deepEqual(await old.run(signal('x'), as), [0, wrongKey('keys')]);
    assert.deepEqual(await old.run(signal(oddKey)), [0, notMine('keys')]);
    await untilHeld('keys', 'nobody', oddKey);
    assert.deepEqual(await old.run(signal(oddKey), as), [0, '']);
    await untilFree('keys');
    assert.deepEqual(await old.run(words, as), [0, '']);
    await untilHeld('keys', 'nobody', oddKey);
    const yours = 'Attempting to grab lock you already own with the same key. Please explicitly release\n';
    await lab.expect(words, { exit: 2, stdout: yours + failed('keys') }, as);
    await lab.expect(signal('x'), { exit: 0, stdout: wrongKey('keys') }, as);
    await lab.expect(signal(oddKey), { exit: 0, stdout: notMine('keys') });
    assert.ok(isLocked('keys'));
    await lab.expect(signal(oddKey), quiet, as);
    assert.ok(!isLocked('keys'));
  });

  test("force: each side takes another user's lock of the other side away, and who waits there has the board", async () => {
    assert.deepEqual(await old.run(['sem', '-wait', 'force', '-k', 'theirs'], as), [0, '']);
    await untilHeld('force', 'nobody', 'theirs');
    const ours = lab.mq(['sem', '-wait', 'force', '-k', 'ours']);
    await lab.untilWaiting('ours');
    await lab.expect(['sem', '-signal', 'force', '-f'], quiet);
    assert.equal((await ours.ended).code, 0);
    const theirs = old.mq(['sem', '-wait', 'force', '-k', 'again', '-w', '1'], as);
    assert.deepEqual(await old.run(['sem', '-signal', 'force', '-k', 'no key', '-f']), [0, '']);
    assert.equal((await theirs.ended).code, 0);
    await untilHeld('force', 'nobody', 'again');
    await lab.expect(['sem', '-f', '-signal', 'force'], quiet);
    await untilFree('force');
  });

  test('force by an old command on the lock of a job: the job ends, and the old command then has the board', async () => {
    const image = await lab.file('hang', 'echo ready; sleep 1000\n');
    const job = lab.mq(['run', '-s', 'job', '-c', 'never', '-f', image]);
    await job.printed('ready\n');
    const [code, said] = await old.run(['sem', '-wait', 'job', '-t', '0'], as);
    assert.deepEqual([code, said], [2, failed('job')]);
    assert.ok(!job.hasEnded);
    const next = old.mq(['sem', '-wait', 'job', '-k', 'next', '-w', '1'], as);
    assert.deepEqual(await old.run(['sem', '-signal', 'job', '-f'], as), [0, '']);
    assert.equal((await job.ended).code, 1);
    assert.equal((await next.ended).code, 0);
    await untilHeld('job', 'nobody', 'next');
    assert.deepEqual(await old.run(['sem', '-signal', 'job', '-k', 'next'], as), [0, '']);
  });

  test('a lock past its -T goes to who waits on the other side', async () => {
    assert.deepEqual(await old.run(['sem', '-wait', 'time', '-k', 'old', '-T', '1'], as), [0, '']);
    await lab.expect(['sem', '-wait', 'time', '-k', 'new', '-T', '1'], quiet);
    assert.match(
      (await old.run(['sem', '-info', 'time']))[1],
      new RegExp(` held by ${me.name} .*timeout 1 with key 'new'`),
    );
    assert.deepEqual(await old.run(['sem', '-wait', 'time', '-k', 'last', '-w', '1'], as), [0, '']);
    await untilHeld('time', 'nobody', 'last');
    await lab.expect(['sem', '-signal', 'time', '-f'], quiet);
  });

  test('a lock before its -T, or without one, is left to its holder by both sides', async () => {
    for (const hold of [['-T', '600'], []]) {
      assert.deepEqual(await old.run(['sem', '-wait', 'live', '-k', 'old', ...hold], as), [0, '']);
      await lab.expect(['sem', '-wait', 'live', '-w', '1', '-t', '1'], { exit: 2, stdout: failed('live') });
      assert.deepEqual(await old.run(['sem', '-signal', 'live', '-k', 'old'], as), [0, '']);
      await lab.expect(['sem', '-wait', 'live', '-k', 'new', ...hold], quiet);
      const words = ['sem', '-wait', 'live', '-w', '1', '-t', '1'];
      assert.deepEqual(await old.run(words, as), [2, failed('live')]);
      await lab.expect(['sem', '-signal', 'live', '-k', 'new'], quiet);
    }
  });

  test('of a pool, the member that an old command has is passed over, and had when it lets go', async () => {
    assert.deepEqual(await old.run(['sem', '-wait', 'p1'], as), [0, '']);
    const passed = 'Attempting system p1 in pool pair\nAttempting system p2 in pool pair\n';
    await lab.expect(['sem', '-wait', 'pair', '-k', 'one'], { exit: 0, stdout: `${passed}p2\n` });
    const waiting = lab.mq(['sem', '-wait', 'pair', '-k', 'two']);
    await lab.untilWaiting('two');
    assert.deepEqual(await old.run(['sem', '-signal', 'p1'], as), [0, '']);
    const { code, stdout } = await waiting.ended;
    assert.deepEqual([code, stdout], [0, `${passed}Done attempting system p2 in pool pair\np1\n`]);
    await lab.expect(['sem', '-signal', 'pair', '-f'], quiet);
  });
});
