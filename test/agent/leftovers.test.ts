// What the next agent makes of a folder whose agent was killed. That processes are ended is in agent-process.test.ts.
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { JobFiles } from '../../src/agent/job-files.ts';
import { ByteLog } from '../../src/platform/byte-log.ts';
import type { AgentJobResult } from '../../src/protocol/agent-messages.ts';
import { machineOf, start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };

/** As an agent leaves it that was killed while job 1 ran on pc1 under this token. */
async function leaveJob(lab: TestLab, console: string, result?: AgentJobResult): Promise<void> {
  const files = new JobFiles(lab.folder, () => `killed-${lab.folder}`);
  const note = { id: 1, board: 'pc1', token: '1.7', machine: machineOf('pc1') };
  await files.tokens.raise('pc1', '1.7');
  files.writeFirstNote(note);
  if (result) await files.writeResult({ ...note, result });
  files.makeWorkFolder(1);
  const limits = { bytesMax: 1_000_000, headBytes: 1_000, segmentBytes: 1_000_000 };
  const log = await ByteLog.open(files.consoleFolder(1), limits);
  await log.append(Buffer.from(console), 1);
  await log.close();
}

test(
  'the board of a lost job is powered off before it is ready; others are ready at once',
  options,
  async (t) => {
    const lab = await TestLab.make(t);
    await leaveJob(lab, 'so far');
    lab.board().powerOffs = 'held';
    await lab.startAgent();
    const server = await lab.connect({ names: ['pc1', 'pc2'] });
    const hello = await server.message('hello');
    assert.deepEqual(hello.jobs, [{ id: 1, board: 'pc1', token: '1.7', consoleLength: 6, state: 'running' }]);
    await lab.board().sees('power off');
    await server.settled();
    assert.deepEqual(server.all('boards'), [{ type: 'boards', ready: ['pc2'], failed: [], abilities: [] }]);
    assert.equal(server.all('ended').length, 0);
    lab.board().letGo();
    const { result } = await server.ended(1);
    assert.deepEqual(result, {
      verdict: 'lab-fault',
      detail: 'the agent was killed while the job ran',
      mayBeOn: false,
      consoleLength: 6,
    });
    assert.equal(lab.store.console(1), 'so far');
    await server.message('boards', ({ ready }) => ready.includes('pc1'));
    assert.deepEqual(lab.board().events, ['power off', 'is off']);
  },
);

test(
  'a board whose power off fails is failed, on every connection, until an action works',
  options,
  async (t) => {
    const lab = await TestLab.make(t);
    await leaveJob(lab, '');
    lab.board().powerOffs = 'fails';
    await lab.startAgent();
    const first = await lab.connect();
    const { result } = await first.ended(1);
    assert.equal(result.mayBeOn, true);
    assert.match(result.detail, /killed.*outlet/);
    const failed = [{ board: 'pc1', why: 'the outlet does not answer' }];
    await first.message('boards', (one) => one.failed.length > 0);
    const second = await lab.connect();
    assert.deepEqual(await second.message('boards'), { type: 'boards', ready: [], failed, abilities: [] });
    lab.board().powerOffs = 'works';
    second.send({ type: 'power-off', board: 'pc1', token: '1.8' });
    assert.equal((await second.message('powered-off')).ok, true);
    const third = await lab.connect();
    assert.deepEqual(await third.message('boards'), {
      type: 'boards',
      ready: ['pc1'],
      failed: [],
      abilities: [],
    });
  },
);

test('what the server wants of the board meanwhile comes behind its power off', options, async (t) => {
  const lab = await TestLab.make(t);
  await leaveJob(lab, '');
  lab.board().powerOffs = 'held';
  await lab.startAgent();
  const server = await lab.connect();
  await lab.board().sees('power off');
  server.send(start({ job: 2, token: '1.6' }));
  assert.equal((await server.ended(2)).result.verdict, 'lab-fault');
  server.send({ type: 'power-off', board: 'pc1', token: '1.7' });
  await server.settled();
  lab.board().letGo();
  assert.equal((await server.message('powered-off')).ok, true);
  assert.deepEqual(lab.board().events, ['power off', 'is off']);
});

test('the result of a lost job is the same for an agent after the next', options, async (t) => {
  const lab = await TestLab.make(t);
  await leaveJob(lab, 'so far');
  await lab.startAgent();
  const first = await lab.connect();
  const { result } = await first.ended(1);
  await lab.agent.stop('the agent was stopped');
  await lab.startAgent();
  const second = await lab.connect();
  assert.deepEqual((await second.ended(1)).result, result);
  assert.deepEqual(lab.board().events, ['power off', 'is off']);
});

test('after a power cut the server does not wait for console bytes that were lost', options, async (t) => {
  const lab = await TestLab.make(t);
  const told: AgentJobResult = { verdict: 'completed', detail: '', mayBeOn: false, consoleLength: 1_000 };
  await leaveJob(lab, 'only this', told);
  await lab.startAgent();
  const server = await lab.connect();
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'completed');
  assert.equal(result.consoleLength, 9);
  assert.match(result.detail, /end of its console was lost/);
});

test('notes that a power cut tore, and files of no job, are cleared away', options, async (t) => {
  const lab = await TestLab.make(t);
  await leaveJob(lab, 'so far');
  await writeFile(join(lab.folder, 'jobs', '1.json'), '');
  await lab.startAgent();
  const server = await lab.connect();
  assert.deepEqual((await server.message('hello')).jobs, []);
  assert.deepEqual(await readdir(join(lab.folder, 'consoles')), []);
  assert.deepEqual(await readdir(join(lab.folder, 'jobs')), []);
  assert.ok(lab.logger.lines.some(({ message }) => message.includes('damaged')));
});

test('without its tokens an agent drives nothing', options, async (t) => {
  const lab = await TestLab.make(t);
  await leaveJob(lab, '');
  await writeFile(join(lab.folder, 'tokens.json'), '{"pc1":');
  await assert.rejects(lab.startAgent(), /tokens\.json is damaged/);
});

test('a board whose machine can not be driven is failed, and the others are not', options, async (t) => {
  const lab = await TestLab.make(t);
  await lab.startAgent({
    drivers: (machine) => {
      const name = machine.driver === 'script' ? machine.path.slice(1) : '';
      if (name === 'odd') throw new RangeError('a board has 2 to 1024 MB');
      return lab.board(name).driver;
    },
  });
  const server = await lab.connect({ names: ['odd', 'pc1'] });
  assert.deepEqual(await server.message('boards'), {
    type: 'boards',
    ready: ['pc1'],
    abilities: [],
    failed: [{ board: 'odd', why: 'a board has 2 to 1024 MB' }],
  });
  server.send(start({ board: 'odd' }));
  assert.equal((await server.ended(1)).result.verdict, 'lab-fault');
});
