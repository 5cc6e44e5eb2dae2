// Orderly and disorderly starts and ends of the server: drain, two servers, databases and files that are not as wanted.
import assert from 'node:assert/strict';
import { copyFile, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import { mqPath } from './harness/paths.ts';
import { Running } from './harness/running.ts';
import { me, nobody, noOtherUsers } from './harness/users.ts';

const quiet = { exit: 0, stdout: '' };
const file = { boards: { pc: { machine: { driver: 'v86' } }, other: { machine: { driver: 'v86' } } } };
const start = (t: TestContext): Promise<Lab> => Lab.start({ after: (clean) => t.after(clean) }, file);

/** A server that refuses to start says why in plain words, and exits with an error. */
async function refusal(server: Running): Promise<string> {
  const { code, stdout, stderr } = await server.ended;
  assert.ok(code !== 0 && code !== null, `exit ${code}`);
  assert.equal(stdout, '');
  assert.ok(!/^\s+at /m.test(stderr), `no stack: ${stderr}`);
  return stderr;
}

test('SIGTERM: a job outlives the server, clients wait for the next one, locks stay', async (t) => {
  const lab = await start(t);
  const image = await lab.file('slow', makeImage({ kind: 'slow', seconds: 3, lines: 30 }));
  const run = lab.mq(['run', '-s', 'pc', '-c', 'universe', '-f', image]);
  await lab.expect(['sem', '-wait', 'other', '-k', 'h'], quiet);
  const waiting = lab.mq(['sem', '-wait', 'other', '-k', 'w']);
  await run.printed('step 1 of');
  await lab.untilWaiting('w');
  lab.server.kill('SIGTERM');
  assert.equal((await lab.server.ended).code, 0);
  assert.deepEqual([run.hasEnded, waiting.hasEnded], [false, false]);
  await lab.startServer();
  const { code, stdout } = await run.ended;
  assert.equal(code, 0);
  const steps = stdout.split('\n').filter((line) => line.startsWith('step '));
  assert.deepEqual(
    steps,
    Array.from({ length: 30 }, (_, index) => `step ${index + 1} of 30`),
  );
  assert.equal(await lab.holder('other'), `other LOCKED ${me.name} h`);
  await lab.expect(['sem', '-signal', 'other', '-k', 'h'], quiet);
  assert.equal((await waiting.ended).code, 0);
});

test('folder, socket and configuration may be named from where the server is started', async (t) => {
  const lab = await Lab.make({ after: (clean) => t.after(clean) });
  await lab.configure(file);
  await lab.startServer(['--config', 'lab.yaml', '--state', './state', '--socket', 's'], { cwd: lab.folder });
  await lab.expect(['lock', 'pc'], { exit: 0, stdout: 'pc\n' });
});

test('two SIGTERMs end the server at once; what it answered stays', async (t) => {
  const lab = await start(t);
  await lab.expect(['sem', '-wait', 'pc', '-k', 'h'], quiet);
  const begin = performance.now();
  lab.server.kill('SIGTERM');
  lab.server.kill('SIGTERM');
  await lab.server.ended;
  assert.ok(performance.now() - begin < 5_000);
  await lab.startServer();
  assert.equal(await lab.holder('pc'), `pc LOCKED ${me.name} h`);
});

test('a second server on the same state folder or socket is refused and harms nothing', async (t) => {
  const lab = await start(t);
  await lab.expect(['sem', '-wait', 'pc', '-k', 'h'], quiet);
  const said = await refusal(lab.spawnServer());
  assert.match(said, new RegExp(`${lab.stateFolder} is in use by process ${lab.server.pid}`));
  const places = [
    '--config',
    lab.configPath,
    '--state',
    join(lab.folder, 'state2'),
    '--socket',
    lab.socketPath,
  ];
  const { HOME, PATH } = process.env;
  const second = new Running(mqPath, ['server', ...places], { env: { HOME, PATH } });
  t.after(() => second.kill('SIGKILL'));
  assert.match(await refusal(second), new RegExp(lab.socketPath));
  assert.equal(await lab.holder('pc'), `pc LOCKED ${me.name} h`);
  await lab.expect(['sem', '-signal', 'pc', '-k', 'h'], quiet);
});

test('a database of a newer program is refused and left as it is', async (t) => {
  const lab = await start(t);
  await lab.expect(['sem', '-wait', 'pc', '-k', 'h'], quiet);
  await lab.killServer();
  const path = join(lab.stateFolder, 'mq.db');
  const setVersion = (version: (now: number) => number): void => {
    const db = new DatabaseSync(path);
    const now = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    db.exec(`PRAGMA user_version = ${version(now)}`);
    db.close();
  };
  setVersion((now) => now + 1_000);
  assert.match(await refusal(lab.spawnServer()), /newer mq/);
  setVersion((now) => now - 1_000);
  await lab.startServer();
  assert.equal(await lab.holder('pc'), `pc LOCKED ${me.name} h`);
});

test('a damaged database is refused, and told; the copy from before goes on', async (t) => {
  const lab = await start(t);
  await lab.expect(['sem', '-wait', 'pc', '-k', 'h'], quiet);
  lab.server.kill('SIGTERM');
  await lab.server.ended;
  const path = join(lab.stateFolder, 'mq.db');
  await copyFile(path, `${path}.good`);
  const { size } = await stat(path);
  for (const [offset, length] of [
    [0, 100],
    [4096, size - 4096],
  ] as const) {
    await copyFile(`${path}.good`, path);
    const handle = await open(path, 'r+');
    await handle.write(Buffer.alloc(length, 0xa5), 0, length, offset);
    await handle.close();
    assert.match(await refusal(lab.spawnServer()), /mq\.db/);
  }
  await copyFile(`${path}.good`, path);
  await rm(`${path}.good`);
  await lab.startServer();
  assert.equal(await lab.holder('pc'), `pc LOCKED ${me.name} h`);
});

test('a configuration with a mistake is refused with file, line, column and the nearest name', async (t) => {
  const lab = await Lab.make({ after: (clean) => t.after(clean) });
  await lab.file('lab.yaml', 'lab: Test\nboards:\n  pc: { machin: { driver: v86 } }\n');
  const said = await refusal(lab.spawnServer());
  assert.match(said, /lab\.yaml:3:\d+/);
  assert.match(said, /machine/);
  await rm(lab.configPath);
  assert.match(await refusal(lab.spawnServer()), /lab\.yaml/);
});

test('a board that left the configuration while it waited for: its tickets end, the others stay', async (t) => {
  const lab = await start(t);
  for (const board of ['pc', 'other']) await lab.expect(['sem', '-wait', board, '-k', 'h'], quiet);
  const gone = lab.mq(['sem', '-wait', 'other', '-k', 'gone']);
  const stays = lab.mq(['sem', '-wait', 'pc', '-k', 'stays']);
  await lab.untilWaiting('gone', 'stays');
  await lab.killServer();
  await lab.configure({ boards: { pc: file.boards.pc } });
  await lab.startServer();
  assert.equal((await gone.ended).code, 2);
  await lab.expect(['sem', '-signal', 'pc', '-k', 'h'], quiet);
  assert.equal((await stays.ended).code, 0);
});

test('the state folder is for its owner alone, the socket for every user', {
  skip: noOtherUsers,
}, async (t) => {
  const lab = await start(t);
  assert.equal((await stat(lab.stateFolder)).mode & 0o777, 0o700);
  await lab.expect(['sem', '-mr-info', 'pc'], { exit: 0, stdout: 'pc FREE\n' }, { as: nobody });
});
