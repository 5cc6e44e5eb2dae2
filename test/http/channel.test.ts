// The channel over its real socket: operations, uploads, and clients that send what nobody should.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { test } from 'node:test';
import { encodeData, encodeJson } from '../../src/platform/frames.ts';
import { newId } from '../server/lab.ts';
import { RawChannel, startHttp, upgradeHead } from './http-lab.ts';

const timeout = 30_000;

test('requests right behind the upgrade are answered, each under its id', { timeout }, async (t) => {
  const { path } = await startHttp(t);
  const channel = new RawChannel(path);
  const [hello, submitted] = await Promise.all([
    channel.call('hello', {}),
    channel.call('submit', { requestId: newId(), target: 'a', kind: 'lock', key: '0' }),
  ]);
  assert.equal((hello.body as { lab: string }).lab, 'Test lab');
  assert.equal((submitted.body as { view: { state: string } }).view.state, 'offered');
  channel.socket.destroy();
});

test('a request that is sent again on another channel gets the answer of the first', {
  timeout,
}, async (t) => {
  const { path } = await startHttp(t);
  const body = { requestId: newId(), target: 'a', kind: 'lock', key: '0' };
  const first = new RawChannel(path);
  const { body: answer } = await first.call('submit', body);
  first.socket.destroy();
  const second = new RawChannel(path);
  assert.deepEqual((await second.call('submit', body, { again: true })).body, answer);
  const reused = await second.call('submit', { ...body, target: 'b' }, { again: true });
  assert.equal(reused.error.code, 'REQUEST_ID_REUSED');
  second.socket.destroy();
});

test('nothing behind a message that ends the channel is begun: no upload stays open that nobody could end', {
  timeout,
}, async (t) => {
  const { path, lab } = await startHttp(t);
  const channel = new RawChannel(path);
  await channel.call('hello', {});
  const upload = { hash: 'a'.repeat(64), size: 10, stream: 1 };
  const submit = { requestId: newId(), target: 'a', kind: 'lock', key: '0' };
  channel.socket.write(
    Buffer.concat([
      encodeJson({ id: 'no number' }),
      encodeJson({ id: 1, op: 'put-image', body: upload }),
      encodeJson({ id: 2, op: 'submit', body: submit }),
    ]),
  );
  await channel.closed;
  assert.equal(lab.images.diskBytes, 0);
  assert.equal(await lab.core.read((state) => state.tickets.size), 0);
});

test('unknown and inherited operations, and bodies that do not fit, are refused and change nothing', {
  timeout,
}, async (t) => {
  const { path, lab } = await startHttp(t);
  const channel = new RawChannel(path);
  for (const op of ['nothing', '__proto__', 'constructor', 'toString', '']) {
    assert.equal((await channel.call(op, {})).error.code, 'BAD_REQUEST', op);
  }
  const good = { requestId: newId(), target: 'a', kind: 'lock', key: '0' };
  const bad = [
    null,
    [],
    'x',
    { ...good, key: 5 },
    { ...good, surprise: 1 },
    JSON.parse('{"__proto__":{"key":"0"}}'),
  ];
  for (const body of bad) assert.equal((await channel.call('submit', body)).error.code, 'BAD_REQUEST');
  const placed = await channel.call('submit', {
    ...good,
    kind: 'run',
    job: { kind: 'image', files: [{ name: '' }] },
  });
  assert.match(placed.error.message, /job/);
  assert.equal(await lab.core.read((state) => state.tickets.size), 0);
  channel.socket.destroy();
});

test('uploads: two at once, a wrong sum, a hole, too many bytes, and one that breaks off', {
  timeout,
}, async (t) => {
  const { path, lab } = await startHttp(t);
  const channel = new RawChannel(path);
  const images = ['first image', 'second one'].map((text) => Buffer.from(text));
  const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const answers = images.map((bytes, at) =>
    channel.call('put-image', { hash: sum(bytes), size: bytes.length, stream: at + 1 }),
  );
  for (let at = 0; at < 12; at += 4) {
    for (const [index, bytes] of images.entries()) channel.data(index + 1, at, bytes.subarray(at, at + 4));
  }
  for (const answer of await Promise.all(answers)) assert.ok(answer.ok, JSON.stringify(answer));
  assert.deepEqual(await lab.images.missing(images.map(sum)), []);
  const wanted = Buffer.from('third image');
  const start = (stream: number) =>
    channel.call('put-image', { hash: sum(wanted), size: wanted.length, stream });
  const wrong = start(3);
  channel.data(3, 0, Buffer.alloc(wanted.length));
  assert.equal((await wrong).error.code, 'IMAGE_MISMATCH');
  const hole = start(4);
  channel.data(4, 3, wanted.subarray(3));
  assert.equal((await hole).error.code, 'IMAGE_MISMATCH');
  const long = start(5);
  channel.data(5, 0, Buffer.concat([wanted, wanted]));
  assert.equal((await long).error.code, 'IMAGE_MISMATCH');
  assert.equal(
    (await channel.call('put-image', { hash: sum(wanted), size: 100_001, stream: 6 })).error.code,
    'TOO_LARGE',
  );
  channel.data(99, 0, wanted);
  void start(7).catch(() => {});
  channel.data(7, 0, wanted.subarray(0, 3));
  channel.socket.destroy();
  const next = new RawChannel(path);
  assert.deepEqual((await next.call('images', { hashes: [sum(wanted)] })).body, { missing: [sum(wanted)] });
  next.socket.destroy();
});

test('a client that does not read is cut once too much waits for it', { timeout }, async (t) => {
  const { path, lab } = await startHttp(t);
  const channel = new RawChannel(path);
  await channel.call('hello', {});
  channel.socket.pause();
  const [session] = [...lab.sessions.all()];
  assert.ok(session);
  const reason = 'x'.repeat(1024 * 1024);
  for (let sent = 0; sent < 80 && !session.closed.signal.aborted; sent += 1)
    session.port.send({ event: 'bye', reason });
  assert.ok(session.closed.signal.aborted);
  assert.equal(lab.sessions.size, 0);
});

test('an upgrade to something else, or elsewhere, is refused', { timeout }, async (t) => {
  const { path, ask } = await startHttp(t);
  for (const head of [
    upgradeHead.replace('mq-channel', 'websocket'),
    upgradeHead.replace('channel HTTP', 'other HTTP'),
  ]) {
    const socket = connect(path);
    socket.write(head);
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (chunk) => resolve(String(chunk))),
    );
    assert.match(answer, /^HTTP\/1\.1 404/);
    socket.destroy();
  }
  assert.equal((await ask('GET', '/v1/hello')).status, 200);
});

/** A small generator of its own, so that a failure can be repeated by its seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const values = [null, true, -1, 1e308, '', 'a', [], {}, { a: [[]] }, '__proto__', { requestId: 'x' }, 'p'];
const names =
  'submit confirm attach release console write put-image jobs await-free cancel __proto__ finish'.split(' ');
const fields = 'requestId target ticket token key kind job hash size stream from seconds board id'.split(' ');

/** One frame that nobody should send: noise, a promise of 4 GB, stray bytes, odd JSON, an odd request. */
function hostileFrame(random: (below: number) => number): Buffer {
  const kind = random(20);
  if (kind === 0) return Buffer.from(Array.from({ length: random(60) }, () => random(256)));
  if (kind === 1) return Buffer.from([0xff, 0xff, 0xff, 0xff, 0]);
  if (kind < 5) {
    const bytes = Buffer.alloc(random(100));
    return Buffer.concat(encodeData({ streamId: random(4), offset: random(1_000), atMs: 0, bytes }));
  }
  if (kind < 7) return encodeJson(values[random(values.length)]);
  const some = fields.filter(() => random(3) === 0);
  const body = Object.fromEntries(some.map((field) => [field, values[random(values.length)]]));
  return encodeJson({ id: 100 + random(1_000), op: names[random(names.length)], body });
}

test('hostile frames end or refuse their own channel only: no crash, no inside error, others are served', {
  timeout: 60_000,
}, async (t) => {
  const { path, lab, logger } = await startHttp(t);
  const good = new RawChannel(path);
  await good.call('hello', {});
  const seed = 20_261_124;
  const random = randomOf(seed);
  for (let round = 0; round < 60; round += 1) {
    const channel = new RawChannel(path);
    await channel.call('hello', {});
    for (let frame = 0; frame < 20; frame += 1) channel.socket.write(hostileFrame(random));
    channel.socket.end();
    await channel.closed;
    assert.ok((await good.call('hello', {})).ok);
    const inside = channel.frames.filter((one) => JSON.stringify(one).includes('INTERNAL'));
    assert.deepEqual(inside, [], `seed ${seed}, round ${round}`);
  }
  const errors = logger.lines.filter((line) => line.level === 'error');
  assert.deepEqual(errors, []);
  assert.equal(lab.sessions.size, 1);
  good.socket.destroy();
});

test('what a user may do follows the configuration, also on a channel that is open', {
  timeout,
}, async (t) => {
  const { path, lab } = await startHttp(t);
  const channel = new RawChannel(path);
  const hello = async () => (await channel.call('hello', {})).body as { user: string; admin: boolean };
  const { user } = await hello();
  const asked: string[] = [];
  lab.callerOf = (peer) => {
    asked.push(peer.user);
    return { user: peer.user, admin: asked.length === 2 };
  };
  assert.equal((await hello()).admin, false);
  assert.equal((await hello()).admin, true);
  assert.equal((await hello()).admin, false);
  assert.deepEqual(new Set(asked), new Set([user]));
  channel.socket.destroy();
});
