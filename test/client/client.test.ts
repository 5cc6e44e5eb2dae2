// Requests: answered, refused, repeated, given up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backOffMs } from '../../src/client/back-off.ts';
import { ConnectionLostError, connectClient } from '../../src/client/client.ts';
import { watchStatus } from '../../src/client/status-watch.ts';
import { MqError } from '../../src/protocol/errors.ts';
import type { StatusView } from '../../src/protocol/views.ts';
import { connectScripted } from './connect-scripted.ts';
import { ScriptedServer } from './scripted-server.ts';

const nothing = { hashes: [] };

test('a first connection that fails is an error at once', async () => {
  const server = new ScriptedServer();
  server.isDown = true;
  const { openLink, timers } = server;
  await assert.rejects(connectClient({ openLink, timers, newRequestId: () => 'x' }), (error: MqError) => {
    assert.equal(error.code, 'SERVER_UNREACHABLE');
    assert.match(error.message, /ECONNREFUSED/);
    return true;
  });
  assert.equal(timers.now(), 0);
});

test('a first connection is tried again for as long as was said, since the server may be restarting', async () => {
  const server = new ScriptedServer();
  server.isDown = true;
  const { openLink, timers } = server;
  timers.after(1_000, () => {
    server.isDown = false;
  });
  const client = await connectClient({
    openLink,
    timers,
    newRequestId: () => 'x',
    firstSeconds: 2,
    random: () => 0,
  });
  await client.request('images', nothing);
  assert.ok(timers.now() >= 1_000, `${timers.now()} ms`);
});

test('a first connection is given up when that time is over', async () => {
  const server = new ScriptedServer();
  server.isDown = true;
  const { openLink, timers } = server;
  const first = connectClient({
    openLink,
    timers,
    newRequestId: () => 'x',
    firstSeconds: 2,
    random: () => 0,
  });
  await assert.rejects(first, { code: 'SERVER_UNREACHABLE' });
  assert.ok(timers.now() >= 2_000 && timers.now() < 4_000, `${timers.now()} ms`);
});

test('a lost server is tried again for as long as was said, and then given up', async () => {
  const links: string[] = [];
  const { server, client } = await connectScripted(
    {},
    { reconnectSeconds: 60, onLink: (state) => links.push(state) },
  );
  await client.request('images', nothing);
  const lost = new Promise<Error>((resolve) => client.listen({ onGone: resolve }));
  server.isDown = true;
  server.cutNow();
  const error = await lost;
  assert.equal((error as MqError).code, 'SERVER_UNREACHABLE');
  assert.ok(server.timers.now() >= 60_000 && server.timers.now() < 62_000, `${server.timers.now()} ms`);
  assert.deepEqual(links, ['lost']);
  await assert.rejects(client.request('images', nothing), { code: 'SERVER_UNREACHABLE' });
});

test('a lost server that comes back is used again, and patience starts anew', async () => {
  const links: string[] = [];
  const { server, client } = await connectScripted({}, { onLink: (state) => links.push(state) });
  client.listen({});
  for (const round of [1, 2, 3]) {
    await client.request('images', nothing);
    server.isDown = true;
    server.cutNow();
    await server.timers.sleep(50_000);
    server.isDown = false;
    assert.deepEqual(await client.request('images', nothing), { missing: [] }, `round ${round}`);
  }
  assert.deepEqual(links, ['lost', 'up', 'lost', 'up', 'lost', 'up']);
});

test('a link that nobody needs is not opened again until somebody asks', async () => {
  const { server, client } = await connectScripted();
  await client.request('images', nothing);
  server.cutNow();
  await server.timers.sleep(10_000);
  assert.equal(server.connections, 1);
  await client.request('images', nothing);
  assert.equal(server.connections, 2);
});

test('a server that takes connections and says nothing on them is not tried in a busy loop', async () => {
  const { server, client } = await connectScripted();
  await client.request('images', nothing);
  server.options.cuts = Array.from({ length: 1000 }, (_, index) => ({ at: index + 2, lose: true }));
  const before = server.timers.now();
  await assert.rejects(client.request('images', nothing), { code: 'SERVER_UNREACHABLE' });
  assert.ok(server.timers.now() - before >= 60_000);
  assert.ok(server.connections < 140, `${server.connections} connections`);
});

test('a refusal of the connection itself is not tried again', async () => {
  const { server, client } = await connectScripted();
  await client.request('images', nothing);
  client.listen({});
  const gone = new Promise<Error>((resolve) => client.listen({ onGone: resolve }));
  server.refuseLinks = new MqError('NOT_ALLOWED', 'You are not in the group labusers.');
  server.cutNow();
  assert.equal(await gone, server.refuseLinks);
});

test('a request that must not be repeated fails when the link breaks, another is repeated', async () => {
  const { server, client } = await connectScripted({ cuts: [{ at: 3, lose: true }] });
  await client.request('images', nothing);
  const once = client.request('write', { job: 7, bytes: '' }, { repeat: 'never' });
  const again = client.request('images', nothing);
  await assert.rejects(once, ConnectionLostError);
  assert.deepEqual(await again, { missing: [] });
  assert.deepEqual(server.done, ['write']);
});

test('TRY_AGAIN is tried again under the same request id, but not for ever', async () => {
  const { server, client } = await connectScripted();
  server.refuseWith = { op: 'release', code: 'TRY_AGAIN', times: 3 };
  await client.request('release', { requestId: 'request-a', target: 'b', key: '0' });
  assert.deepEqual(server.done, ['release']);
  server.refuseWith = { op: 'release', code: 'TRY_AGAIN', times: 100 };
  await assert.rejects(client.request('release', { requestId: 'request-b', target: 'b', key: '0' }), {
    code: 'TRY_AGAIN',
  });
});

test('any other refusal is an error with the code and the words of the server', async () => {
  const { server, client } = await connectScripted();
  server.refuseWith = { op: 'release', code: 'NOT_ALLOWED', times: 1 };
  const wanted = { code: 'NOT_ALLOWED', message: 'refused by the script' };
  await assert.rejects(client.request('release', { requestId: 'request-a', target: 'b', key: '0' }), wanted);
});

test('a request without an answer ends at its time-out, or when its signal aborts', async () => {
  const { server, client } = await connectScripted();
  server.silent.add('images');
  await assert.rejects(
    client.request('images', nothing, { timeoutMs: 5000 }),
    /has not answered 'images' in 5 s/,
  );
  assert.equal(server.timers.now(), 5000);
  const abort = new AbortController();
  const asked = client.request('images', nothing, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(asked, /enough/);
  client.close();
  assert.equal(server.timers.pending, 0);
});

test('pings are answered at once', async () => {
  const { server, client } = await connectScripted();
  await client.request('images', nothing);
  server.pushAlways({ event: 'ping', nonce: 42 });
  await client.request('images', nothing);
  assert.deepEqual(server.done, ['pong 42']);
});

test('the status is watched over a lost link, until the signal aborts', async () => {
  const { server, client } = await connectScripted();
  const status = (lab: string): StatusView => ({
    lab,
    at: 0,
    mode: 'open',
    boards: [],
    pools: [],
    queue: [],
    jobs: [],
  });
  const seen: string[] = [];
  const abort = new AbortController();
  server.answers.set('watch-status', status('asked'));
  const watch = watchStatus(client, ({ lab }) => seen.push(lab), { signal: abort.signal });
  await client.request('images', nothing);
  server.pushAlways({ event: 'status', status: status('changed') });
  await client.request('images', nothing);
  server.cutNow();
  await client.request('images', nothing);
  assert.deepEqual(seen, ['asked', 'changed', 'asked']);
  abort.abort();
  await watch;
});

test('waits double from 50 ms to 1 s and are shortened by half at most', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 6, 7, 100].map((attempt) => backOffMs(attempt, 0)),
    [0, 50, 100, 200, 1000, 1000, 1000],
  );
  assert.ok(backOffMs(3, 0.999) >= 100);
});
