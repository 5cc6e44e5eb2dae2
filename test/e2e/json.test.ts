// --json of every command that has it: stdout is one value of the documented shape, and what goes wrong is one on stderr.
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commandHelps } from '../../src/cli/help/help.ts';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import { hasShape, type ShapeName } from './json-shapes.ts';

const fixtures = new URL('../fixtures/lab/', import.meta.url).pathname;
const pc = { machine: { driver: 'v86' }, arch: 'x86' };
const lab = await Lab.start({ after }, { boards: { one: pc, two: pc }, pools: { pair: ['one', 'two'] } });
const hello = await lab.file('hello.elf', makeImage({ kind: 'hello' }));

/** Commands that were seen to keep their promise. */
const seen = new Set<string>();

async function gives(shape: ShapeName, words: string[], exit = 0): Promise<unknown> {
  const { code, stdout, stderr } = await lab.run([...words, '--json']);
  assert.equal(code, exit, `${words.join(' ')}: ${stderr}`);
  assert.ok(hasShape(shape, stdout), `${words.join(' ')}: ${stdout}`);
  seen.add(words[0] ?? '');
  return JSON.parse(stdout);
}

/** stdout is empty, or has its value all the same where the command had done something. */
async function fails(code: string, words: string[], { server }: { server?: string } = {}): Promise<void> {
  const options = server === undefined ? {} : { env: { MQ_SERVER: server } };
  const { code: exit, stdout, stderr } = await lab.run([...words, '--json'], options);
  assert.ok(hasShape('error', stderr), `${words.join(' ')}: ${stderr}`);
  const { error } = JSON.parse(stderr);
  assert.deepEqual([error.code, error.exit], [code, exit], words.join(' '));
  if (stdout !== '') JSON.parse(stdout);
}

test('locks: lock, extend, give, steal and unlock', async () => {
  await gives('lock', ['lock', 'one', '--hold', '1h']);
  await gives('lock', ['extend', 'one', '--hold', '2h']);
  await gives('lock', ['steal', 'one', '--key', 'k']);
  await gives('lock', ['give', 'one', '--to', 'nobody', '--key', 'k']);
  await fails('NOT_HOLDER', ['unlock', 'one']);
  await fails('NOT_HOLDER', ['power', 'one', 'off']);
  await gives('unlock', ['unlock', 'one', '--force']);
  await gives('lock', ['lock', 'one']);
  await gives('power', ['power', 'one', 'off']);
  await gives('power-status', ['power', 'one', 'status']);
  await gives('unlock', ['unlock', 'one']);
});

test('jobs: run, jobs and cancel', async () => {
  const { job } = (await gives('run', ['run', 'one', hello, '--until', 'All is well'])) as { job: number };
  await gives('jobs', ['jobs']);
  await gives('job', ['jobs', String(job)]);
  await gives('run', ['run', 'one', hello, '--until', 'never', '--timeout', '1s'], 5);
  const waits = (await gives('detached', ['run', 'one', hello, '--detach'])) as { job: number };
  await gives('cancel', ['cancel', String(waits.job)]);
  await gives('cancel', ['cancel', '--mine']);
});

test('the lab: status, queue, systems, board, reload and doctor', async () => {
  await gives('lock', ['lock', 'two']);
  const waiting = lab.mq(['lock', 'two', '--key', 'w']);
  await lab.untilWaiting('w');
  await gives('status', ['status']);
  assert.equal(((await gives('queue', ['queue'])) as object[]).length, 1);
  waiting.kill('SIGINT');
  await waiting.ended;
  await gives('systems', ['systems']);
  await gives('board', ['board', 'note', 'one', '--note', 'x']);
  await gives('reload', ['reload']);
  await gives('doctor', ['doctor']);
  await gives('doctor', ['doctor', '--server', 'unix:/nonexistent/s'], 1);
});

test('files: check-config and import', async () => {
  await gives('check-config', ['check-config', lab.configPath]);
  const broken = await lab.file('broken.yaml', 'lab: L\nbords: {}\n');
  await gives('check-config', ['check-config', broken], 1);
  const folder = join(lab.folder, 'old');
  await mkdir(folder);
  const lists = { 'system-tsv': 'system.tsv', 'pool-tsv': 'pool.tsv', features: 'features.txt' };
  const cases = Object.entries(lists).map(([word, file]) => `${word}) cat '${join(fixtures, file)}' ;;`);
  await writeFile(join(folder, 'mq.sh'), `#!/bin/sh\ncase "$1" in\n${cases.join('\n')}\nesac\n`);
  await chmod(join(folder, 'mq.sh'), 0o755);
  const out = join(lab.folder, 'open/imported.yaml');
  await gives('import', ['import', folder, '--out', out]);
  await fails('BAD_REQUEST', ['import', folder, '--out', out]);
  await fails('BAD_CONFIG', ['import', '/nonexistent', '--out', join(lab.folder, 'open/none.yaml')]);
});

test('what goes wrong is one object on stderr, whose exit code is the command’s', async () => {
  await fails('BAD_REQUEST', ['status', 'extra']);
  await fails('BAD_REQUEST', ['status', '--nosuch']);
  await fails('UNKNOWN_TARGET', ['lock', 'nosuch']);
  await fails('UNKNOWN_JOB', ['jobs', '99999']);
  await fails('UNKNOWN_TICKET', ['cancel', '99999']);
  await fails('NOT_HOLDER', ['extend', 'one', '--hold', '1h']);
  await fails('SERVER_UNREACHABLE', ['status'], { server: 'unix:/nonexistent/s' });
  await fails('SERVER_UNREACHABLE', ['systems'], { server: 'unix:/nonexistent/s' });
  await fails('BAD_REQUEST', ['import', lab.folder]);
});

test('every command whose help has --json was seen above', () => {
  const promised = Object.entries(commandHelps()).filter(([, { options = [] }]) =>
    options.some(([left]) => left === '--json'),
  );
  const unseen = promised.map(([name]) => name).filter((name) => !seen.has(name));
  assert.deepEqual(unseen, []);
});
