// A disk that refuses: nothing is done that could not be noted, and no result is told that could be lost.
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };

/** Makes a file of the agent one that can't be replaced, until the function that it returns is called. */
async function refuse(lab: TestLab, ...names: string[]): Promise<() => Promise<void>> {
  const path = join(lab.folder, ...names);
  await rm(path, { force: true });
  await mkdir(path);
  await writeFile(join(path, 'in-the-way'), '');
  return () => rm(path, { recursive: true });
}

/** Waits until the log says this so many times. */
async function logged(lab: TestLab, message: string, times = 1): Promise<void> {
  while (lab.logger.lines.filter((line) => line.message === message).length < times) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const untold = 'a result could not be stored; it is tried again';

test('a result is told only when it is on the disk, and is tried until it is', options, async (t) => {
  const lab = await TestLab.open(t);
  const first = await lab.connect();
  await lab.run(first);
  const accept = await refuse(lab, 'jobs', '1.json');
  lab.board().session.print('all is well');
  await logged(lab, untold);
  lab.clock.advance(1_000);
  await logged(lab, untold, 2);
  await first.cut();
  const second = await lab.connect();
  assert.equal((await second.message('hello')).jobs[0]?.state, 'running');
  await second.settled();
  assert.equal(second.all('ended').length, 0);
  await accept();
  lab.clock.advance(1_000);
  const { result } = await second.ended(1);
  assert.equal(result.verdict, 'completed');
  const note = JSON.parse(await readFile(join(lab.folder, 'jobs', '1.json'), 'utf8'));
  assert.deepEqual(note.result, result);
});

test('the next job waits for a board whose last result is not on the disk', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  const accept = await refuse(lab, 'jobs', '1.json');
  lab.board().session.print('all is well');
  await logged(lab, untold);
  server.send(start({ job: 2, token: '1.2' }));
  await server.settled();
  assert.equal(lab.board().events.filter((event) => event === 'start').length, 1);
  await accept();
  lab.clock.advance(1_000);
  await server.ended(1);
  await lab.board().sees('started', 2);
});

test('an agent that leaves with a result it could not store does not tell it', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  const accept = await refuse(lab, 'jobs', '1.json');
  lab.board().session.print('all is well');
  await logged(lab, untold);
  lab.agent.close();
  await server.closed;
  assert.equal(server.all('ended').length, 0);
  await accept();
});

test('what could not be noted is not begun, neither a job nor a power off', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  const accept = await refuse(lab, 'tokens.json');
  server.send(start());
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'lab-fault');
  assert.match(result.detail, /can't note what it does/);
  server.send({ type: 'power-off', board: 'pc1', token: '1.2' });
  const refused = await server.message('powered-off');
  assert.equal(refused.ok, false);
  assert.match(refused.detail, /can't note what it does/);
  assert.deepEqual(lab.board().events, []);
  await accept();
  server.send({ type: 'power-off', board: 'pc1', token: '1.2' });
  assert.equal((await server.message('powered-off', (one) => one.ok)).ok, true);
});

test('a console that the disk refuses in the middle ends the job, with what was kept', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect({ logBytesMax: 64 * 1024 });
  await lab.run(server);
  lab.board().session.print('x'.repeat(10_000));
  await server.until(() => lab.store.lengths.get(1) === 10_000);
  // The next stretch of console needs a file of its own.
  await rm(join(lab.folder, 'consoles', '1'), { recursive: true });
  lab.board().session.print('y'.repeat(100_000));
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'lab-fault');
  assert.match(result.detail, /console could not be kept/);
  assert.equal(result.mayBeOn, false);
  assert.deepEqual(lab.board().events.slice(-2), ['power off', 'is off']);
});
