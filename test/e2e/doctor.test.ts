// `mq doctor` on a lab that is well, and on what goes wrong with real ones.
import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Check } from '../../src/cli/doctor/judge.ts';
import { Lab } from './harness/lab.ts';
import { me, nobody, noOtherUsers } from './harness/users.ts';

const pc = { machine: { driver: 'v86' } };
const lab = await Lab.start({ after }, { boards: { one: pc, two: pc } });

interface Found {
  readonly exit: number | null;
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

async function examine(words: string[] = [], options: Parameters<Lab['run']>[1] = {}): Promise<Found> {
  const { code, stdout, stderr } = await lab.run(['doctor', '--json', ...words], options);
  assert.equal(stderr, '');
  return { exit: code, ...JSON.parse(stdout) };
}

/** The one thing that is wrong, with its fix. */
async function troubleOf(words: string[], options: Parameters<Lab['run']>[1] = {}): Promise<Check> {
  const { exit, ok, checks } = await examine(words, options);
  const [trouble, ...more] = checks.filter(({ state }) => state === 'trouble');
  assert.ok(trouble && more.length === 0, JSON.stringify(checks));
  assert.deepEqual([exit, ok], [1, false]);
  return trouble;
}

test('a lab that is well: every check is good, and it exits with 0', async () => {
  await lab.until('the boards are there', ({ boards }) => boards.every(({ state }) => state === 'free'));
  const { exit, ok, checks } = await examine();
  assert.deepEqual([exit, ok], [0, true], JSON.stringify(checks));
  assert.deepEqual(
    checks.map(({ name }) => name),
    ['node', 'address', 'socket', 'server', 'clock', 'disk', 'agent', 'boards'],
  );
  const { code, stdout } = await lab.run(['doctor']);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^ok +address: unix:${lab.socketPath} \\(from MQ_SERVER\\)$`, 'm'));
  assert.match(stdout, new RegExp(`^ok +server: lab Test, mq [\\d.]+; you are ${me.name}`, 'm'));
});

test('a board that somebody drained is a note and no trouble', async () => {
  assert.equal((await lab.run(['board', 'drain', 'one', '--note', 'fan'])).code, 0);
  const { exit, checks } = await examine();
  assert.equal(exit, 0);
  assert.match(checks.find(({ name }) => name === 'board one')?.what ?? '', /^out of service: .*fan/);
  assert.equal((await lab.run(['board', 'resume', 'one'])).code, 0);
});

test('an address that is none, no socket, what is no socket, and no rights to it, each with its fix', async () => {
  assert.deepEqual((await troubleOf(['--server', 'nonsense'])).name, 'address');
  const missing = await troubleOf(['--server', 'unix:/nonexistent/s']);
  assert.match(`${missing.what} ${missing.fix}`, /there is no \/nonexistent\/s Start the server/);
  const file = join(lab.folder, 'file');
  await writeFile(file, '');
  assert.match((await troubleOf(['--server', `unix:${file}`])).what, /is no socket/);
});

test('a user without rights to the socket is told of its group', { skip: noOtherUsers }, async () => {
  await chmod(lab.socketPath, 0o700);
  const { what, fix } = await troubleOf([], { as: nobody });
  await chmod(lab.socketPath, 0o666);
  assert.match(`${what} ${fix}`, /may not open .* group of the socket \(socket_group/);
});

test('a server that was killed left its socket, on which nothing listens', async () => {
  await lab.killServer();
  const { name, what } = await troubleOf([]);
  assert.equal(name, 'server');
  assert.match(what, /nothing listens/);
});
