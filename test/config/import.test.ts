// `mq import` and `mq check-config` as a person runs them, with old scripts that print what a real lab's printed.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { askOldScripts, OldScriptError } from '../../src/cli/config/import/ask-old-scripts.ts';
import { parseConfig } from '../../src/cli/config/load.ts';
import { features, poolTsv, systems, systemTsv } from '../../src/cli/lists.ts';
import { isRunning, readStartTime } from '../../src/platform/process-table.ts';
import type { LabConfig } from '../../src/protocol/lab.ts';
import { Running } from '../e2e/harness/running.ts';

const fixtures = new URL('../fixtures/lab/', import.meta.url).pathname;
const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const root = await mkdtemp(join(tmpdir(), 'mq-import-'));
after(() => rm(root, { recursive: true, force: true }));

const real = {
  'system-tsv': `cat '${fixtures}system.tsv'`,
  'pool-tsv': `cat '${fixtures}pool.tsv'`,
  features: `cat '${fixtures}features.txt'`,
};
let count = 0;

/** A checkout whose mq.sh does these things for these words. */
async function checkout(words: Record<string, string>): Promise<string> {
  count += 1;
  const folder = join(root, `old scripts ${count}`);
  await mkdir(folder);
  const cases = Object.entries(words).map(([word, act]) => `${word}) ${act} ;;`);
  await writeProgram(join(folder, 'mq.sh'), `case "$1" in\n${cases.join('\n')}\n*) exit 9 ;;\nesac\n`);
  return folder;
}

async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}`);
  await chmod(path, 0o755);
}

function mq(...words: string[]) {
  return new Running(process.execPath, [main, ...words]).ended;
}

function labOf(text: string): LabConfig {
  const result = parseConfig(text, 'lab.yaml');
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(result.warnings, []);
  return result.config;
}

test('from the imported file come the same lists, byte for byte', async () => {
  const { code, stdout, stderr } = await mq('import', await checkout(real));
  assert.equal(code, 0, stderr);
  const lab = labOf(stdout);
  const fixture = (name: string) => readFile(join(fixtures, name), 'utf8');
  assert.equal(systemTsv(lab), await fixture('system.tsv'));
  assert.equal(poolTsv(lab), await fixture('pool.tsv'));
  assert.equal(features(lab), await fixture('features.txt'));
  assert.equal(systems(lab), await fixture('systems.txt'));
});

test('boards are driven by the programs at the usual place, and a comment says when they are not there', async () => {
  const { stdout } = await mq('import', await checkout(real));
  assert.deepEqual(labOf(stdout).boards[0]?.machine, {
    driver: 'script',
    path: '/tftpboot/bboneblack/reboot',
  });
  assert.match(stdout, /None of them is on this machine/);
});

test('a program in the checkout is taken where only that is there', async () => {
  const folder = await checkout(real);
  await mkdir(join(folder, 'sabre'));
  await writeProgram(join(folder, 'sabre', 'reboot'), 'exit 0\n');
  const { stdout, stderr } = await mq('import', folder);
  const lab = labOf(stdout);
  const pathOf = (name: string) => lab.boards.find((board) => board.name === name)?.machine;
  assert.deepEqual(pathOf('sabre'), { driver: 'script', path: join(folder, 'sabre/reboot') });
  assert.deepEqual(pathOf('sabre2'), { driver: 'script', path: '/tftpboot/sabre2/reboot' });
  assert.match(stderr, /programs of 51 of 52 boards are not on this machine/);
  assert.match(stdout, /# Check: \/tftpboot\/sabre2\/reboot is not on this machine\.\n {2}sabre2:/);
});

test('patterns place the programs, also the ones that power off, and a pattern for one board alone is refused', async () => {
  const folder = await checkout(real);
  const { stdout } = await mq(
    'import',
    folder,
    '--script-path',
    '/b/{board}/run',
    '--power-off-path=/b/{board}/off',
  );
  assert.deepEqual(labOf(stdout).boards[1]?.machine, {
    driver: 'script',
    path: '/b/beagle/run',
    powerOffPath: '/b/beagle/off',
  });
  for (const pattern of ['/b/run', 'b/{board}']) {
    const refused = await mq('import', folder, '--script-path', pattern);
    assert.deepEqual([refused.code, refused.stdout], [2, '']);
  }
});

test('a file that is there stays, and --force replaces it', async () => {
  const folder = await checkout(real);
  const out = join(root, 'lab.yaml');
  await writeFile(out, 'mine\n');
  const refused = await mq('import', folder, '--out', out);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /is there already/);
  assert.equal(await readFile(out, 'utf8'), 'mine\n');
  const { code, stdout } = await mq('import', folder, '--out', out, '--force');
  assert.deepEqual([code, stdout], [0, '']);
  assert.equal(labOf(await readFile(out, 'utf8')).boards.length, 52);
});

test('a failing or talking mq.sh is told with its command, and writes nothing', async () => {
  const out = join(root, 'never.yaml');
  const cases: [Record<string, string>, RegExp][] = [
    [{ ...real, 'pool-tsv': 'echo no lab >&2; exit 3' }, /mq\.sh pool-tsv: exit code 3, and it said: no lab/],
    [{ ...real, features: 'kill -9 $$' }, /mq\.sh features: SIGKILL, and it said nothing/],
    [{ ...real, 'system-tsv': 'echo usage' }, /system-tsv, line 1: .*Found: "usage"/],
    [{ ...real, 'system-tsv': String.raw`printf '\377\n'` }, /system-tsv prints something that is not UTF-8/],
  ];
  for (const [words, message] of cases) {
    const { code, stderr } = await mq('import', await checkout(words), '--out', out);
    assert.match(stderr, message);
    assert.equal(code, 1);
  }
  const missing = await mq('import', join(root, 'nowhere'), '--out', out);
  assert.match(missing.stderr, /mq\.sh system-tsv: .*ENOENT/);
  await assert.rejects(readFile(out), { code: 'ENOENT' });
});

test('scripts that hang are ended in time, with what they started', async () => {
  const pidFile = join(root, 'pid');
  const folder = await checkout({ 'system-tsv': `sleep 300 & echo $! > '${pidFile}'; wait` });
  const signal = new AbortController().signal;
  await assert.rejects(askOldScripts(folder, { signal, secondsMax: 1 }), (error: Error) => {
    assert.ok(error instanceof OldScriptError);
    assert.match(error.message, /mq\.sh system-tsv: not done after 1 s$/);
    return true;
  });
  const pid = Number(await readFile(pidFile, 'utf8'));
  assert.ok(!isRunning({ pid, startTime: readStartTime(pid) ?? '' }));
});

const header = 'name\\tarch\\tsel4_plat\\tisa\\tsoc\\tcpu\\tcores\\tram\\tmax_clk\\tnum_files\\n';
const odd = {
  'system-tsv': `printf '${header}on\\tarm\\tp: q\\t"i"\\t0x10\\t1.0\\t010\\tno\\t#\\t1\\n7\\t-\\t*a\\t12:30\\t{\\t]\\t1e3\\t~\\ta #b\\t2\\n'`,
  'pool-tsv': `printf 'p\\ton\\t7\\n'`,
  features: `printf '| Name | PXE boot Linux | Custom DTB |\\n| on | no | no |\\n| 7 | yes | yes |\\n'`,
};

test('names and values that YAML would read as something else keep their text', async () => {
  const { stdout, stderr } = await mq('import', await checkout(odd));
  const lab = labOf(stdout);
  assert.deepEqual(
    lab.boards.map(({ name }) => name),
    ['on', '7'],
  );
  assert.deepEqual(Object.values(lab.boards[0]?.attributes ?? {}), [
    'arm',
    'p: q',
    '"i"',
    '0x10',
    '1.0',
    '010',
    'no',
    '#',
  ]);
  assert.deepEqual(Object.values(lab.boards[1]?.attributes ?? {}), [
    '-',
    '*a',
    '12:30',
    '{',
    ']',
    '1e3',
    '~',
    'a #b',
  ]);
  assert.match(stderr, /mq features would not be the same, first in line 1/);
});

test('what can not be said in a configuration is written with a comment, told, and is no success', async () => {
  const words = {
    'system-tsv': `printf '${header}b\\ta\\tp\\ti\\ts\\tc\\t1\\tr\\tm\\tmany\\n'`,
    'pool-tsv': `printf 'p\\tb\\tgone\\n'`,
    features: `printf '| Name | PXE boot Linux | Custom DTB |\\n'`,
  };
  const { code, stdout, stderr } = await mq('import', await checkout(words));
  assert.equal(code, 1);
  assert.match(stdout, /# Check: its num_files was many, which is not 1 or 2: files is left out\./);
  assert.match(stdout, /# Check: features does not list it/);
  assert.match(stdout, /# Check: gone was in it/);
  assert.deepEqual(labOf(stdout).pools[0]?.boards, ['b']);
  for (const list of ['system-tsv', 'pool-tsv', 'features']) {
    assert.match(stderr, new RegExp(`mq ${list} would not be the same, first in line \\d`));
  }
  const named = { ...words, 'system-tsv': `printf '${header}b b\\ta\\tp\\ti\\ts\\tc\\t1\\tr\\tm\\t1\\n'` };
  const wrong = await mq('import', await checkout(named));
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^lab\.yaml:\d+:\d+: 'b b' in boards must be a name/);
});

test('check-config says what the lab is, or every problem with its place', async () => {
  const good = join(root, 'good.yaml');
  await writeFile(
    good,
    'lab: L\nboards: { a: { machine: { driver: v86 } }, b: { machine: { driver: v86 } } }\npools: { p: [a], e: { where: { arch: z } } }\n',
  );
  const right = await mq('check-config', good);
  assert.equal(right.code, 0);
  assert.deepEqual(right.stdout.split('\n'), [
    `warning: ${good}:3:18: pool 'e' has no boards: none matches`,
    'L: 2 boards, 2 pools, 1 board in no pool',
    '',
  ]);
  const bad = join(root, 'bad.yaml');
  await writeFile(
    bad,
    'lab: L\nboards: { sabre: { achr: x, machine: { driver: v86 } } }\npools: { p: [sabr] }\n',
  );
  const wrong = await mq('check-config', bad);
  assert.equal(wrong.code, 1);
  assert.deepEqual(wrong.stdout.split('\n'), [
    `${bad}:2:20: unknown key 'achr' in board 'sabre'. Did you mean 'arch'?`,
    `${bad}:3:14: unknown board 'sabr' in pool 'p'. Did you mean 'sabre'?`,
    '',
  ]);
  assert.equal((await mq('check-config', join(root, 'none.yaml'))).code, 1);
  assert.equal((await mq('check-config')).code, 2);
});
