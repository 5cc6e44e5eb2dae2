// What deploy/install.sh makes of a built checkout: a program that runs from its new place as the units start it, jobs that
// go on while the server is replaced, and an upgrade that keeps what is the lab's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { cleanEnvironment } from '../e2e/harness/lab.ts';
import { endLeftovers } from '../e2e/harness/leftovers.ts';
import { Running } from '../e2e/harness/running.ts';
import { makeScriptBoard } from '../e2e/harness/script-board.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'mq-install-'));
const dest = join(folder, 'root');
const state = join(folder, 'state');
const socket = join(folder, 's');
const mq = join(dest, 'usr/bin/mq');
const env = { ...cleanEnvironment(), MQ_SERVER: `unix:${socket}` };

after(async () => {
  await endLeftovers(folder);
  await rm(folder, { recursive: true, force: true });
});

const install = (): string =>
  execFileSync('sh', [join(root, 'deploy/install.sh'), dest], { encoding: 'utf8', env: cleanEnvironment() });
install();

/** Starts what a unit starts, in the folders of this test. */
function startUnit(name: string, places: Readonly<Record<string, string>>): Running {
  const unit = readFileSync(join(dest, 'usr/lib/systemd/system', name), 'utf8');
  let line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
  for (const [from, to] of Object.entries({ '/usr/bin/mq': mq, ...places })) line = line.replace(from, to);
  const [path = '', ...words] = line.split(' ');
  return new Running(path, words, { env });
}

const startAgent = () =>
  startUnit('machine-queue-agent.service', { '/var/lib/machine-queue/agent': join(state, 'agent') });
const startServer = (config: string) =>
  startUnit('machine-queue.service', {
    '/etc/machine-queue/lab.yaml': `${config} --state ${state} --socket ${socket}`,
  });
const run = (...words: string[]) => new Running(mq, words, { env });

async function until(isSo: (status: { boards: { state: string }[] }) => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const { code, stdout } = await run('status', '--json').ended;
    if (code === 0 && isSo(JSON.parse(stdout))) return;
  }
  assert.fail('not so in time');
}

test('the tree has program, units, user and configuration, where Debian has them', () => {
  for (const path of [
    'etc/machine-queue/lab.yaml',
    'usr/bin/mq.sh',
    'usr/lib/systemd/system/machine-queue-agent.service',
    'usr/lib/sysusers.d/machine-queue.conf',
    'usr/share/bash-completion/completions/mq',
    'usr/share/machine-queue/prometheus/alerts.yaml',
    'usr/share/machine-queue/grafana/machine-queue.json',
    'usr/share/doc/machine-queue/operations.md',
  ])
    assert.ok(statSync(join(dest, path)).size > 0, path);
  const open = execFileSync('find', [dest, '-perm', '/022', '!', '-type', 'l'], { encoding: 'utf8' });
  assert.equal(open, '', 'nobody but the owner may write');
});

test('the packages beside the build are those that the build leaves out', () => {
  const [, external = ''] =
    /const external = \[(.*)\]/.exec(readFileSync(join(root, 'scripts/build.ts'), 'utf8')) ?? [];
  const [, packages] =
    /for package in (.*); do/.exec(readFileSync(join(root, 'deploy/install.sh'), 'utf8')) ?? [];
  assert.equal(packages, [...external.matchAll(/'([^']+)'/g)].map(([, name]) => name).join(' '));
});

test('jobs on emulated boards run from there, and one goes on while the server is replaced by a new install', async () => {
  const board = await makeScriptBoard(folder, 'slow');
  const example = join(dest, 'etc/machine-queue/lab.yaml');
  const checked = await run('check-config', example).ended;
  assert.deepEqual([checked.code, checked.stdout], [0, 'Lab: 2 boards, 1 pool, every board in a pool\n']);
  const config = join(folder, 'lab.yaml');
  const slow = `  slow: { machine: { driver: script, path: "${board.machine.path}" } }\n`;
  writeFileSync(config, readFileSync(example, 'utf8').replace('boards:\n', `boards:\n${slow}`));

  // A server that waits for its agent starts none, and finds it when it is there.
  const server = startServer(config);
  await server.printed('"ready"', 'stderr');
  await until(({ boards }) => boards.every((one) => one.state === 'away'));
  assert.deepEqual(
    [/started an agent/.test(server.stderr), /no agent listens/.test(server.stderr)],
    [false, true],
  );
  startAgent();
  await until(({ boards }) => boards.every((one) => one.state === 'free'));

  const hello = join(folder, 'hello.elf');
  writeFileSync(hello, makeImage({ kind: 'hello' }));
  const booted = await run('run', 'pcs', hello, '--until', 'All is well').ended;
  assert.equal(booted.code, 0, booted.stderr);

  const go = join(folder, 'go');
  const image = join(folder, 'wait.sh');
  writeFileSync(image, `echo first; until [ -e '${go}' ]; do sleep 0.05; done; echo last; exit 3\n`);
  const job = run('run', '-s', 'slow', '-c', 'x', '-f', image);
  await job.printed('first\n');
  // As systemd stops it: a TERM to the main process.
  server.kill('SIGTERM');
  assert.equal((await server.ended).code, 0);
  assert.match(install(), /^install: mq \d/);
  const next = startServer(config);
  await next.printed('"ready"', 'stderr');
  writeFileSync(go, '');
  const { code, stdout } = await job.ended;
  assert.equal(code, 3);
  assert.ok(stdout.endsWith('we are allowed to run\nfirst\nlast\n'), stdout);
  assert.equal((await board.journal()).filter((line) => line.startsWith('start')).length, 1);
  next.kill('SIGTERM');
  await next.ended;
});

test('an upgrade keeps the configuration and the last builds, and its build is the one in use', () => {
  const config = join(dest, 'etc/machine-queue/lab.yaml');
  writeFileSync(config, '# mine\n');
  const dist = join(dest, 'usr/lib/machine-queue/dist');
  for (const age of [1, 2, 3, 4, 5]) {
    const old = join(dist, `build-2000010100000000${age}-1`);
    execFileSync('mkdir', [old]);
    execFileSync('touch', ['-d', `2000-01-0${age}`, old]);
  }
  install();
  assert.equal(readFileSync(config, 'utf8'), '# mine\n');
  const builds = readdirSync(dist).filter((name) => name.startsWith('build-'));
  assert.equal(builds.length, 4);
  const used = execFileSync('readlink', [join(dist, 'mq.js')], { encoding: 'utf8' }).split('/')[0] ?? '';
  assert.ok(builds.includes(used));
  assert.deepEqual(
    builds.filter((name) => name !== used).sort(),
    [3, 4, 5].map((age) => `build-2000010100000000${age}-1`),
  );
  assert.match(execFileSync(mq, ['--version'], { encoding: 'utf8' }), /^mq \d/);
});

test('what can not be installed is told, and a wrong word too', () => {
  const refuses = (words: string[], message: RegExp) => {
    try {
      execFileSync('sh', [join(root, 'deploy/install.sh'), ...words], {
        stdio: 'pipe',
        env: cleanEnvironment(),
      });
    } catch (error) {
      assert.match(String((error as { stderr: Buffer }).stderr), message);
      return;
    }
    assert.fail('it was installed');
  };
  refuses(['--nonsense'], /^usage: /);
  const bare = join(folder, 'bare');
  execFileSync('mkdir', [bare]);
  execFileSync('cp', ['-R', join(root, 'deploy'), bare]);
  assert.throws(
    () => execFileSync('sh', [join(bare, 'deploy/install.sh'), dest], { stdio: 'pipe' }),
    /not built/,
  );
});
