// One action a board at a time, under rising tokens; and what ends a job from outside, in each of its phases.
import assert from 'node:assert/strict';
import { mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };

async function storedToken(lab: TestLab): Promise<string | undefined> {
  const text = await readFile(join(lab.folder, 'tokens.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(text) as Record<string, string>).pc1;
}

test('a token is on the disk before the first action with it', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  lab.board().powerOffs = 'held';
  server.send(start({ token: '3.4' }));
  await lab.board().sees('power off');
  assert.equal(await storedToken(lab), '3.4');
});

test('with a token that can not be stored nothing is done to the board', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  // In the way of the new file.
  const obstacle = join(lab.folder, 'tokens.json.new');
  await mkdir(obstacle);
  server.send(start());
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'lab-fault');
  assert.match(result.detail, /can't note what it does/);
  server.send({ type: 'power-off', board: 'pc1', token: '1.2' });
  assert.equal((await server.message('powered-off')).ok, false);
  assert.deepEqual(lab.board().events, []);
  await rmdir(obstacle);
  server.send({ type: 'power-off', board: 'pc1', token: '1.2' });
  assert.equal((await server.message('powered-off', ({ ok }) => ok)).token, '1.2');
});

test('a lower token is refused, before and after a restart of the agent', options, async (t) => {
  const lab = await TestLab.open(t);
  const first = await lab.connect();
  first.send({ type: 'power-off', board: 'pc1', token: '2.5' });
  assert.equal((await first.message('powered-off')).ok, true);
  const checkRefused = async (server: typeof first) => {
    const before = lab.board().events.length;
    server.send(start({ token: '2.4' }));
    server.send({ type: 'power-off', board: 'pc1', token: '1.9' });
    const { result } = await server.ended(1);
    assert.equal(result.verdict, 'lab-fault');
    assert.match(result.detail, /has seen token 2\.5/);
    assert.equal((await server.message('powered-off', ({ token }) => token === '1.9')).ok, false);
    assert.deepEqual(
      server.all('refused').map(({ action, token }) => [action, token]),
      [
        ['start', '2.4'],
        ['power-off', '1.9'],
      ],
    );
    assert.equal(lab.board().events.length, before);
  };
  await checkRefused(first);
  await first.cut();
  await lab.startAgent();
  const second = await lab.connect();
  assert.equal((await second.message('hello')).highestToken, '2.5');
  await checkRefused(second);
});

test('a newer job ends the one that runs, and starts when nothing of it is left', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  lab.board().stops = 'held';
  server.send(start({ job: 2, token: '1.2' }));
  await lab.board().sees('stop');
  await server.settled();
  assert.equal(lab.board().events.at(-1), 'stop');
  lab.board().letGo();
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'cancelled');
  assert.match(result.detail, /newer token \(1\.2\)/);
  assert.equal(result.mayBeOn, true);
  await lab.board().sees('started', 2);
  assert.deepEqual(lab.board().events.slice(4), [
    ...['stop', 'ended'],
    // Of the newer one: the older does nothing with the power any more.
    ...['power off', 'is off', 'start', 'started'],
  ]);
});

test('a newer token aborts a power off in flight', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  lab.board().powerOffs = 'held';
  server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
  await lab.board().sees('power off');
  lab.board().powerOffs = 'works';
  server.send(start({ token: '1.2' }));
  await lab.board().sees('started');
  assert.equal((await server.message('powered-off')).ok, false);
  assert.deepEqual(lab.board().events.slice(0, 3), ['power off', 'is not off', 'power off']);
});

test(
  'a board that does not let go is not used by the newer action, and can be once it has',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    await lab.run(server);
    lab.board().stops = 'deaf';
    server.send(start({ job: 2, token: '1.2' }));
    await lab.board().sees('stop');
    lab.clock.advance(29_999);
    await server.settled();
    assert.equal(server.all('ended').length, 0);
    lab.clock.advance(1);
    const stuck = (await server.ended(1)).result;
    assert.match(stuck.detail, /did not stop within 30 s/);
    assert.equal(stuck.mayBeOn, true);
    const blocked = (await server.ended(2)).result;
    assert.equal(blocked.verdict, 'lab-fault');
    assert.match(blocked.detail, /has not ended within 30 s/);
    server.send({ type: 'power-off', board: 'pc1', token: '1.3' });
    await server.settled();
    lab.clock.advance(30_000);
    assert.equal((await server.message('powered-off')).ok, false);
    assert.equal(lab.board().events.at(-1), 'stop');
    lab.board().letGo();
    server.send({ type: 'power-off', board: 'pc1', token: '1.4' });
    assert.equal((await server.message('powered-off', ({ token }) => token === '1.4')).ok, true);
  },
);

test('a power off that takes too long is given up, and one that does not end is told', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  lab.board().powerOffs = 'held';
  server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
  await lab.board().sees('power off');
  lab.clock.advance(30_000);
  const slow = await server.message('powered-off');
  assert.equal(slow.ok, false);
  assert.match(slow.detail, /longer than 30 s/);
  lab.board().powerOffs = 'deaf';
  server.send({ type: 'power-off', board: 'pc1', token: '1.2' });
  await lab.board().sees('power off', 2);
  lab.clock.advance(45_000);
  const deaf = await server.message('powered-off', ({ token }) => token === '1.2');
  assert.match(deaf.detail, /can not be ended/);
  await expectBlocked(lab, server, '1.3');
});

test(
  'a power off that ends a job and does not end itself keeps the board from the next one',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    await lab.run(server);
    lab.board().powerOffs = 'deaf';
    lab.board().session.print('all is well');
    await lab.board().sees('power off', 2);
    lab.clock.advance(45_000);
    const { result } = await server.ended(1);
    assert.deepEqual([result.verdict, result.mayBeOn], ['completed', true]);
    await expectBlocked(lab, server, '1.2');
  },
);

/** Nothing more is done to the board, until what it is busy with has ended. */
async function expectBlocked(
  lab: TestLab,
  server: Awaited<ReturnType<TestLab['connect']>>,
  token: string,
): Promise<void> {
  const before = lab.board().events.length;
  server.send({ type: 'power-off', board: 'pc1', token });
  await server.settled();
  lab.clock.advance(30_000);
  const answer = await server.message('powered-off', (one) => one.token === token);
  assert.match(answer.detail, /has not ended within 30 s/);
  assert.equal(lab.board().events.length, before);
  lab.board().powerOffs = 'works';
  lab.board().letGo();
  server.send({ type: 'power-off', board: 'pc1', token });
  await server.message('powered-off', (one) => one.token === token && one.ok);
}

test('a power off that is asked for again joins the one in flight', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  lab.board().powerOffs = 'held';
  for (let count = 0; count < 3; count += 1) server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
  await lab.board().sees('power off');
  await server.settled();
  lab.board().letGo();
  await server.until(() => server.all('powered-off').length === 3);
  assert.deepEqual(lab.board().events, ['power off', 'is off']);
});

test(
  "a power off with the job's own token ends the job, and follows its own clean-up",
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    await lab.run(server);
    server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
    assert.equal((await server.message('powered-off')).ok, true);
    assert.equal((await server.ended(1)).result.verdict, 'cancelled');
  },
);

test('other boards are not held up by one that is stuck', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect({ names: ['pc1', 'pc2'] });
  lab.board('pc1').powerOffs = 'deaf';
  server.send(start());
  await lab.board('pc1').sees('power off');
  await lab.run(server, { job: 2, board: 'pc2' });
  lab.board('pc2').session.print('all is well');
  assert.equal((await server.ended(2)).result.verdict, 'completed');
});

test('a start that is repeated is one job, and what it is told is told again', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  server.send(start());
  await server.settled();
  assert.equal(server.all('started').length, 2);
  assert.equal(lab.board().sessions.length, 1);
  server.send(start({ token: '1.2' }));
  const { result } = await server.ended(1);
  assert.match(result.detail, /known with token 1\.1/);
  assert.equal(lab.board().sessions.length, 1);
});

test('a cancel that overtakes its start means that the job never starts', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  server.send({ type: 'cancel', job: 1, token: '1.1', why: 'ana said so' });
  server.send(start());
  await server.settled();
  assert.deepEqual(
    server.all('ended').map(({ result }) => result.verdict),
    ['cancelled', 'cancelled'],
  );
  assert.deepEqual(lab.board().events, []);
});

test('a board that the agent was not given is not driven', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  server.send(start({ board: 'pc9' }));
  assert.equal((await server.ended(1)).result.verdict, 'lab-fault');
  assert.deepEqual(lab.board('pc9').events, []);
});

describe('a cancel', () => {
  const cancel = { type: 'cancel', job: 1, token: '1.1', why: 'ana said so' } as const;
  const expectCancelled = async (server: Awaited<ReturnType<TestLab['connect']>>) => {
    const { result } = await server.ended(1);
    assert.equal(result.verdict, 'cancelled');
    assert.equal(result.detail, 'ana said so');
    return result;
  };

  test('while the board powers off waits for that, and starts nothing', options, async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    lab.board().powerOffs = 'held';
    server.send(start());
    await lab.board().sees('power off');
    server.send(cancel);
    await server.settled();
    assert.deepEqual(lab.board().events, ['power off']);
    lab.board().letGo();
    assert.equal((await expectCancelled(server)).mayBeOn, false);
    assert.deepEqual(lab.board().events, ['power off', 'is off']);
  });

  test('while files are on their way starts nothing', options, async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect({ holdsImages: true });
    server.send(start({ spec: { files: [lab.store.addImage('k', Buffer.from('code'))] } }));
    await server.message('need-image');
    server.send(cancel);
    await expectCancelled(server);
    assert.ok(!lab.board().events.includes('start'));
  });

  test('while the board starts ends what was started', options, async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    lab.board().starts = 'held';
    server.send(start());
    await lab.board().sees('start');
    server.send(cancel);
    assert.equal((await expectCancelled(server)).mayBeOn, false);
    assert.deepEqual(lab.board().events.slice(2), ['start', 'started', 'ended', 'power off', 'is off']);
  });

  test('while the job runs powers off, and its console is kept', options, async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    await lab.run(server);
    lab.board().session.print('half way');
    server.send(cancel);
    assert.equal((await expectCancelled(server)).consoleLength, 8);
    assert.equal(lab.store.console(1), 'half way');
  });

  test('while the job waits for its board does not touch the board', options, async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    lab.board().powerOffs = 'deaf';
    server.send({ type: 'power-off', board: 'pc1', token: '1.0' });
    await lab.board().sees('power off');
    server.send(start());
    server.send(cancel);
    assert.equal((await expectCancelled(server)).mayBeOn, true);
    lab.board().letGo();
    await server.message('powered-off');
    assert.deepEqual(lab.board().events, ['power off', 'is off']);
  });

  test('after the verdict changes nothing', options, async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    await lab.run(server);
    lab.board().stops = 'held';
    lab.board().session.print('all is well');
    await lab.board().sees('stop');
    server.send(cancel);
    await server.settled();
    lab.board().letGo();
    assert.equal((await server.ended(1)).result.verdict, 'completed');
  });

  test('with the wrong token leaves the job alone', options, async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    await lab.run(server);
    server.send({ ...cancel, token: '1.0' });
    await server.settled();
    assert.equal(lab.board().session.hasEnded, false);
  });
});
