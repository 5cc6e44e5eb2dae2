// docs/moving-over.md from its first block to its last: the blocks themselves are run, with a test's own paths. What
// systemd would do, the harness does.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { noLockfile } from './harness/old-client.ts';
import { OldScripts } from './harness/old-scripts.ts';
import { mqPath } from './harness/paths.ts';
import { noSshd, SshHost } from './harness/ssh-host.ts';
import { me } from './harness/users.ts';

const root = resolve(import.meta.dirname, '../..');
const page = await readFile(join(root, 'docs/moving-over.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
const [settings = '', ...rest] = blocks;
const quiet = { exit: 0, stdout: '' };
const services = / machine-queue-agent machine-queue| machine-queue machine-queue-agent/;

describe('moving a lab over, as the page says', { skip: noLockfile || noSshd }, async () => {
  if (noLockfile !== false || noSshd !== false) return;
  const lab = await Lab.make({ after });
  const old = await OldScripts.make(lab);
  const sabre = await old.addProgram('sabre');
  const host = await SshHost.start(lab);
  after(() => host.close());
  const lockPath = join(old.locks, 'sabre.lock');
  const home = join(lab.folder, 'home');
  await Promise.all([home, join(lab.folder, 'bin')].map((folder) => mkdir(folder)));
  await symlink(mqPath, join(lab.folder, 'bin/mq'));
  // As the installation leaves it.
  await copyFile(join(root, 'deploy/lab.yaml'), lab.configPath);
  const values: Record<string, string> = {
    old: old.folder,
    locks: old.locks,
    config: lab.configPath,
    share: join(root, 'deploy'),
    lab: host.environment.MQ_SERVER ?? '',
    board: 'sabre',
    image: await lab.file('image', "echo 'All is well'\n"),
  };
  const left = [...rest];

  /** The page's words, with the paths of the test. */
  function sh(words: string) {
    const { PATH: sshPath = '', ...more } = host.environment;
    const env = {
      ...old.environment,
      ...more,
      PATH: `${lab.folder}/bin:${sshPath}`,
      HOME: home,
      TMPDIR: join(lab.folder, 'open'),
      MQ_SERVER: `unix:${lab.socketPath}`,
      ...values,
    };
    return lab.spawn('/bin/sh', ['-euc', words], { env });
  }

  /** Runs the page's next block, which holds the text; returns what it printed. */
  async function next(text: string): Promise<string> {
    const block = left.shift() ?? '';
    assert.ok(block.includes(text), `the page goes on with '${text}', not with\n${block}`);
    const lines = block.trimEnd().split('\n');
    const first = lines[0] ?? '';
    if (first.startsWith('systemctl')) {
      assert.match(first, services);
      if (first.startsWith('systemctl enable --now')) await lab.startServer();
      else await stop();
      lines.shift();
    }
    const { code, stdout, stderr } = await sh(lines.join('\n')).ended;
    assert.equal(code, 0, `${block}\n${stdout}\n${stderr}`);
    return stdout;
  }

  async function stop(): Promise<void> {
    lab.server.kill('SIGTERM');
    assert.equal((await lab.server.ended).code, 0);
  }

  const untilHeldBy = (key: string, origin?: 'file') =>
    lab.until(`the lock with key ${key} is seen`, ({ boards }) =>
      boards.some(({ board, lock }) => board === 'sabre' && lock?.key === key && lock.origin === origin),
    );

  test('the first block has what the others need, and they set nothing themselves', () => {
    const names = settings
      .trim()
      .split('\n')
      .map((line) => /^(\w+)=\S+/.exec(line)?.[1]);
    assert.deepEqual(names, Object.keys(values));
    for (const block of rest) assert.doesNotMatch(block, /^\w+=\S+$/m);
  });

  test('import: the lists are as before, and the file is good', async () => {
    const said = await next('mq import');
    assert.match(said, /\S/);
    assert.match(
      await readFile(lab.configPath, 'utf8'),
      new RegExp(`^lock_files: ${RegExp.escape(old.locks)}$`, 'm'),
    );
  });

  test('start: what old clients hold is shown, and both sides see each other', async () => {
    assert.deepEqual(await old.run(['sem', '-wait', 'sabre', '-k', 'before', '-T', '600']), [0, '']);
    const said = await next('systemctl enable');
    assert.match(said, /sabre/);
    await untilHeldBy('before', 'file');
    assert.match((await sh('mq status').ended).stdout, /sabre .*by a lock file/);
    assert.deepEqual(await old.run(['sem', '-signal', 'sabre', '-k', 'before']), [0, '']);
    await lab.untilQuiet();
    const ours = await next('mq sem -wait');
    assert.match(
      ours,
      new RegExp(`^Lock for sabre held by ${me.name} since .*, timeout 0 with key 'moving'$`, 'm'),
    );
    assert.match(ours, /Failed to acquire lock for system \(sabre\)\nRight: it is held\.\n$/);
    const theirs = await next('sem -wait "$board" -k moving\nmq sem -info');
    assert.match(
      theirs,
      new RegExp(`^Lock for sabre held by ${me.name} since .*, timeout 0 with key 'moving'\n`),
    );
    assert.match(theirs, /Failed to acquire lock for system \(sabre\)\nRight: it is held\.\n$/);
  });

  test('jobs of both sides go over the same program, one after the other', async () => {
    await lab.untilQuiet();
    assert.match(await next('mq run "$board"'), /All is well\n/);
    const slow = await lab.file('slow', `echo up; until [ -e '${lab.folder}/end' ]; do sleep 0.05; done\n`);
    const begin = (await sabre.journal()).length;
    const ours = lab.mq(['run', '-s', 'sabre', '-c', 'x', '-f', slow]);
    await ours.printed('up\n');
    const words = [
      'run',
      '-s',
      'sabre',
      '-k',
      'theirs',
      '-w',
      '1',
      '-c',
      'x',
      '-f',
      join(lab.folder, 'image'),
    ];
    const theirs = old.mq(words);
    await theirs.printed(`held by ${me.name}`);
    await lab.file('end', '');
    assert.equal((await ours.ended).code, 0);
    const { code, stdout } = await theirs.ended;
    assert.equal(code, 0);
    assert.match(stdout, /Lock acquired, we are allowed to run\nAll is well\n$/);
    const kinds = (await sabre.journal()).slice(begin).map((line) => line.split(' ')[0]);
    assert.deepEqual(
      kinds.filter((kind) => kind !== 'end'),
      ['start', 'off', 'start', 'off'],
    );
    await lab.untilQuiet();
  });

  test('and back: a lock of the new side stays, is released by the old, and another goes on at the next start', async () => {
    await lab.expect(['sem', '-wait', 'sabre', '-k', 'kept', '-T', '600'], quiet);
    await next('systemctl disable');
    assert.match((await old.run(['sem', '-info', 'sabre']))[1], /timeout 600 with key 'kept'\n$/);
    assert.deepEqual((await old.run(['sem', '-wait', 'sabre', '-t', '0']))[0], 2);
    await lab.startServer();
    await untilHeldBy('kept');
    await stop();
    assert.deepEqual(await old.run(['sem', '-signal', 'sabre', '-k', 'kept']), [0, '']);
    assert.deepEqual(await old.run(['sem', '-wait', 'sabre', '-k', 'old', '-t', '0']), [0, '']);
    await lab.startServer();
    await untilHeldBy('old', 'file');
    await lab.expect(['sem', '-signal', 'sabre', '-k', 'old'], quiet);
    await lab.untilQuiet();
  });

  test('change over: a link, the client of ssh and tar, and the checkout itself, with a command that waits in it', async () => {
    assert.equal(await next('mkdir -p ~/bin'), 'Lock for sabre currently free\n');
    assert.match(await next('cp "$share/mq.sh"'), /Lock acquired, we are allowed to run\nAll is well\n$/);
    assert.equal(await readFile(join(lab.folder, 'open/console.log'), 'utf8'), 'All is well\n');
    await lab.expect(['sem', '-wait', 'sabre', '-k', 'a'], quiet);
    const waiting = old.mq(['sem', '-wait', 'sabre', '-k', 'waits', '-w', '1']);
    // It has its file open when lockfile runs.
    await lockfileOf(waiting.pid);
    assert.match(await next('mv "$old/mq.sh"'), /held by .* with key 'a'\n$/);
    await lab.expect(['sem', '-signal', 'sabre', '-k', 'a'], quiet);
    assert.equal((await waiting.ended).code, 0);
    await untilHeldBy('waits', 'file');
    assert.match(await next('mv -f "$old/mq.sh.old"'), /held by .* with key 'waits'\n$/);
    await lab.expect(['sem', '-signal', 'sabre', '-k', 'waits'], quiet);
    await lab.untilQuiet();
  });

  test('leave lock files: locks stay and their files go; and back: they come again, and a lock of the old side counts', async () => {
    await lab.expect(['sem', '-wait', 'sabre', '-k', 'stays'], quiet);
    await next("sed -i '/^lock_files:/d'");
    await untilGone(lockPath);
    await untilHeldBy('stays');
    const back = left[0] ?? '';
    await next('lock_files: %s');
    await until(() => existsSync(lockPath));
    await untilHeldBy('stays');
    // Once more, with an old client in between.
    await sh('sed -i \'/^lock_files:/d\' "$config"; mq reload').ended;
    await untilGone(lockPath);
    assert.deepEqual(await old.run(['sem', '-wait', 'sabre', '-k', 'theirs']), [0, '']);
    assert.equal((await sh(back).ended).code, 0);
    await untilHeldBy('theirs', 'file');
    assert.deepEqual(await old.run(['sem', '-signal', 'sabre', '-k', 'theirs']), [0, '']);
    await lab.untilQuiet();
    assert.deepEqual(left, [], 'every block was run');
  });

  const untilGone = (path: string) => until(() => !existsSync(path));
  async function until(isSo: () => boolean): Promise<void> {
    await lab.until('the folder is so', isSo);
  }

  /** Resolves when the command waits in lockfile(1). */
  async function lockfileOf(pid: number): Promise<void> {
    const children = () => readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    for (let tries = 0; tries < 1000; tries += 1) {
      for (const child of (await children()).split(' ').filter(Boolean))
        if ((await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '')) === 'lockfile\n') return;
      await lab.until('a moment', () => true);
    }
    assert.fail('it does not wait in lockfile(1)');
  }
});
