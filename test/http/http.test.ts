// HTTP: routes by the schema, errors by the table, streams, uploads and limits.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { test } from 'node:test';
import { operations } from '../../src/protocol/operations.ts';
import { newId } from '../server/lab.ts';
import { type HttpLab, startHttp } from './http-lab.ts';

const timeout = 20_000;
const submitBody = (more: object = {}) => ({
  requestId: newId(),
  target: 'a',
  kind: 'lock',
  key: '0',
  ...more,
});
const code = (reply: { json: never }) => (reply.json as { code: string }).code;
const message = (reply: { json: never }) => (reply.json as { message: string }).message;

async function lock({ ask }: HttpLab, target: string): Promise<{ ticket: number; token: string }> {
  const { status, json } = await ask('POST', '/v1/tickets', submitBody({ target }));
  assert.equal(status, 200, JSON.stringify(json));
  const { ticket, view } = json as { ticket: number; view: { token: string } };
  const confirmed = await ask('POST', `/v1/tickets/${ticket}/confirm`, {
    requestId: newId(),
    token: view.token,
  });
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.json));
  return { ticket, token: view.token };
}

test('a whole life of a lock over plain HTTP, in answers that keep every field', { timeout }, async (t) => {
  const lab = await startHttp(t);
  const { ask } = lab;
  const me = userInfo().username;
  const hello = (await ask('GET', '/v1/hello?protocol=1')).json as { user: string; lab: string };
  assert.deepEqual([hello.user, hello.lab], [me, 'Test lab']);
  const { ticket } = await lock(lab, 'a');
  const view = (await ask('GET', `/v1/tickets/${ticket}`)).json as {
    view: { state: string; lock: { user: string } };
  };
  assert.deepEqual([view.view.state, view.view.lock.user], ['held', me]);
  const extended = await ask('POST', '/v1/boards/a/extend', {
    requestId: newId(),
    key: '0',
    holdSeconds: 60,
  });
  assert.equal((extended.json as { lock: { holdSeconds: number } }).lock.holdSeconds, 60);
  const info = (await ask('GET', '/v1/targets/p')).json as { kind: string; members: { lock?: object }[] };
  assert.deepEqual([info.kind, info.members.map((one) => one.lock !== undefined)], ['pool', [true, false]]);
  assert.equal(((await ask('GET', '/v1/locks')).json as { members: [] }).members.length, 1);
  const status = (await ask('GET', '/v1/status')).json as { boards: { state: string }[] };
  assert.deepEqual(
    status.boards.map((one) => one.state),
    ['held', 'free'],
  );
  assert.equal(((await ask('GET', '/v1/lab')).json as { lab: { boards: [] } }).lab.boards.length, 2);
  assert.deepEqual((await ask('GET', '/v1/boards/b/free?seconds=1')).json, { free: true });
  const given = await ask('POST', '/v1/boards/a/give', { requestId: newId(), key: '0', user: 'bob' });
  assert.equal((given.json as { lock: { user: string } }).lock.user, 'bob');
  const stolen = await ask('POST', '/v1/boards/a/steal', { requestId: newId() });
  assert.equal((stolen.json as { lock: { user: string } }).lock.user, me);
  const released = await ask('POST', '/v1/release', { requestId: newId(), target: 'a', key: '0' });
  assert.equal((released.json as { outcomes: { outcome: string }[] }).outcomes[0]?.outcome, 'released');
});

test('each error has the status of the table', { timeout }, async (t) => {
  const lab = await startHttp(t);
  const { ask } = lab;
  await lock(lab, 'a');
  const requestId = newId();
  await ask('POST', '/v1/tickets', { ...submitBody({ target: 'b' }), requestId });
  const tries: [number, string, Promise<{ status: number; json: never }>][] = [
    [404, 'UNKNOWN_TARGET', ask('GET', '/v1/targets/nope')],
    [404, 'UNKNOWN_TICKET', ask('GET', '/v1/tickets/999')],
    [404, 'UNKNOWN_JOB', ask('GET', '/v1/jobs/999')],
    [404, 'UNKNOWN_JOB', ask('GET', '/v1/jobs/999/console')],
    [404, 'BAD_REQUEST', ask('GET', '/v1/nothing')],
    [409, 'ALREADY_YOURS', ask('POST', '/v1/tickets', submitBody())],
    [409, 'NOT_GRANTED_IN_TIME', ask('POST', '/v1/tickets', submitBody({ key: 'x', waitSeconds: 0 }))],
    [409, 'WRONG_KEY', ask('POST', '/v1/boards/a/extend', { requestId: newId(), key: 'y', holdSeconds: 1 })],
    [409, 'REQUEST_ID_REUSED', ask('POST', '/v1/tickets', { ...submitBody({ target: 'a' }), requestId })],
    [426, 'PROTOCOL_MISMATCH', ask('GET', '/v1/hello?protocol=99')],
    [400, 'BAD_REQUEST', ask('POST', '/v1/tickets', submitBody({ kind: 'run' }))],
  ];
  for (const [status, wanted, reply] of tries) {
    const got = await reply;
    assert.deepEqual([got.status, code(got)], [status, wanted], message(got));
  }
});

test('a body that does not fit is refused with the place; values are not bent to fit', {
  timeout,
}, async (t) => {
  const { ask, lab } = await startHttp(t);
  const bad: [object, RegExp][] = [
    [submitBody({ key: 5 }), /key/],
    [submitBody({ holdSeconds: '5' }), /holdSeconds/],
    [submitBody({ surprise: 1 }), /additional/],
    [submitBody({ target: '' }), /target/],
    [submitBody({ requestId: 'short' }), /requestId/],
    [submitBody({ kind: 'steal' }), /kind/],
    [[], /object/],
  ];
  for (const [body, place] of bad) {
    const reply = await ask('POST', '/v1/tickets', body);
    assert.deepEqual([reply.status, code(reply)], [400, 'BAD_REQUEST']);
    assert.match(message(reply), place);
  }
  const queries = [
    '/v1/jobs?limit=0',
    '/v1/jobs?limit=x',
    '/v1/jobs?surprise=1',
    '/v1/tickets/x',
    '/v1/jobs/-1',
  ];
  for (const url of queries) assert.equal((await ask('GET', url)).status, 400, url);
  assert.equal((await ask('GET', '/v1/jobs?limit=5&mine=true')).status, 200);
  const broken = await ask('POST', '/v1/tickets', Buffer.from('{'), { 'content-type': 'application/json' });
  assert.equal(broken.status, 400);
  const poisoned = Buffer.from(
    '{"__proto__":{"x":1},"requestId":"12345678","target":"a","kind":"lock","key":"0"}',
  );
  assert.equal(
    (await ask('POST', '/v1/tickets', poisoned, { 'content-type': 'application/json' })).status,
    400,
  );
  const large = await ask('POST', '/v1/tickets', submitBody({ note: 'x'.repeat(2_000_000) }));
  assert.deepEqual([large.status, code(large)], [413, 'TOO_LARGE']);
  assert.equal(await lab.core.read((state) => state.tickets.size), 0);
});

test('the OpenAPI page lists every operation, with every reference resolved', { timeout }, async (t) => {
  const { openapi } = await startHttp(t);
  const page = await openapi();
  assert.equal(page.openapi, '3.1.0');
  const listed = Object.values(page.paths).flatMap((path) =>
    Object.values(path).map((one) => one.operationId),
  );
  const wanted = Object.entries(operations).flatMap(([name, operation]) => (operation.http ? [name] : []));
  const streams = ['ticket-events', 'console', 'put-image-bytes'];
  assert.deepEqual(listed.sort(), [...wanted, ...streams].sort());
  for (const [, reference] of JSON.stringify(page).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = (reference ?? '')
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], page);
    assert.ok(found, reference);
  }
  for (const path of Object.keys(page.paths)) assert.match(path, /^\/v1\//);
});

/** Reads lines of JSON as they come. */
function follow(
  path: string,
  url: string,
): {
  lines: { event: string; view?: { state: string }; job?: { state: string } }[];
  ended: Promise<void>;
  close: () => void;
} {
  const lines: never[] = [];
  let close = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    const sent = request({ socketPath: path, path: url }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
        for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
          lines.push(JSON.parse(text.slice(0, at)) as never);
          text = text.slice(at + 1);
        }
      });
      response.on('close', () => resolve());
    });
    sent.on('error', reject);
    sent.end();
    close = () => {
      sent.off('error', reject);
      sent.on('error', () => resolve());
      sent.destroy();
    };
  });
  return { lines, ended, close };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test('a ticket’s events come as lines: waiting, offered, and held as the last, whoever confirmed', {
  timeout,
}, async (t) => {
  const lab = await startHttp(t);
  await lock(lab, 'a');
  const { json } = await lab.ask('POST', '/v1/tickets', submitBody({ key: 'other' }));
  const { ticket } = json as { ticket: number };
  const stream = follow(lab.path, `/v1/tickets/${ticket}/events`);
  await until(() => stream.lines.length > 0);
  await lab.ask('POST', '/v1/release', { requestId: newId(), target: 'a', key: '0' });
  await until(() => stream.lines.some((line) => line.view?.state === 'offered'));
  const offered = stream.lines.find((line) => line.view?.state === 'offered')?.view as unknown as {
    token: string;
  };
  await lab.ask('POST', `/v1/tickets/${ticket}/confirm`, { requestId: newId(), token: offered.token });
  await stream.ended;
  assert.deepEqual([stream.lines[0]?.view?.state, stream.lines.at(-1)?.view?.state], ['waiting', 'held']);
});

test('a ticket whose stream is closed is parked, one whose submit is repeated under a stream is not', {
  timeout,
}, async (t) => {
  const lab = await startHttp(t);
  await lock(lab, 'a');
  const body = submitBody({ key: 'other' });
  const { ticket } = (await lab.ask('POST', '/v1/tickets', body)).json as { ticket: number };
  const stateOf = () => lab.lab.core.read((state) => state.tickets.get(ticket)?.state);
  assert.equal(await stateOf(), 'parked');
  const stream = follow(lab.path, `/v1/tickets/${ticket}/events`);
  await until(() => stream.lines.length > 0);
  assert.equal(await stateOf(), 'waiting');
  await lab.ask('POST', '/v1/tickets', body);
  assert.equal(await stateOf(), 'waiting');
  stream.close();
  await stream.ended;
  while ((await stateOf()) !== 'parked') await new Promise((resolve) => setImmediate(resolve));
});

test('a console is read from any offset, and followed to the end of its job', { timeout }, async (t) => {
  const lab = await startHttp(t);
  const job = {
    kind: 'image',
    files: [],
    linux: false,
    endText: '',
    errorText: '',
    timeoutSeconds: -1,
    keepOn: false,
    detached: true,
  };
  const { ticket } = (await lab.ask('POST', '/v1/tickets', submitBody({ kind: 'run', job }))).json as {
    ticket: number;
  };
  await lab.agent.until(() => lab.agent.jobs.has(ticket));
  const following = lab.ask('GET', `/v1/jobs/${ticket}/console?from=2&follow=true`);
  lab.agent.say(ticket, '0123456789');
  lab.agent.end(ticket);
  assert.equal((await following).body.toString(), '23456789');
  assert.equal((await lab.ask('GET', `/v1/jobs/${ticket}/console?from=7`)).body.toString(), '789');
  assert.equal((await lab.ask('GET', `/v1/jobs/${ticket}/console`)).body.toString(), '0123456789');
  assert.equal((await lab.ask('GET', `/v1/jobs/${ticket}/console?from=99`)).body.length, 0);
  const stream = follow(lab.path, `/v1/tickets/${ticket}/events`);
  await stream.ended;
  assert.equal(stream.lines.at(-1)?.job?.state, 'ended');
});

test('an image is put under its sum; a wrong one, a too large one and one without bytes are told apart', {
  timeout,
}, async (t) => {
  const { ask, lab } = await startHttp(t);
  const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const bytes = Buffer.from('an image');
  assert.equal((await ask('PUT', `/v1/images/${sum(bytes)}`, bytes)).status, 204);
  assert.deepEqual(await lab.images.missing([sum(bytes)]), []);
  const nothing = Buffer.alloc(0);
  assert.equal((await ask('PUT', `/v1/images/${sum(nothing)}`, nothing)).status, 204);
  const wrong = await ask('PUT', `/v1/images/${sum(bytes)}`, Buffer.from('another'));
  assert.deepEqual([wrong.status, code(wrong)], [422, 'IMAGE_MISMATCH']);
  const large = await ask('PUT', `/v1/images/${sum(bytes)}`, Buffer.alloc(100_001));
  assert.deepEqual([large.status, code(large)], [413, 'TOO_LARGE']);
  const without = await ask('PUT', `/v1/images/${sum(bytes)}`);
  assert.ok(without.status >= 400 && without.status < 500, String(without.status));
});

test('an image that comes as something else is refused before it is read, whatever its length', {
  timeout,
}, async (t) => {
  const { ask, path } = await startHttp(t);
  const place = `/v1/images/${'a'.repeat(64)}`;
  const asJson = await ask('PUT', place, [1, 2], { 'content-type': 'application/json' });
  assert.deepEqual([asJson.status, code(asJson)], [400, 'BAD_REQUEST']);
  const socket = connect(path);
  t.after(() => socket.destroy());
  const head = ['Host: x', 'Content-Type: application/json', `Content-Length: ${10 ** 12}`].join('\r\n');
  socket.write(`PUT ${place} HTTP/1.1\r\n${head}\r\n\r\n[`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 4\d\d /);
});

test('a target in a path may be as long as in a body; a longer one, and what is no HTTP, get an error of ours', {
  timeout,
}, async (t) => {
  const { ask, path } = await startHttp(t);
  const both = await ask('GET', `/v1/targets/${encodeURIComponent(Array(40).fill('a,b').join(','))}`);
  assert.equal(both.status, 200);
  const long = await ask('GET', `/v1/targets/${'x'.repeat(13_000)}`);
  assert.deepEqual([long.status, code(long)], [400, 'BAD_REQUEST']);
  assert.ok(long.body.length < 1_000, 'it is not said back whole');
  const unknown = await ask('GET', `/v1/nothing?${'y'.repeat(10_000)}`);
  assert.equal(code(unknown), 'BAD_REQUEST');
  assert.ok(unknown.body.length < 1_000, 'nor is this');
  for (const [text, wanted] of [
    ['no HTTP at all\r\n\r\n', 'BAD_REQUEST'],
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 'TOO_LARGE'],
  ] as const) {
    const socket = connect(path);
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk;
    });
    socket.end(text);
    await once(socket, 'close');
    assert.equal(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).code, wanted);
  }
});

test('a request that never ends is cut, and others are served meanwhile', { timeout }, async (t) => {
  const { path, ask } = await startHttp(t, { requestMs: 200, keepAliveMs: 200, checkEveryMs: 50 });
  const slow = [
    '',
    'GET /v1/hello HTTP/1.1\r\nHost: x\r\n',
    'POST /v1/release HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  ];
  const cut = slow.map((text) => {
    const socket = connect(path);
    socket.on('error', () => {});
    socket.write(text);
    socket.resume();
    return new Promise<void>((resolve) => socket.on('close', () => resolve()));
  });
  assert.equal((await ask('GET', '/v1/hello')).status, 200);
  await Promise.all(cut);
});

test('a board that one holds is switched, once for each request id, and says how it is', {
  timeout,
}, async (t) => {
  const lab = await startHttp(t);
  const { ask } = lab;
  await lock(lab, 'a');
  const body = { requestId: newId(), key: '0', action: 'on' };
  for (let time = 0; time < 2; time += 1) {
    const { status, json } = await ask('POST', '/v1/boards/a/power', body);
    assert.deepEqual([status, json], [200, { board: 'a', mayBeOn: true }]);
  }
  assert.equal(lab.agent.heardOf('power').length, 1);
  lab.agent.onPower = () => ({ outcome: 'done', power: 'on', detail: '' });
  const status = await ask('GET', '/v1/boards/a/power?key=0');
  assert.deepEqual(status.json, { board: 'a', power: 'on', mayBeOn: true });
  lab.agent.onPower = () => ({ outcome: 'failed', detail: 'no answer' });
  const failed = await ask('POST', '/v1/boards/a/power', { ...body, requestId: newId() });
  assert.deepEqual([failed.status, code(failed)], [502, 'LAB_FAULT']);
  const refused = await ask('POST', '/v1/boards/b/power', { ...body, requestId: newId() });
  assert.deepEqual([refused.status, code(refused)], [409, 'NOT_HOLDER']);
});
