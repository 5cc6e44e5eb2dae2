// What has to make way for a newer token stands not always right before it; and an agent that leaves waits for what
// it still does to its boards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };

test('a newer token also aborts what is in flight behind an action that still waits', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  lab.board().powerOffs = 'held';
  // It waits for the job's own clean-up, whose power off hangs.
  server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
  await lab.board().sees('power off', 2);
  server.send(start({ job: 2, token: '1.2' }));
  await lab.board().sees('is not off');
  assert.equal((await server.ended(1)).result.verdict, 'cancelled');
  assert.equal((await server.message('powered-off')).ok, false);
  lab.board().powerOffs = 'works';
  lab.board().letGo();
  await lab.board().sees('started', 2);
  lab.board().session.print('all is well');
  assert.equal((await server.ended(2)).result.verdict, 'completed');
});

test('the same token does not abort the clean-up that it waits for', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  lab.board().powerOffs = 'held';
  server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
  await lab.board().sees('power off', 2);
  server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
  await server.settled();
  assert.ok(!lab.board().events.includes('is not off'));
  lab.board().powerOffs = 'works';
  lab.board().letGo();
  assert.equal((await server.message('powered-off')).ok, true);
});

test('an agent that stops waits for a power off in flight', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  lab.board().powerOffs = 'held';
  server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
  await lab.board().sees('power off');
  let hasStopped = false;
  const stopping = lab.agent.stop('the agent was stopped').then(() => {
    hasStopped = true;
  });
  await server.settled();
  assert.equal(hasStopped, false);
  lab.board().letGo();
  assert.equal((await server.message('powered-off')).ok, true);
  await stopping;
});

test(
  'a job whose client left before it started, with no end text to come, is done when it has started',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    lab.board().powerOffs = 'held';
    server.send(start({ spec: { keepOn: true, endText: '' } }));
    await lab.board().sees('power off');
    server.send({ type: 'finish', job: 1, token: '1.1' });
    await server.settled();
    lab.board().powerOffs = 'works';
    lab.board().letGo();
    const { result } = await server.ended(1);
    assert.deepEqual([result.verdict, result.mayBeOn], ['completed', false]);
  },
);

test("the lab's policy also ends a job that still waits for its board", options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  lab.board().stops = 'deaf';
  server.send(start({ job: 2, token: '1.2', jobMaxSeconds: 5 }));
  await lab.board().sees('stop');
  lab.clock.advance(5_000);
  const { result } = await server.ended(2);
  assert.equal(result.verdict, 'lab-fault');
  assert.match(result.detail, /could not be started within 5 s/);
  assert.equal(lab.board().events.filter((event) => event === 'start').length, 1);
});
