// The process that works on lock files: one that hangs, one that is killed, and what it tells of changes.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KeeperProcess } from '../../src/server/lock-files/keeper.ts';

const text = { holdSeconds: 0, key: '0', user: 'ana' };

function start(t: TestContext, options: { answerMsMax?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'keeper-'));
  const changes: string[] = [];
  let changed = Promise.withResolvers<void>();
  const keeper = new KeeperProcess(
    folder,
    (names) => {
      changes.push(...names);
      changed.resolve();
      changed = Promise.withResolvers();
    },
    options,
  );
  t.after(() => {
    keeper.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  /** Resolves when a change of this name was told. */
  const untilTold = async (name: string): Promise<void> => {
    while (!changes.includes(name)) await changed.promise;
    changes.length = 0;
  };
  return { folder, keeper, untilTold };
}

/** Its process may take longer to start, or to go on, than an answer may take here. */
async function untilLooks(keeper: KeeperProcess): Promise<unknown> {
  const endAt = performance.now() + 20_000;
  while (true) {
    const looks = await keeper.look().catch(() => undefined);
    if (looks) return looks;
    assert.ok(performance.now() < endAt, 'it answers in the end');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The keeper's own process, as the system lists it. */
function pidOf(folder: string): number {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const found = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder));
  assert.ok(found, 'the keeper runs');
  return Number(found);
}

test('it makes and removes lock files, and tells of what others do', async (t) => {
  const { folder, keeper, untilTold } = start(t);
  assert.deepEqual(await keeper.look(), []);
  assert.equal(await keeper.work({ call: 'make', name: 'b', text }), true);
  await untilTold('b');
  assert.deepEqual(await keeper.look(['b', 'c']), [
    { name: 'b', isPinned: true, isOurs: true },
    { name: 'c', isPinned: false, isOurs: false },
  ]);
  assert.equal(await keeper.work({ call: 'drop', name: 'b' }), true);
  await untilTold('b');
  writeFileSync(join(folder, 'c.lock'), '90');
  await untilTold('c');
  const [c] = await keeper.look();
  assert.deepEqual([c?.name, c?.isOurs, c?.other?.holdSeconds], ['c', false, 90]);
});

test('a folder that was replaced is watched anew; one that is gone is an error', async (t) => {
  const { folder, keeper, untilTold } = start(t);
  await keeper.look();
  renameSync(folder, `${folder}.old`);
  t.after(() => rmSync(`${folder}.old`, { recursive: true }));
  await assert.rejects(keeper.look(), /ENOENT.*keeper-/);
  assert.equal(existsSync(folder), false);
  mkdirSync(folder);
  await keeper.look();
  writeFileSync(join(folder, 'b.lock'), '0');
  await untilTold('b');
});

const noProc = existsSync('/proc/self/task') ? false : 'there is no /proc to find its process by';

test('one that hangs fails what is asked of it in time, all else at once, and is used again when it answers', {
  skip: noProc,
}, async (t) => {
  const { folder, keeper } = start(t, { answerMsMax: 700 });
  await untilLooks(keeper);
  const pid = pidOf(folder);
  process.kill(pid, 'SIGSTOP');
  await assert.rejects(keeper.work({ call: 'make', name: 'b', text }), /has not answered/);
  const begin = performance.now();
  await assert.rejects(keeper.look(), /has not answered/);
  assert.ok(performance.now() - begin < 600);
  process.kill(pid, 'SIGCONT');
  const looks = await untilLooks(keeper);
  // What it was asked before was done after all.
  assert.deepEqual(looks, [{ name: 'b', isPinned: true, isOurs: true }]);
  assert.equal(pidOf(folder), pid);
});

test('one that is killed fails what is asked of it, and another takes its place', {
  skip: noProc,
}, async (t) => {
  const { folder, keeper } = start(t);
  await keeper.look();
  const pid = pidOf(folder);
  process.kill(pid, 'SIGSTOP');
  const asked = keeper.look();
  process.kill(pid, 'SIGKILL');
  await assert.rejects(asked, /has ended/);
  assert.deepEqual(await keeper.look(), []);
  assert.notEqual(pidOf(folder), pid);
});
