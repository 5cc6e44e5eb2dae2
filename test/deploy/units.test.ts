// The units for systemd: systemd's own tool accepts them, they are as closed as they can be and no more, and their times fit.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { farewellSeconds, stopSeconds } from '../../src/agent/limits.ts';

const root = resolve(import.meta.dirname, '../..');
const names = ['machine-queue.service', 'machine-queue-agent.service'] as const;
const read = (name: string): string => readFileSync(join(root, 'deploy/systemd', name), 'utf8');
const noAnalyze: string | false = whyNoAnalyze();

function whyNoAnalyze(): string | false {
  if (spawnSync('systemd-analyze', ['--version']).status === 0) return false;
  const reason = 'systemd-analyze is missing; npm run setup:debian brings it';
  if (process.env.CI) throw new Error(reason);
  return reason;
}

/** The units with the program of this checkout, since that of the system is not there. */
const folder = mkdtempSync(join(tmpdir(), 'mq-units-'));
after(() => rmSync(folder, { recursive: true }));
for (const name of names)
  writeFileSync(join(folder, name), read(name).replaceAll('/usr/bin/mq', join(root, 'bin/mq')));

function analyze(...words: string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', words, {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, output: `${stdout}${stderr}` };
}

function setting(name: string, key: string): string | undefined {
  return new RegExp(`^${key}=(.*)$`, 'm').exec(read(name))?.[1];
}

test('systemd understands every line of them', { skip: noAnalyze }, () => {
  assert.deepEqual(analyze('verify', ...names.map((name) => join(folder, name))), { code: 0, output: '' });
  const broken = join(folder, 'broken.service');
  writeFileSync(broken, read(names[0]).replace('ProtectHome=yes', 'ProtectHome=perhaps'));
  assert.notEqual(analyze('verify', broken).output, '');
});

test('the server is exposed to little, the agent to what its boards need', { skip: noAnalyze }, () => {
  const limits = { 'machine-queue.service': 20, 'machine-queue-agent.service': 90 };
  for (const name of names) {
    const { code, output } = analyze(
      'security',
      '--offline=true',
      `--threshold=${limits[name]}`,
      join(folder, name),
    );
    assert.equal(code, 0, output);
  }
});

test('no unit has what would break the program', () => {
  for (const name of names) {
    for (const key of ['PrivateUsers', 'ProtectProc', 'ProcSubset', 'MemoryDenyWriteExecute', 'RemoveIPC'])
      assert.equal(setting(name, key), undefined, `${name}: ${key}`);
  }
});

// systemd.exec(5): with User= each of these implies NoNewPrivileges, under which no sudo works.
test('programs of the lab may use sudo, devices and /tmp under the agent', () => {
  const filters = [
    ...['NoNewPrivileges', 'SystemCallFilter', 'SystemCallArchitectures', 'RestrictAddressFamilies'],
    ...['RestrictNamespaces', 'RestrictRealtime', 'RestrictSUIDSGID', 'LockPersonality', 'ProtectClock'],
    ...[
      'ProtectHostname',
      'ProtectKernelTunables',
      'ProtectKernelModules',
      'ProtectKernelLogs',
      'DynamicUser',
    ],
  ];
  for (const key of [...filters, 'PrivateDevices', 'PrivateTmp', 'ProtectHome', 'CapabilityBoundingSet'])
    assert.equal(setting('machine-queue-agent.service', key), undefined, key);
});

test('a stop of the server ends no agent, and each has the time that it may take', () => {
  assert.match(setting('machine-queue.service', 'ExecStart') ?? '', / --wait-for-agent( |$)/);
  for (const tie of ['Requires', 'BindsTo', 'PartOf', 'Requisite'])
    for (const name of names) assert.equal(setting(name, tie), undefined);
  const drain = Number(/--drain (\d+)s/.exec(setting('machine-queue.service', 'ExecStart') ?? '')?.[1]);
  assert.ok(Number(setting('machine-queue.service', 'TimeoutStopSec')) > drain + 10);
  assert.ok(
    Number(setting('machine-queue-agent.service', 'TimeoutStopSec')) > stopSeconds + farewellSeconds + 10,
  );
  for (const name of names) assert.equal(setting(name, 'KillMode'), 'mixed');
  assert.equal(setting('machine-queue.service', 'ExecReload'), '/bin/kill -HUP $MAINPID');
});

test('both run as the user that sysusers makes, in the folder that is its home', () => {
  const [, user, home] = /^u (\S+) - ".*" (\S+)$/m.exec(read('machine-queue.sysusers')) ?? [];
  for (const name of names) {
    assert.deepEqual([setting(name, 'User'), setting(name, 'Group')], [user, user]);
    assert.equal(`/var/lib/${setting(name, 'StateDirectory')}`, home);
  }
});
