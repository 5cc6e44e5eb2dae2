// The TCP socket and its door: who comes in and as whom, what strangers can't do, tokens and certificates that change.
import assert from 'node:assert/strict';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { listenOnTcp } from '../../src/http/listen-tcp.ts';
import { type DoorLimits, standardDoorLimits } from '../../src/http/token-door.ts';
import { encodeJson, FrameReader } from '../../src/platform/frames.ts';
import type { ListenConfig } from '../../src/protocol/lab.ts';
import { startLab } from '../server/lab.ts';
import { makeCertificate, noOpenssl } from './certificates.ts';

const timeout = 20_000;
const token = 'right-token-0123456789';
const wrong = 'wrong-token-0123456789';
const running = await startLab({ after } as TestContext);
const { lab, logger } = running;
const quick = { ...standardDoorLimits, refusalMs: 20 };

let files = 0;

async function startTcp(
  t: TestContext,
  { limits = quick, ...more }: Partial<ListenConfig> & { limits?: DoorLimits & { rereadMs?: number } } = {},
) {
  files += 1;
  const file = join(running.folder, `token-${files}`);
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  const config = { host: '127.0.0.1', port: 0, token: { file }, user: 'admin', ...more };
  const listener = await listenOnTcp(running.lab, config, limits);
  t.after(async () => {
    for (const socket of dialled) socket.destroy();
    listener.close();
    listener.app.server.closeAllConnections();
    await listener.app.close();
  });
  const port = Number(listener.address.split(':').at(-1));
  const ask = (path: string, headers: Record<string, string> = {}, body?: string) =>
    new Promise<{ status: number; text: string; headers: object }>((resolve, reject) => {
      const where = { port, host: '127.0.0.1', path, method: body ? 'POST' : 'GET', headers, agent: false };
      const sent = plainRequest(where, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return { file, port, ask };
}

const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
const upgrade = (value?: string) =>
  'GET /v1/channel HTTP/1.1\r\nHost: mq\r\nConnection: Upgrade\r\nUpgrade: mq-channel\r\n' +
  `${value === undefined ? '' : `Authorization: Bearer ${value}\r\n`}\r\n`;

const dialled = new Set<Socket>();

/** A connection by hand: what came, and its end. */
function dial(port: number, say = ''): { socket: Socket; text: () => string; closed: Promise<void> } {
  const socket = connect(port, '127.0.0.1');
  dialled.add(socket);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  if (say !== '') socket.write(say);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, text: () => Buffer.concat(chunks).toString('latin1'), closed };
}

test('whoever brings the token is the admin of the configuration', { timeout }, async (t) => {
  const { ask } = await startTcp(t, { user: 'robot' });
  const { status, text } = await ask('/v1/hello?protocol=1', bearer(token));
  const { user } = JSON.parse(text) as { user: string };
  assert.deepEqual([status, user], [200, 'robot']);
  assert.equal(
    (await ask('/v1/reload', { ...bearer(token), 'content-type': 'application/json' }, '{}')).status,
    200,
  );
});

test('without the token, or with another, nothing is to be had: not even what there is', {
  timeout,
}, async (t) => {
  const { ask } = await startTcp(t);
  const tries = [{}, bearer(wrong), bearer(`${token}x`), bearer(token.slice(1)), { authorization: token }];
  for (const path of ['/v1/status', '/v1/openapi.json', '/v1/nothing', '/', '/v1/hello?protocol=x']) {
    for (const headers of tries) {
      const { status, text, headers: answered } = await ask(path, headers);
      assert.deepEqual(
        [status, JSON.parse(text).code],
        [401, 'WRONG_TOKEN'],
        `${path} ${JSON.stringify(headers)}`,
      );
      assert.equal((answered as { 'www-authenticate'?: string })['www-authenticate'], 'Bearer');
    }
  }
  assert.equal(JSON.stringify(logger.lines).includes('wrong-token'), false);
  assert.equal(JSON.stringify(logger.lines).includes('right-token'), false);
  assert.ok(logger.lines.some(({ message }) => message === 'a wrong token was refused'));
});

test('the channel opens with the token, and says why it does not without', { timeout }, async (t) => {
  const { port } = await startTcp(t);
  const before = lab.sessions.size;
  for (const value of [undefined, wrong]) {
    const stranger = dial(port, upgrade(value) + 'x'.repeat(1_000));
    await stranger.closed;
    assert.match(stranger.text(), /^HTTP\/1\.1 401 /);
    assert.equal(JSON.parse(stranger.text().split('\r\n\r\n')[1] ?? '').code, 'WRONG_TOKEN');
  }
  assert.ok(lab.sessions.size <= before);
  const guest = dial(port, upgrade(token));
  await once(() => guest.text().includes('101'), guest.socket);
});

test('/healthz tells a stranger whether the lab is well and no more; /metrics takes the token', {
  timeout,
}, async (t) => {
  const { ask } = await startTcp(t);
  const stranger = await ask('/healthz');
  assert.deepEqual([stranger.status, stranger.text], [200, '{"ok":true}']);
  assert.equal((stranger.headers as { connection?: string }).connection, 'close');
  assert.deepEqual(JSON.parse((await ask('/healthz', bearer(token))).text), { ok: true, agent: 'present' });
  assert.equal((await ask('/healthz', bearer(wrong))).text, '{"ok":true}');
  assert.equal((await ask('/metrics')).status, 401);
  assert.equal((await ask('/healthz/')).status, 401);
  const { status, text } = await ask('/metrics', bearer(token));
  assert.deepEqual([status, /^mq_wrong_tokens_total [1-9]/m.test(text)], [200, true]);
});

test('a wrong token is answered late, and keeps nobody else waiting', { timeout }, async (t) => {
  const { ask } = await startTcp(t, { limits: { ...quick, refusalMs: 700 } });
  const late = ask('/v1/status', bearer(wrong)).then(() => 'wrong');
  const first = await Promise.race([late, ask('/v1/status', bearer(token)).then(() => 'right')]);
  assert.equal(first, 'right');
  const begin = performance.now();
  assert.equal(await late, 'wrong');
  assert.ok(performance.now() - begin > 300);
});

test('who guesses twice over one connection is cut, and gets not even a refusal', { timeout }, async (t) => {
  const { port } = await startTcp(t, { limits: { ...quick, refusalMs: 10_000 } });
  const get = (value: string) =>
    `GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${value}\r\n\r\n`;
  const guesser = dial(port, get(wrong) + get(token));
  await guesser.closed;
  assert.equal(guesser.text(), '');
});

test('of too many strangers the oldest is cut, and who has the token is served', { timeout }, async (t) => {
  const { port, ask } = await startTcp(t, { limits: { ...quick, strangersMax: 3 } });
  const guest = dial(port, upgrade(token));
  await once(() => guest.text().includes('101'), guest.socket);
  const strangers = [];
  for (let count = 0; count < 4; count += 1) {
    const stranger = dial(port);
    await new Promise<void>((resolve) => stranger.socket.once('connect', () => resolve()));
    strangers.push(stranger);
  }
  await strangers[0]?.closed;
  assert.equal((await ask('/v1/status', bearer(token))).status, 200);
  assert.deepEqual(
    [guest, ...strangers.slice(2)].map(({ socket }) => socket.destroyed),
    [false, false, false],
  );
});

test('a stranger has a short time, whatever it sends; a guest stays', { timeout }, async (t) => {
  const { port } = await startTcp(t, { limits: { ...quick, strangerMs: 150 } });
  const guest = dial(port, upgrade(token));
  await once(() => guest.text().includes('101'), guest.socket);
  const silent = dial(port);
  const slow = dial(port, 'GET / HTTP/1.1\r\nHost: x\r\nX-');
  await Promise.all([silent.closed, slow.closed]);
  assert.equal(guest.socket.destroyed, false);
});

test('a channel whose other end says nothing any more is cut, one that answers stays', {
  timeout,
}, async (t) => {
  const { port } = await startTcp(t, { limits: { ...quick, silenceMaxMs: 100 } });
  const alive = dial(port, upgrade(token));
  await once(() => alive.text().includes('101'), alive.socket);
  answerPings(alive.socket);
  const mute = dial(port, upgrade(token));
  await mute.closed;
  const late = dial(port, upgrade(token));
  await late.closed;
  assert.equal(alive.socket.destroyed, false);
});

test('another token in the file counts soon, and cuts who came in with the old one', {
  timeout,
}, async (t) => {
  const { port, ask, file } = await startTcp(t, { limits: { ...quick, rereadMs: 20 } });
  const guest = dial(port, upgrade(token));
  await once(() => guest.text().includes('101'), guest.socket);
  const next = 'another-token-0123456789';
  await writeFile(`${file}.new`, next, { mode: 0o600 });
  await rename(`${file}.new`, file);
  await guest.closed;
  assert.equal((await ask('/v1/status', bearer(token))).status, 401);
  assert.equal((await ask('/v1/status', bearer(next))).status, 200);
  // A file that can't be used changes nothing, and is told.
  await chmod(file, 0o644);
  while (!logger.lines.some(({ message }) => message === 'token or certificate were not read again'))
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await ask('/v1/status', bearer(next))).status, 200);
});

test('TLS: the certificate of the configuration, and a new one without a restart', {
  timeout,
  skip: noOpenssl,
}, async (t) => {
  const first = makeCertificate(running.folder, 'first');
  const second = makeCertificate(running.folder, 'second');
  const tls = { certPath: join(running.folder, 'used.pem'), keyPath: join(running.folder, 'used.key') };
  const use = async ({ cert, key }: typeof first) => {
    await rename(key, tls.keyPath);
    await rename(cert, tls.certPath);
  };
  await use(first);
  const { port } = await startTcp(t, { tls, limits: { ...quick, rereadMs: 20 } });
  const fingerprint = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const before = await fingerprint();
  await use(second);
  while ((await fingerprint()) === before) await new Promise((resolve) => setTimeout(resolve, 20));
  const status = await new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: '/v1/status', headers: bearer(token), agent: false };
    secureRequest({ ...options, rejectUnauthorized: false }, (response) =>
      resolve(response.resume().statusCode),
    )
      .on('error', reject)
      .end();
  });
  assert.equal(status, 200);
});

test('a token, a key or an address that is none keeps the socket from opening, and is told', {
  timeout,
}, async (t) => {
  const { folder } = running;
  const file = join(folder, 'token-0');
  const open = (more: Partial<ListenConfig> = {}) =>
    listenOnTcp(lab, { host: '127.0.0.1', port: 0, token: { file }, user: 'admin', ...more });
  const refuses = (message: RegExp, more?: Partial<ListenConfig>) =>
    assert.rejects(
      open(more),
      (error: Error) => message.test(error.message) && !/0123456789/.test(error.message),
    );
  await refuses(/token of listen can't be used: .*ENOENT/);
  await writeFile(file, '\n', { mode: 0o600 });
  await refuses(/token-0 is empty/);
  await writeFile(file, 'short-0123456789');
  await refuses(/20 characters or more/);
  await writeFile(file, `${token} and more`);
  await refuses(/20 characters or more/);
  await writeFile(file, token);
  await refuses(/MQ_NO_SUCH_TOKEN is not set/, { token: { env: 'MQ_NO_SUCH_TOKEN' } });
  const tls = { certPath: file, keyPath: file };
  await refuses(/are no certificate with its key/, { tls });
  await chmod(file, 0o604);
  await refuses(/every user may read it; chmod o= /);
  await chmod(file, 0o600);
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  await refuses(/cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/, {
    port: (taken.address() as { port: number }).port,
  });
});

/** Resolves when it is so, which is looked at as bytes come. */
function once(isSo: () => boolean, socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on('data', () => isSo() && resolve());
    socket.once('close', () => reject(new Error('closed')));
  });
}

function answerPings(socket: Socket): void {
  const reader = new FrameReader({ payloadBytesMax: 1024 * 1024 });
  socket.on('data', (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      const nonce = frame.kind === 'json' ? (frame.value as { nonce?: number }).nonce : undefined;
      if (nonce !== undefined) socket.write(encodeJson({ pong: nonce }));
    }
  });
}
