// How long an agent stays: while a server or a job needs it, and a while longer.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RunAgentOptions, runAgent } from '../../src/agent/run-agent.ts';
import { CollectingLogger } from '../../src/testing/collecting-logger.ts';
import { SimulatedClock } from '../../src/testing/simulated-clock.ts';
import { machineOf, makeFolder, start } from './lab.ts';
import { TestBoard } from './test-board.ts';
import { TestServer, TestStore } from './test-server.ts';

const options = { timeout: 20_000 };

/** An agent that runs in this process, and knows when it has left. */
async function runHere(t: TestContext, changes: Partial<RunAgentOptions> = {}) {
  const folder = await makeFolder();
  const clock = new SimulatedClock();
  const logger = new CollectingLogger();
  const board = new TestBoard();
  const stop = new AbortController();
  const isReady = Promise.withResolvers<void>();
  const info = logger.info.bind(logger);
  logger.info = (message, fields) => {
    info(message, fields);
    if (message === 'the agent is ready') isReady.resolve();
  };
  let ids = 0;
  const socketPath = join(folder, 'agent.sock');
  const setup: RunAgentOptions = {
    ...{ folder, socketPath, clock, logger, version: 'test', lingerSeconds: 60, signal: stop.signal },
    drivers: () => board.driver,
    newId: () => `id-${++ids}`,
    ...changes,
  };
  let hasLeft = false;
  const left = runAgent(setup).then(() => {
    hasLeft = true;
  });
  t.after(async () => {
    stop.abort();
    await left;
    await rm(folder, { recursive: true, force: true });
  });
  await isReady.promise;
  const dial = async () => {
    const socket = connect(socketPath);
    const server = new TestServer(socket, new TestStore(), {
      boards: [{ name: 'pc1', machine: machineOf('pc1') }],
    });
    await server.message('boards');
    return server;
  };
  return { clock, board, stop, left, dial, setup, hasLeft: () => hasLeft };
}

test(
  'it leaves when no server came back for as long as it lingers, and not while one is there',
  options,
  async (t) => {
    const { clock, dial, left, hasLeft } = await runHere(t);
    clock.advance(59_000);
    const first = await dial();
    clock.advance(3_600_000);
    await first.settled();
    assert.equal(hasLeft(), false);
    await first.cut();
    const second = await dial();
    clock.advance(3_600_000);
    await second.settled();
    assert.equal(hasLeft(), false);
    await second.cut();
    while (clock.timerCount === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(59_999);
    assert.equal(clock.timerCount, 1);
    clock.advance(1);
    await left;
  },
);

test('it stays as long as a job lives, without a server', options, async (t) => {
  const { clock, board, dial, left, hasLeft } = await runHere(t);
  const server = await dial();
  server.send(start({ spec: { timeoutSeconds: -1 } }));
  await board.sees('started');
  await server.cut();
  clock.advance(3_000_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasLeft(), false);
  board.session.print('all is well');
  await board.sees('is off', 2);
  while (!hasLeft()) {
    clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await left;
});

test('one that was told to retire leaves when its last job was told, and not before', options, async (t) => {
  const { board, dial, left, hasLeft } = await runHere(t);
  const server = await dial();
  server.send(start());
  await board.sees('started');
  server.send({ type: 'retire' });
  await server.settled();
  assert.equal(hasLeft(), false);
  board.session.print('all is well');
  await server.ended(1);
  await server.settled();
  assert.equal(hasLeft(), false);
  server.send({ type: 'forget', job: 1 });
  await left;
});

test('one that was told to retire leaves with its server when nothing runs', options, async (t) => {
  const { dial, left } = await runHere(t);
  const server = await dial();
  server.send({ type: 'retire' });
  await left;
  await server.closed;
});

test('a server that comes after all keeps an agent that was to retire', options, async (t) => {
  const { board, dial, left, hasLeft } = await runHere(t);
  const first = await dial();
  first.send(start());
  await board.sees('started');
  first.send({ type: 'retire' });
  await first.settled();
  const second = await dial();
  board.session.print('all is well');
  await second.ended(1);
  second.send({ type: 'forget', job: 1 });
  await second.settled();
  assert.equal(hasLeft(), false);
  second.send({ type: 'retire' });
  await left;
});

test('a second agent on the folder does not start', options, async (t) => {
  const { setup } = await runHere(t);
  await assert.rejects(runAgent(setup), { code: 'FOLDER_LOCKED' });
});

test('one that is told to stop does, also when a board does not let go', options, async (t) => {
  const { clock, board, dial, stop, left } = await runHere(t);
  const server = await dial();
  server.send(start());
  await board.sees('started');
  board.stops = 'deaf';
  stop.abort(new Error('SIGTERM'));
  await board.sees('stop');
  clock.advance(30_000);
  await server.ended(1);
  clock.advance(120_000);
  await left;
  board.letGo();
});
