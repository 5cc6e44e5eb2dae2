// Clients of the old scripts, which lock boards by files, and ours on one lab at a time: never two holders.
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { noLockfile, OldClient } from './harness/old-client.ts';
import { daemon, me, nobody, noOtherUsers } from './harness/users.ts';

const quiet = { exit: 0, stdout: '' };
const info =
  /^Lock for b1 held by (\S+) since [-0-9]+ [:.0-9]+ \+0000, timeout (\d+)(?: with key '(.*)')?\n$/;

interface Scene {
  readonly lab: Lab;
  readonly old: OldClient;
  readonly folder: string;
}

async function startLab(t: TestContext, image = ''): Promise<Scene> {
  const lab = await Lab.make(t);
  const folder = join(lab.folder, 'locks');
  mkdirSync(folder);
  await chmod(folder, 0o777);
  const { machine } = await lab.scriptBoard('b1');
  await lab.file('image', image);
  await lab.configure({
    boards: { b1: { machine }, b2: { machine: { driver: 'v86' } } },
    lock_files: folder,
  });
  await lab.startServer();
  return { lab, folder, old: new OldClient(folder, 'b1') };
}

/** Resolves when an old client could lock the board at once: it is free for both sides. */
async function untilNoFiles({ folder }: Scene): Promise<void> {
  const endAt = performance.now() + 20_000;
  while (readdirSync(folder).some((name) => name !== '.mq') || readdirSync(join(folder, '.mq')).length > 0) {
    assert.ok(performance.now() < endAt, `left: ${readdirSync(folder)}, ${readdirSync(join(folder, '.mq'))}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The next turn of the holders of a board, of whom each makes a file that nobody else may have made. */
class Witness {
  readonly #path: string;
  readonly problems: string[] = [];
  readonly turns: string[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  get changes(): number {
    return this.turns.filter((who, at) => at > 0 && who !== this.turns[at - 1]).length;
  }

  async hold(who: string): Promise<void> {
    this.turns.push(who);
    try {
      closeSync(openSync(this.#path, 'wx'));
    } catch {
      this.problems.push(`${who} has the board while another has it`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 3));
    unlinkSync(this.#path);
  }
}

/** Whoever had the board is away for a while, or else one side would have it until it needs it no more. */
const rest = (turn: number) => new Promise((resolve) => setTimeout(resolve, 30 + ((turn * 37) % 120)));

/** Again where there is no server just then, as such clients do; what was not heard of may have been done already. */
async function sem(lab: Lab, verb: '-wait' | '-signal', key: string): Promise<void> {
  const isDone = verb === '-wait' ? /you already own with the same key/ : /that you do not hold/;
  for (let tries = 1; ; tries += 1) {
    const { code, stdout, stderr } = await lab.run(['sem', verb, 'b1', '-k', key]);
    if (stdout.startsWith('Unable to ssh to ')) continue;
    if (tries > 1 && isDone.test(stdout)) return;
    return assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' });
  }
}

/** Two clients of ours and three old ones, of whom one waits as theirs do by default, until there was enough of it. */
function contend({ lab, old, folder }: Scene, isEnough: (witness: Witness) => boolean) {
  const witness = new Witness(`${folder}.witness`);
  const repeat = async (turn: () => Promise<unknown>) => {
    while (!isEnough(witness) && witness.problems.length === 0) {
      await turn();
      await rest(witness.turns.length);
    }
  };
  const ours = async (key: string) => {
    await sem(lab, '-wait', key);
    await witness.hold('ours');
    await sem(lab, '-signal', key);
  };
  const theirs = async (tries: number) => {
    if (!(await old.lock({ tries }))) return;
    await witness.hold('theirs');
    await old.unlock();
  };
  const clients = [() => ours('a'), () => ours('b'), () => theirs(0), () => theirs(0), () => theirs(-1)];
  return { witness, done: Promise.all(clients.map(repeat)) };
}

// Most of each is spent waiting.
describe('old clients and new ones', { concurrency: 3 }, () => {
  test('old and new clients that contend for one board are never two holders', {
    skip: noLockfile,
  }, async (t) => {
    const scene = await startLab(t);
    const { witness, done } = contend(scene, ({ turns, changes }) => turns.length >= 40 && changes >= 8);
    await done;
    assert.deepEqual(witness.problems, []);
    t.diagnostic(`${witness.turns.length} turns, ${witness.changes} changes of side`);
    await untilNoFiles(scene);
  });

  test('a server that is killed between old and new clients leaves neither two holders nor a locked board', {
    skip: noLockfile,
  }, async (t) => {
    const scene = await startLab(t);
    let kills = 0;
    const { witness, done } = contend(scene, () => kills === 2);
    while (kills < 2 && witness.problems.length === 0) {
      const turns = witness.turns.length;
      while (witness.turns.length < turns + 4 && witness.problems.length === 0)
        await new Promise((resolve) => setTimeout(resolve, 5));
      await scene.lab.killServer();
      await scene.lab.startServer();
      kills += 1;
    }
    await done;
    assert.deepEqual(witness.problems, []);
    await scene.lab.untilQuiet();
    await untilNoFiles(scene);
  });

  test('a lock of ours is a lock file of its holder, which outlives the server and goes with the lock', {
    skip: noLockfile,
  }, async (t) => {
    const scene = await startLab(t);
    const { lab, old } = scene;
    const as = noOtherUsers === false ? { as: daemon } : {};
    const holder = noOtherUsers === false ? daemon : me;
    await lab.expect(['sem', '-wait', 'b1', '-k', 'a key', '-T', '300'], quiet, as);
    const made = await old.look();
    assert.deepEqual({ ...made, inode: 0 }, { uid: holder.uid, inode: 0, hold: '300', key: 'a key' });
    assert.equal(await old.lock(), false);
    await lab.killServer();
    assert.equal(await old.lock(), false);
    await lab.startServer();
    await lab.until('the agent is back', ({ boards }) => boards.every(({ agentPresent }) => agentPresent));
    assert.deepEqual(await old.look(), made);
    await lab.expect(['sem', '-signal', 'b1', '-k', 'a key'], quiet, as);
    await untilNoFiles(scene);
    assert.equal(await old.lock(), true);
  });

  test('a lock file of an old client is its lock: shown, waited for, released with its key, taken when its time is over', {
    skip: noLockfile || noOtherUsers,
  }, async (t) => {
    const { lab, old } = await startLab(t);
    const as = { as: nobody };
    await old.lock({ key: 'their key', hold: 300, as: nobody });
    await lab.until(
      'it is seen',
      ({ boards: [b1] }) => b1?.lock?.key === 'their key' && b1.lock.holdSeconds === 300,
    );
    const said = await lab.run(['sem', '-info', 'b1']);
    assert.deepEqual(info.exec(said.stdout)?.slice(1), ['nobody', '300', 'their key']);
    const { exit, stdout } = { exit: 2, stdout: 'Failed to acquire lock for system (b1)\n' };
    await lab.expect(['sem', '-wait', 'b1', '-t', '0'], { exit, stdout });
    const notMine = 'Attempting to unlock system b1 that you do not hold\n';
    await lab.expect(['sem', '-signal', 'b1'], { exit: 0, stdout: notMine });
    const wrongKey = 'Attempting to unlock system b1 with the wrong key!\n';
    await lab.expect(['sem', '-signal', 'b1'], { exit: 0, stdout: wrongKey }, as);
    const waiting = lab.mq(['sem', '-wait', 'b1', '-k', 'next']);
    await lab.untilWaiting('next');
    await lab.expect(['sem', '-signal', 'b1', '-k', 'their key'], quiet, as);
    assert.equal((await waiting.ended).code, 0);
    assert.equal((await old.look())?.key, 'next');
    await lab.expect(['sem', '-signal', 'b1', '-f'], quiet, as);
    // One that lets go by itself, and one whose time is over.
    await old.lock({ as: nobody });
    const second = lab.mq(['sem', '-wait', 'b1', '-k', 'second']);
    await lab.untilWaiting('second');
    await old.unlock(nobody);
    assert.equal((await second.ended).code, 0);
    await lab.expect(['sem', '-signal', 'b1', '-k', 'second'], quiet);
    await old.lock({ hold: 1, as: nobody });
    await lab.expect(['sem', '-wait', 'b1', '-k', 'third'], quiet);
    assert.equal((await old.look())?.key, 'third');
  });

  test('an old client that removes our lock file by force, or since our time is over, ends our job and has the board', {
    skip: noLockfile,
  }, async (t) => {
    const { lab, old } = await startLab(t, 'echo up; sleep 600');
    const run = () => lab.mq(['run', '-s', 'b1', '-f', '../image', '-c', 'never', '-d', '600', '-k', 'ours']);
    const first = run();
    await first.printed('up\n');
    await old.unlock();
    assert.equal(await old.lock({ key: 'theirs' }), true);
    const ended = await first.ended;
    assert.notEqual(ended.code, 0);
    await lab.until(
      'their lock is seen',
      ({ boards: [b1] }) => b1?.lock?.key === 'theirs' && b1.job === undefined,
    );
    await lab.expect(['sem', '-signal', 'b1', '-k', 'theirs'], quiet);
    await lab.expect(['sem', '-wait', 'b1', '-T', '1', '-k', 'short'], quiet);
    assert.equal(await old.lock({ tries: -1, stealAfter: 1, key: 'stolen' }), true);
    await lab.until(
      'it is theirs',
      ({ boards: [b1] }) => b1?.lock?.key === 'stolen' && b1.lock.origin === 'file',
    );
  });

  test('a job may run under a lock that the old client of its user took (-n)', {
    skip: noLockfile,
  }, async (t) => {
    const { lab, old } = await startLab(t, 'echo done');
    await old.lock({ key: 'both' });
    await lab.until('it is seen', ({ boards: [b1] }) => b1?.lock?.key === 'both');
    const words = ['run', '-n', '-s', 'b1', '-f', '../image', '-c', 'done', '-k', 'both'];
    const { code, stdout } = await lab.run(words);
    assert.deepEqual([code, stdout], [0, 'Lock acquired, we are allowed to run\ndone\n']);
    assert.equal((await old.look())?.key, 'both');
  });
});
