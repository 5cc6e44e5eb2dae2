// Every limit of a lab at its edge: what reaches it passes, one more is refused with a text that names it, and the
// refusal leaves no trace. A limit that is not in this table does not compile, and fails the last test.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MqError } from '../../src/protocol/errors.ts';
import { defaultLimits, type Limits } from '../../src/protocol/lab.ts';
import { type HttpLab, RawChannel, startHttp } from '../http/http-lab.ts';
import { labConfig, newId, TestClient } from '../server/lab.ts';

const timeout = 60_000;

const blockBytes = 4096;

const edges: { readonly [Name in keyof Limits]: (t: TestContext) => Promise<void> } = {
  async ticketsPerUser(t) {
    const { ana, bob, tickets } = await busyLab(t, { ticketsPerUser: 2 });
    await ana.lock('a');
    await ana.lock('p');
    const before = await tickets();
    await refused(ana.lock('b'), 'ticketsPerUser', 2, /^You have 2 tickets already/);
    assert.deepEqual(await tickets(), before);
    await bob.lock('b');
  },
  async queueLength(t) {
    const { ana, bob, tickets } = await busyLab(t, { queueLength: 2 });
    await ana.lock('a');
    await bob.lock('a');
    const before = await tickets();
    await refused(ana.lock('a', { key: '2' }), 'queueLength', 2, /^2 tickets wait for this target/);
    assert.deepEqual(await tickets(), before);
    await ana.lock('b');
  },
  async adHocQueuesPerBoard(t) {
    const { ana, tickets } = await busyLab(t, { adHocQueuesPerBoard: 1 });
    await ana.lock('a,c');
    await ana.lock('c,a', { key: '2' });
    const before = await tickets();
    await refused(ana.lock('b,c'), 'adHocQueuesPerBoard', 1, /^Too many different sets .* \(limit 1\)/);
    assert.deepEqual(await tickets(), before);
    await ana.call('cancel', { requestId: newId(), mine: true });
    await ana.lock('b,c');
  },
  async boardsPerTicket(t) {
    const { ana, tickets } = await busyLab(t, { boardsPerTicket: 1 });
    await ana.lock('p', { count: 1 });
    const before = await tickets();
    await refused(
      ana.lock('p', { count: 2, key: '2' }),
      'boardsPerTicket',
      1,
      /^One ticket may ask for 1 boards/,
    );
    assert.deepEqual(await tickets(), before);
  },
  async waitSecondsMax(t) {
    const { ana, tickets } = await busyLab(t, { waitSecondsMax: 60 });
    const { view } = await ana.lock('a', { waitSeconds: 60 });
    assert.equal(view.state, 'waiting');
    const before = await tickets();
    const late = ana.lock('a', { waitSeconds: 60.5, key: '2' });
    await refused(
      late,
      'waitSecondsMax',
      60,
      /^A ticket waits for 60 seconds at most in this lab, not 60\.5/,
    );
    assert.deepEqual(await tickets(), before);
    const endless = await ana.lock('a', { key: '3' });
    assert.ok(
      endless.view.state === 'waiting' && endless.view.deadlineAt,
      'one that names no end has the lab\u2019s',
    );
  },
  async imageBytesMax(t) {
    const lab = await start(t, { imageBytesMax: 100 });
    assert.equal((await put(lab, image(100, 1))).status, 204);
    const reply = await put(lab, image(101, 2));
    assert.equal(reply.status, 413);
    const { code, message } = reply.json as { code: string; message: string };
    assert.equal(code, 'TOO_LARGE');
    assert.equal(message, 'The image has 101 bytes; this lab takes 100 at most.');
    assert.equal(imagesOf(lab).length, 1);
  },
  async imagesBytesMax(t) {
    const lab = await start(t, { imagesBytesMax: 2 * blockBytes });
    for (const seed of [1, 2]) assert.equal((await put(lab, image(1, seed))).status, 204);
    const reply = await put(lab, image(1, 3));
    checkRefusal(reply.json, 'imagesBytesMax', 2 * blockBytes, /take all the room there is/);
    assert.equal(reply.status, 429);
    assert.equal(imagesOf(lab).length, 2);
    assert.equal(lab.lab.images.diskBytes, 2 * blockBytes);
  },
  async uploads(t) {
    const lab = await start(t, { uploads: 1 });
    const first = await lab.lab.images.upload({ hash: hashOf(image(1, 1)), size: 1 });
    const reply = await put(lab, image(1, 2));
    checkRefusal(reply.json, 'uploads', 1, /takes 1 uploads at once/);
    assert.equal(imagesOf(lab).length, 1, 'the one on its way');
    await first.abort();
    assert.equal((await put(lab, image(1, 2))).status, 204);
    const broken = await lab.ask('PUT', `/v1/images/${hashOf(image(1, 3))}`, image(1, 4));
    assert.equal(broken.status, 422);
    assert.equal((await put(lab, image(1, 3))).status, 204, 'one that failed is over');
  },
  async logBytesMax(t) {
    const bytes = 64 * 1024;
    const lab = await start(t, { logBytesMax: bytes });
    const client = new TestClient(lab.lab, 'ana');
    const console = async (text: string) => {
      const job = await client.run('a');
      await lab.agent.until(() => lab.agent.jobs.has(job));
      lab.agent.say(job, text);
      lab.agent.end(job);
      await lab.agent.until(() => lab.agent.forgotten.includes(job));
      return (await lab.ask('GET', `/v1/jobs/${job}/console`)).body;
    };
    assert.equal((await console('x'.repeat(bytes))).length, bytes);
    const cut = await console(`head${'x'.repeat(2 * bytes)}tail`);
    // Whole files go: a quarter of the limit more at most.
    assert.ok(cut.length >= bytes && cut.length <= bytes * 1.25, `${cut.length} bytes kept`);
    assert.deepEqual([cut.subarray(0, 4).toString(), cut.subarray(-4).toString()], ['head', 'tail']);
  },
  async jobSecondsMax(t) {
    // The agent ends the job then: test/agent.
    const lab = await start(t, { jobSecondsMax: 77 });
    const job = await new TestClient(lab.lab, 'ana').run('a');
    await lab.agent.until(() => lab.agent.jobs.has(job));
    assert.deepEqual(
      lab.agent.heardOf('start').map(({ jobMaxSeconds }) => jobMaxSeconds),
      [77],
    );
  },
  async openStreams(t) {
    const lab = await start(t, { openStreams: 2 });
    const [first, second] = [new RawChannel(lab.path), new RawChannel(lab.path)];
    assert.ok((await first.call('hello', {})).ok && (await second.call('hello', {})).ok);
    checkRefusal(await refusedChannel(lab), 'openStreams', 2, /takes 2 streams at once/);
    assert.equal(lab.lab.sessions.size, 2);
    const { ticket } = await new TestClient(lab.lab, 'ana').lock('a');
    const events = await lab.ask('GET', `/v1/tickets/${ticket}/events`);
    checkRefusal(events.json, 'openStreams', 2, /takes 2 streams at once/);
    for (const { socket } of [first, second]) socket.destroy();
  },
  async streamsPerUser(t) {
    const lab = await start(t, { streamsPerUser: 1 });
    const first = new RawChannel(lab.path);
    assert.ok((await first.call('hello', {})).ok);
    const other = new TestClient(lab.lab, 'somebody-else');
    assert.equal(other.session.port.caller.user, 'somebody-else');
    checkRefusal(await refusedChannel(lab), 'streamsPerUser', 1, /takes 1 streams of one user at once/);
    first.socket.destroy();
    while (lab.lab.sessions.size > 1) await new Promise((resolve) => setImmediate(resolve));
    const second = new RawChannel(lab.path);
    assert.ok((await second.call('hello', {})).ok);
    second.socket.destroy();
  },
  async connections(t) {
    const lab = await start(t, { connections: 1 });
    const first = new RawChannel(lab.path);
    assert.ok((await first.call('hello', {})).ok);
    const reply = await lab.ask('GET', '/v1/hello');
    checkRefusal(reply.json, 'connections', 1, /takes 1 connections at once/);
    checkRefusal(await refusedChannel(lab), 'connections', 1, /takes 1 connections at once/);
    assert.equal(lab.lab.connections.taken, 1);
    assert.equal(lab.lab.sessions.size, 1);
    first.socket.destroy();
    while (lab.lab.connections.taken > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await lab.ask('GET', '/v1/hello')).status, 200);
  },
  async consoleReaders(t) {
    const lab = await start(t, { consoleReaders: 1 });
    const client = new TestClient(lab.lab, 'ana');
    const job = await client.run('a');
    await client.call('console', { job });
    await refused(
      client.call('console', { job }),
      'consoleReaders',
      1,
      /takes 1 readers of consoles at once/,
    );
    const reply = await lab.ask('GET', `/v1/jobs/${job}/console`);
    checkRefusal(reply.json, 'consoleReaders', 1, /takes 1 readers of consoles at once/);
    await client.call('console-close', { job });
    while (lab.lab.consoleReaders.taken > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await lab.ask('GET', `/v1/jobs/${job}/console`)).status, 200);
    while (lab.lab.consoleReaders.taken > 0) await new Promise((resolve) => setImmediate(resolve));
    await client.call('console', { job });
    client.close();
    while (lab.lab.consoleReaders.taken > 0) await new Promise((resolve) => setImmediate(resolve));
  },
};

for (const [name, edge] of Object.entries(edges)) {
  test(`the limit ${name} holds at its edge, and one below it nothing is refused`, { timeout }, edge);
}

test('every limit of a lab has its edge tested', () => {
  assert.deepEqual(Object.keys(edges).sort(), Object.keys(defaultLimits).sort());
});

function start(t: TestContext, limits: Partial<Limits>): Promise<HttpLab> {
  const [board] = labConfig.boards;
  assert.ok(board);
  const boards = [...labConfig.boards, { ...board, name: 'c' }];
  const config = { ...labConfig, boards, limits: { ...labConfig.limits, ...limits } };
  return startHttp(t, undefined, { config });
}

/** Both boards are held, so that whoever asks waits. */
async function busyLab(t: TestContext, limits: Partial<Limits>) {
  const { lab } = await start(t, limits);
  const holder = new TestClient(lab, 'holder');
  for (const board of ['a', 'b']) {
    const { ticket, view } = await holder.lock(board);
    assert.ok(view.state === 'offered');
    await holder.confirm(ticket, view.token);
  }
  return {
    ana: new TestClient(lab, 'ana'),
    bob: new TestClient(lab, 'bob'),
    tickets: () => lab.core.read((state) => [...state.tickets.keys(), ...state.queues.keys()]),
  };
}

async function refused(
  request: Promise<unknown>,
  limit: keyof Limits,
  value: number,
  message: RegExp,
): Promise<void> {
  await assert.rejects(request, (error) => {
    assert.ok(error instanceof MqError);
    checkRefusal(error.toWire(), limit, value, message);
    return true;
  });
}

function checkRefusal(error: unknown, limit: keyof Limits, value: number, text: RegExp): void {
  const { code, message, details } = error as {
    code: string;
    message: string;
    details: Record<string, unknown>;
  };
  assert.equal(code, 'LIMIT_REACHED');
  assert.match(message, text);
  assert.deepEqual([details.limit, details.value], [limit, value]);
}

function image(bytes: number, seed: number): Buffer {
  return Buffer.alloc(bytes, seed);
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function put(lab: HttpLab, bytes: Buffer) {
  return lab.ask('PUT', `/v1/images/${hashOf(bytes)}`, bytes);
}

function imagesOf(lab: HttpLab): string[] {
  return readdirSync(join(lab.folder, 'images'));
}

/** What a channel is told that does not come about. */
async function refusedChannel(lab: HttpLab): Promise<unknown> {
  const socket = connect(lab.path);
  socket.on('error', () => undefined);
  socket.write('GET /v1/channel HTTP/1.1\r\nHost: mq\r\nConnection: Upgrade\r\nUpgrade: mq-channel\r\n\r\n');
  let text = '';
  for await (const piece of socket) {
    text += String(piece);
    if (!text.startsWith('HTTP/1.1 429 ')) break;
  }
  assert.match(text, /^HTTP\/1\.1 429 /);
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4));
}
