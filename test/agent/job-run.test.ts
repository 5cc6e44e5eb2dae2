// One job at an agent, from its start to its verdict.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };

test('a job powers off, loads, runs to its end text, and powers off again', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  const image = lab.store.addImage('kernel.elf', Buffer.from('machine code'));
  await lab.run(server, { spec: { files: [image] } });
  const board = lab.board();
  assert.deepEqual(board.events, ['power off', 'is off', 'start', 'started']);
  assert.equal(board.session.job.files[0]?.name, 'kernel.elf');
  board.session.print('booting\nall is well\n');
  const { result, token } = await server.ended(1);
  assert.deepEqual(result, {
    verdict: 'completed',
    detail: '',
    mayBeOn: false,
    consoleLength: 20,
    matchEnd: 19,
  });
  assert.equal(token, '1.1');
  assert.equal(lab.store.console(1), 'booting\nall is well\n');
  assert.deepEqual(board.events.slice(4), ['stop', 'ended', 'power off', 'is off']);
  assert.deepEqual(server.order.slice(2), ['need-image', 'started', '1@0', 'completed', '1@19', 'ended']);
});

test('an error text ends the job with that verdict', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  lab.board().session.print('kernel pan');
  lab.board().session.print('ic: all is well');
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'error-text');
  assert.equal(result.matchEnd, 12);
});

test('of an end and an error text that end at the same byte the error text wins', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server, { spec: { endText: 'done', errorText: 'not done' } });
  lab.board().session.print('it is not done');
  assert.equal((await server.ended(1)).result.verdict, 'error-text');
});

test('a job ends at its time limit, counted from power on', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  lab.board().powerOffs = 'held';
  server.send(start({ spec: { timeoutSeconds: 5 } }));
  await lab.board().sees('power off');
  lab.clock.advance(20_000);
  lab.board().powerOffs = 'works';
  lab.board().letGo();
  await lab.board().sees('started');
  lab.clock.advance(4_999);
  await server.settled();
  assert.ok(!lab.board().events.includes('stop'));
  lab.clock.advance(1);
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'timed-out');
  assert.match(result.detail, /no end text within 5 s/);
  assert.equal(result.mayBeOn, false);
});

test("the lab's policy counts from power on too", options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  lab.board().powerOffs = 'held';
  server.send(start({ jobMaxSeconds: 10, spec: { timeoutSeconds: -1 } }));
  await lab.board().sees('power off');
  lab.clock.advance(9_000);
  lab.board().powerOffs = 'works';
  lab.board().letGo();
  await lab.board().sees('started');
  lab.clock.advance(9_999);
  await server.settled();
  assert.ok(!lab.board().events.includes('stop'));
  lab.clock.advance(1);
  assert.equal((await server.ended(1)).result.verdict, 'timed-out');
});

test("the lab's policy ends a job without a limit, and says that it was the lab", options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server, { jobMaxSeconds: 100, spec: { timeoutSeconds: -1 } });
  lab.clock.advance(100_000);
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'timed-out');
  assert.match(result.detail, /policy.*100 s.*job_max/);
});

test(
  "a board that stops by itself ends the job as the image's fault, after its last bytes were looked at",
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect({ names: ['pc1', 'pc2'] });
    await lab.run(server);
    lab.board().session.print('halting');
    lab.board().session.end({ kind: 'crashed', message: 'triple fault' });
    const first = (await server.ended(1)).result;
    assert.equal(first.verdict, 'error-text');
    assert.match(first.detail, /triple fault/);
    assert.equal(first.exitCode, undefined);
    await lab.run(server, { job: 2, board: 'pc2', spec: { endText: 'bye$' } });
    lab.board('pc2').session.print('bye');
    lab.board('pc2').session.end({ kind: 'exited', code: 0 });
    const second = (await server.ended(2)).result;
    assert.equal(second.verdict, 'completed');
    assert.equal(second.matchEnd, 3);
  },
);

test('an image that can not be booted, and a fault of the lab, are told apart', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  lab.board().session.end({ kind: 'boot-failed', message: 'not a multiboot image' });
  assert.equal((await server.ended(1)).result.verdict, 'boot-failed');
  await lab.run(server, { job: 2, token: '1.2' });
  lab.board().session.end({ kind: 'fault', message: 'the thread died' });
  assert.equal((await server.ended(2)).result.verdict, 'lab-fault');
  lab.board().starts = 'fails';
  server.send(start({ job: 3, token: '1.3' }));
  const { result } = await server.ended(3);
  assert.equal(result.verdict, 'lab-fault');
  assert.match(result.detail, /loader is missing/);
});

test(
  'a power off that fails beforehand starts nothing; one that fails afterwards leaves the verdict',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    lab.board().powerOffs = 'fails';
    server.send(start());
    const before = (await server.ended(1)).result;
    assert.equal(before.verdict, 'lab-fault');
    assert.match(before.detail, /outlet/);
    assert.equal(before.mayBeOn, true);
    assert.deepEqual(lab.board().events, ['power off', 'is off']);
    lab.board().powerOffs = 'works';
    await lab.run(server, { job: 2, token: '1.2' });
    lab.board().powerOffs = 'fails';
    lab.board().session.print('all is well');
    const after = (await server.ended(2)).result;
    assert.equal(after.verdict, 'completed');
    assert.equal(after.mayBeOn, true);
    assert.match(after.detail, /outlet/);
  },
);

test('console input reaches the board in order, also what came while it was started', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  lab.board().starts = 'held';
  server.send(start());
  const write = (text: string, token = '1.1') =>
    server.send({ type: 'write', job: 1, token, bytes: Buffer.from(text).toString('base64') });
  await lab.board().sees('start');
  write('one ');
  write('from somebody else ', '1.0');
  await server.settled();
  lab.board().letGo();
  await lab.board().sees('started');
  write('two ');
  write('three');
  await server.settled();
  assert.equal(lab.board().session.written.join(''), 'one two three');
});

test('a program that watches is called once, and its exit code is the verdict', options, async (t) => {
  const lab = await TestLab.open(t);
  lab.board().watches = true;
  const server = await lab.connect();
  await lab.run(server);
  assert.deepEqual(lab.board().events, ['start', 'started']);
  lab.board().session.print('panic, and all is well');
  await server.settled();
  assert.ok(!lab.board().events.includes('stop'));
  lab.board().session.end({ kind: 'exited', code: 3 });
  const failed = (await server.ended(1)).result;
  assert.equal(failed.verdict, 'error-text');
  assert.equal(failed.exitCode, 3);
  await lab.run(server, { job: 2, token: '1.2' });
  lab.board().session.end({ kind: 'exited', code: 0 });
  assert.equal((await server.ended(2)).result.verdict, 'completed');
});

test(
  'a program that watches gets half a minute beyond its limit before it is taken to hang',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    lab.board().watches = true;
    const server = await lab.connect();
    await lab.run(server, { spec: { timeoutSeconds: 10 } });
    lab.clock.advance(39_999);
    await server.settled();
    assert.ok(!lab.board().events.includes('stop'));
    lab.clock.advance(1);
    assert.equal((await server.ended(1)).result.verdict, 'timed-out');
  },
);

test(
  'a reservation loads nothing, has no limit, and powers off when its client is done',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    server.send(start({ jobMaxSeconds: 10, spec: { kind: 'reserve' } }));
    await server.message('started');
    lab.clock.advance(1_000_000);
    await server.settled();
    assert.deepEqual(lab.board().events, []);
    server.send({ type: 'finish', job: 1, token: '1.1' });
    const { result } = await server.ended(1);
    assert.equal(result.verdict, 'completed');
    assert.equal(result.mayBeOn, false);
    assert.deepEqual(lab.board().events, ['power off', 'is off']);
  },
);
