// A connection that breaks anywhere: no console byte is lost or doubled, nothing is started twice, and every result is
// told until the server has it.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { start, TestLab } from './lab.ts';
import type { TestServer } from './test-server.ts';

const options = { timeout: 60_000 };
const chunks = ['booting\n', 'one\ntwo\n', 'it says: all is well', ' and then'];

/** Goes on as a server does: what the agent does not know is started again, and what it knows is followed to its end. */
async function followToEnd(server: TestServer, job: number): Promise<void> {
  const hello = await server.message('hello');
  await server.message('boards');
  if (!hello.jobs.some(({ id }) => id === job)) server.send(start({ job, token: `1.${job}` }));
  await server.ended(job);
}

/** A job, with the first connection cut behind so many bytes of the agent. Returns how many there are without a cut. */
async function runCutAt(lab: TestLab, job: number, cutAfterBytes: number): Promise<number> {
  const board = lab.board();
  const first = await lab.dial({ cutAfterBytes });
  const following = followToEnd(first, job);
  const printing = board.sees('started', job).then(async () => {
    for (const chunk of chunks) {
      // What comes after the end text may find the board stopped already.
      if (!board.session.hasEnded) board.session.print(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  // Where the connection is cut the following never ends.
  await Promise.race([following, first.closed]);
  const { receivedBytes } = first;
  await first.cut();
  const second = await lab.dial();
  await followToEnd(second, job);
  await printing;
  const { result } = await second.ended(job);
  assert.equal(result.verdict, 'completed');
  assert.equal(result.matchEnd, 36);
  const text = lab.store.console(job);
  assert.equal(text, chunks.join('').slice(0, text.length));
  assert.ok(text.length >= 36 && text.length === result.consoleLength, text);
  second.send({ type: 'forget', job });
  await second.cut();
  return receivedBytes;
}

test('a connection cut behind any byte of the agent loses and doubles nothing', options, async (t) => {
  const labs = await Promise.all(Array.from({ length: 12 }, () => TestLab.open(t)));
  const [first = labs[0] as TestLab] = labs;
  const whole = await runCutAt(first, 1, Number.POSITIVE_INFINITY);
  assert.ok(whole > 500, 'the whole conversation was had');
  const cuts = Array.from({ length: whole }, (_, index) => index + 1);
  const work = async (lab: TestLab) => {
    let job = lab === first ? 1 : 0;
    for (let cut = cuts.pop(); cut !== undefined; cut = cuts.pop()) {
      job += 1;
      const at = cut;
      await runCutAt(lab, job, cut).catch((error: unknown) => {
        throw new Error(`cut behind byte ${at}`, { cause: error });
      });
    }
    assert.equal(lab.board().events.filter((event) => event === 'start').length, job);
  };
  await Promise.all(labs.map(work));
});

test('a job goes on without a server, and all of it follows', options, async (t) => {
  const lab = await TestLab.open(t);
  const first = await lab.connect();
  await lab.run(first);
  lab.board().session.print('before ');
  await first.until(() => lab.store.console(1) === 'before ');
  await first.cut();
  lab.board().session.print('meanwhile: all is well');
  await lab.board().sees('is off', 2);
  const second = await lab.connect();
  const { result } = await second.ended(1);
  assert.equal(result.verdict, 'completed');
  assert.equal(lab.store.console(1), 'before meanwhile: all is well');
});

test('that the end text came is told again while the job stays open', options, async (t) => {
  const lab = await TestLab.open(t);
  const first = await lab.connect();
  await lab.run(first, { spec: { keepOn: true } });
  lab.board().session.print('all is well');
  await first.message('completed');
  await first.cut();
  const second = await lab.connect();
  assert.deepEqual(await second.message('completed'), {
    type: 'completed',
    job: 1,
    matchEnd: 11,
    open: true,
  });
});

test(
  'a result is told on every connection, also by the next agent, until it is forgotten',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const first = await lab.connect();
    await lab.run(first);
    lab.board().session.print('all is well');
    const { result } = await first.ended(1);
    await first.cut();
    const second = await lab.connect();
    assert.deepEqual((await second.ended(1)).result, result);
    await second.cut();
    await lab.agent.stop('the agent was stopped');
    await lab.startAgent();
    const third = await lab.connect();
    const hello = await third.message('hello');
    assert.deepEqual(hello.jobs, [
      { id: 1, board: 'pc1', token: '1.1', consoleLength: 11, state: 'ended', result },
    ]);
    assert.deepEqual((await third.ended(1)).result, result);
    third.send({ type: 'forget', job: 1 });
    third.send({ type: 'forget', job: 1 });
    await third.settled();
    const fourth = await lab.connect();
    assert.deepEqual((await fourth.message('hello')).jobs, []);
    await fourth.settled();
    assert.equal(fourth.all('ended').length, 0);
    // Their removal is waited for.
    await lab.agent.stop('the agent was stopped');
    for (const kind of ['jobs', 'consoles', 'work']) {
      assert.deepEqual(await readdir(join(lab.folder, kind)), [], kind);
    }
  },
);

test('a server that has nothing of a console gets all of it from the next agent', options, async (t) => {
  const lab = await TestLab.open(t);
  const first = await lab.connect();
  await lab.run(first);
  lab.board().session.print('it says: all is well');
  await first.ended(1);
  await first.cut();
  await lab.agent.stop('the agent was stopped');
  lab.store.lengths.clear();
  lab.store.consoles.clear();
  await lab.startAgent();
  const second = await lab.connect();
  await second.ended(1);
  assert.equal(lab.store.console(1), 'it says: all is well');
  assert.equal((await second.message('completed')).matchEnd, 20);
});

test('a job that lives is not forgotten', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  server.send({ type: 'forget', job: 1 });
  lab.board().session.print('all is well');
  assert.equal((await server.ended(1)).result.verdict, 'completed');
});

test('the newer of two connections is the one that counts', options, async (t) => {
  const lab = await TestLab.open(t);
  const first = await lab.connect();
  const second = await lab.connect();
  await first.closed;
  await lab.run(second);
  lab.board().session.print('all is well');
  await second.ended(1);
});

test('an agent that stops cancels its jobs, powers off, and tells its server', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  const stopping = lab.agent.stop('the agent was stopped');
  const { result } = await server.ended(1);
  assert.deepEqual(
    [result.verdict, result.detail, result.mayBeOn],
    ['cancelled', 'the agent was stopped', false],
  );
  await stopping;
  await server.closed;
});

test('a server of another protocol is not served', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.dial({ staysSilent: true });
  await server.message('hello');
  server.send({
    ...{ type: 'welcome', protocol: 99, server: 'new', boards: [], consoleFrom: [], logBytesMax: 1 },
  });
  await server.closed;
  assert.equal(lab.agent.isConnected, false);
});

test('what is no message ends the connection, what is only unknown does not', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  server.send({ type: 'sing' } as never);
  await server.settled();
  server.send({ type: 'cancel', job: 'x' } as never);
  await server.closed;
});
