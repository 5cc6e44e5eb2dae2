// A holder switches the board: by itself, beside a job, against what is newer; and consoles without a job.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestLab as Lab, start } from './lab.ts';
import type { TestServer } from './test-server.ts';

const options = { timeout: 20_000 };

type Order = Parameters<TestServer['send']>[0] & { type: 'power' };

let requests = 0;

function order(action: Order['action'], more: Partial<Order> = {}): Order {
  requests += 1;
  return {
    type: 'power',
    board: 'pc1',
    token: '1.1',
    request: `request-${requests}`,
    action,
    again: false,
    ...more,
  };
}

function answerTo(server: TestServer, { request }: Order) {
  return server.message('power-done', (one) => one.request === request);
}

/** Sends it and waits for what came of it. */
async function ask(server: TestServer, sent: Order) {
  server.send(sent);
  return answerTo(server, sent);
}

async function openLab(t: Parameters<typeof Lab.open>[0]): Promise<{ lab: Lab; server: TestServer }> {
  const lab = await Lab.make(t);
  lab.board().isOfParts = true;
  await lab.startAgent();
  return { lab, server: await lab.connect() };
}

const console = (more: Parameters<typeof start>[0] = {}) =>
  start({ spec: { kind: 'console', endText: '', errorText: '', timeoutSeconds: -1, keepOn: true }, ...more });

describe('a board of parts', () => {
  test('is switched on and off, and says which it is', options, async (t) => {
    const { lab, server } = await openLab(t);
    assert.equal((await ask(server, order('on'))).outcome, 'done');
    assert.deepEqual([lab.board().isOn, (await ask(server, order('status'))).power], [true, 'on']);
    assert.equal((await ask(server, order('off'))).outcome, 'done');
    assert.deepEqual([lab.board().isOn, (await ask(server, order('status'))).power], [false, 'off']);
  });

  test('is told with what it can do', options, async (t) => {
    const { server } = await openLab(t);
    const { abilities } = await server.message('boards');
    assert.deepEqual(abilities, [{ board: 'pc1', can: ['power-on', 'power-status', 'console'] }]);
  });

  test('stays off for a moment when it is cycled', options, async (t) => {
    const { lab, server } = await openLab(t);
    const sent = order('cycle');
    server.send(sent);
    await lab.board().sees('is off');
    await server.settled();
    assert.equal(lab.board().events.at(-1), 'is off');
    lab.clock.advance(2_000);
    assert.equal((await answerTo(server, sent)).outcome, 'done');
    assert.deepEqual(lab.board().events, ['power off', 'is off', 'power on', 'is on']);
  });

  test('that does not answer is told', options, async (t) => {
    const { lab, server } = await openLab(t);
    lab.board().powerOffs = 'fails';
    const answer = await ask(server, order('on'));
    assert.deepEqual([answer.outcome, answer.detail], ['failed', 'the outlet does not answer']);
  });

  test('whose switch takes too long is given up', options, async (t) => {
    const { lab, server } = await openLab(t);
    lab.board().powerOffs = 'held';
    const sent = order('on');
    server.send(sent);
    await lab.board().sees('power on');
    lab.clock.advance(30_000);
    const answer = await answerTo(server, sent);
    assert.equal(answer.outcome, 'failed');
    assert.match(answer.detail, /took longer than 30 s/);
  });
});

test('a board that is one with its job is not switched on, and off it is', options, async (t) => {
  const lab = await Lab.open(t);
  const server = await lab.connect();
  assert.deepEqual((await server.message('boards')).abilities, []);
  for (const action of ['on', 'cycle'] as const) {
    const answer = await ask(server, order(action));
    assert.deepEqual([answer.outcome, answer.detail], ['refused', 'this board is switched on only by a job']);
  }
  assert.deepEqual(lab.board().events, []);
  assert.equal((await ask(server, order('off'))).outcome, 'done');
});

test('its job is not cut off from under it either', options, async (t) => {
  const lab = await Lab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  const answer = await ask(server, order('off'));
  assert.equal(answer.outcome, 'refused');
  assert.match(answer.detail, /job 1 runs on it: mq cancel 1/);
  assert.equal(lab.board().events.at(-1), 'started');
});

describe('fencing', () => {
  test('a lower token is refused', options, async (t) => {
    const { lab, server } = await openLab(t);
    await ask(server, order('on', { token: '2.5' }));
    assert.equal((await ask(server, order('off', { token: '2.4' }))).outcome, 'refused');
    assert.equal(lab.board().isOn, true);
  });

  test('a newer job ends a switch, and starts when that has let go', options, async (t) => {
    const { lab, server } = await openLab(t);
    lab.board().powerOffs = 'deaf';
    const sent = order('on');
    server.send(sent);
    await lab.board().sees('power on');
    server.send(start({ token: '1.2' }));
    await server.settled();
    assert.deepEqual(lab.board().events, ['power on']);
    lab.board().powerOffs = 'works';
    lab.board().letGo();
    await lab.board().sees('started');
    assert.deepEqual(lab.board().events.slice(0, 3), ['power on', 'is on', 'power off']);
  });

  test('the power off at the end of the lock ends it too, with an equal token', options, async (t) => {
    const { lab, server } = await openLab(t);
    lab.board().powerOffs = 'held';
    const sent = order('on');
    server.send(sent);
    await lab.board().sees('power on');
    lab.board().powerOffs = 'works';
    server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
    assert.equal((await server.message('powered-off')).ok, true);
    assert.equal((await answerTo(server, sent)).outcome, 'failed');
    assert.deepEqual(lab.board().events, ['power on', 'given up', 'power off', 'is off']);
  });

  test('a second switch does not overlap the first', options, async (t) => {
    const { lab, server } = await openLab(t);
    lab.board().powerOffs = 'held';
    const first = order('on');
    server.send(first);
    await lab.board().sees('power on');
    const second = await ask(server, order('off'));
    assert.deepEqual([second.outcome, second.detail], ['refused', 'its power is being switched already']);
    lab.board().letGo();
    assert.equal((await answerTo(server, first)).outcome, 'done');
  });
});

describe('asked again', () => {
  test('after a lost connection, it is told what became of it and does nothing twice', options, async (t) => {
    const { lab, server } = await openLab(t);
    lab.board().powerOffs = 'held';
    const sent = order('on');
    server.send(sent);
    await lab.board().sees('power on');
    await server.cut();
    const second = await lab.connect();
    second.send({ ...sent, again: true });
    lab.board().letGo();
    assert.equal((await answerTo(second, sent)).outcome, 'done');
    await second.cut();
    const third = await lab.connect();
    assert.equal((await ask(third, { ...sent, again: true })).outcome, 'done');
    assert.equal(lab.board().events.filter((event) => event === 'power on').length, 1);
  });

  test('an agent that never heard of it does not begin it', options, async (t) => {
    const { lab, server } = await openLab(t);
    assert.equal((await ask(server, order('cycle', { again: true }))).outcome, 'unknown');
    assert.deepEqual(lab.board().events, []);
  });
});

describe('beside a job with the same token', () => {
  test('a board is cycled, and the job goes on', options, async (t) => {
    const { lab, server } = await openLab(t);
    await lab.run(server);
    const sent = order('cycle');
    server.send(sent);
    await lab.board().sees('is off', 2);
    await server.settled();
    lab.clock.advance(2_000);
    assert.equal((await answerTo(server, sent)).outcome, 'done');
    assert.equal(lab.board().session.hasEnded, false);
    lab.board().session.print('all is well');
    assert.equal((await server.ended(1)).result.verdict, 'completed');
  });

  test('not while the job is being started or ended', options, async (t) => {
    const { lab, server } = await openLab(t);
    lab.board().starts = 'held';
    server.send(start());
    await lab.board().sees('start');
    assert.match((await ask(server, order('off'))).detail, /job 1 is being started/);
    lab.board().letGo();
    await lab.board().sees('started');
    lab.board().stops = 'held';
    server.send({ type: 'cancel', job: 1, token: '1.1', why: 'enough' });
    await lab.board().sees('stop');
    assert.match((await ask(server, order('off'))).detail, /job 1 is ending/);
    lab.board().letGo();
    assert.equal((await server.ended(1)).result.mayBeOn, false);
  });

  test('a job that ends gives up the switch before it powers off', options, async (t) => {
    const { lab, server } = await openLab(t);
    await lab.run(server);
    lab.board().powerOffs = 'held';
    const sent = order('on');
    server.send(sent);
    await lab.board().sees('power on');
    lab.board().powerOffs = 'works';
    server.send({ type: 'cancel', job: 1, token: '1.1', why: 'enough' });
    assert.equal((await server.ended(1)).result.mayBeOn, false);
    const last = lab.board().events.slice(lab.board().events.lastIndexOf('power on'));
    assert.deepEqual(
      last.filter((event) => event !== 'stop' && event !== 'ended'),
      ['power on', 'given up', 'power off', 'is off'],
    );
    assert.equal((await answerTo(server, sent)).outcome, 'failed');
  });

  test('when it has ended, the board is free for it', options, async (t) => {
    const { lab, server } = await openLab(t);
    await lab.run(server, { leaveOn: true });
    lab.board().session.print('all is well');
    await server.ended(1);
    const sent = order('off');
    assert.equal((await ask(server, sent)).outcome, 'done');
    assert.equal(lab.board().isOn, false);
  });
});

describe('a console without a job', () => {
  test('is followed and written to, and nothing is done to the power', options, async (t) => {
    const { lab, server } = await openLab(t);
    server.send(console());
    await lab.board().sees('started');
    lab.board().session.print('login: ');
    server.send({ type: 'write', job: 1, token: '1.1', bytes: Buffer.from('root\n').toString('base64') });
    await server.until(() => server.store.console(1) === 'login: ');
    await server.settled();
    assert.deepEqual(lab.board().session.written, ['root\n']);
    server.send({ type: 'finish', job: 1, token: '1.1' });
    assert.equal((await server.ended(1)).result.verdict, 'completed');
    assert.deepEqual(lab.board().events, ['console', 'started', 'stop', 'ended']);
  });

  test('lets the board be cycled meanwhile', options, async (t) => {
    const { lab, server } = await openLab(t);
    server.send(console());
    await lab.board().sees('started');
    const sent = order('cycle');
    server.send(sent);
    await lab.board().sees('is off');
    await server.settled();
    lab.clock.advance(2_000);
    assert.equal((await answerTo(server, sent)).outcome, 'done');
    lab.board().session.print('boot');
    await server.until(() => server.store.console(1) === 'boot');
  });

  test('has no time limit, and is a lab fault where it can not be had', options, async (t) => {
    const { lab, server } = await openLab(t);
    server.send(console({ jobMaxSeconds: 60 }));
    await lab.board().sees('started');
    lab.clock.advance(3_600_000);
    await server.settled();
    assert.equal(server.all('ended').length, 0);
    server.send({ type: 'cancel', job: 1, token: '1.1', why: 'enough' });
    assert.equal((await server.ended(1)).result.verdict, 'cancelled');
    lab.board().starts = 'fails';
    server.send(console({ job: 2, token: '1.2' }));
    assert.equal((await server.ended(2)).result.verdict, 'lab-fault');
  });

  test('ends for a newer token', options, async (t) => {
    const { lab, server } = await openLab(t);
    server.send(console());
    await lab.board().sees('started');
    server.send({ type: 'power-off', board: 'pc1', token: '1.2' });
    assert.equal((await server.message('powered-off')).ok, true);
    assert.equal((await server.ended(1)).result.verdict, 'cancelled');
  });
});
