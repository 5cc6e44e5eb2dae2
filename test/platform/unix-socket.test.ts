// A unix socket has one server; what a crash left is replaced, what lives is not.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { PlatformError } from '../../src/platform/platform-error.ts';
import { listenOnUnixSocket, type UnixSocketOptions } from '../../src/platform/unix-socket.ts';
import { killRival, startRivals } from './rivals.ts';

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 's-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function listen(t: TestContext, options: UnixSocketOptions, answer = 'hello') {
  const server = net.createServer((socket) => socket.end(answer));
  const listener = await listenOnUnixSocket(server, options);
  t.after(() => listener.close());
  return { server, listener };
}

async function ask(path: string): Promise<string> {
  return await text(net.connect(path));
}

async function errorOf(promise: Promise<unknown>): Promise<PlatformError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error));
    return error;
  }
  assert.fail('it was allowed');
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

test('a server answers at its path, open to all users whatever the umask', async (t) => {
  const path = join(newFolder(t), 'a.sock');
  const umask = process.umask(0o077);
  t.after(() => process.umask(umask));
  await listen(t, { path });
  assert.equal(await ask(path), 'hello');
  assert.equal(modeOf(path), '666');
});

test('a mode and a group keep others out', async (t) => {
  const path = join(newFolder(t), 'a.sock');
  const isRoot = process.geteuid?.() === 0;
  const groupId = isRoot ? 1 : (process.getegid?.() ?? 0);
  await listen(t, { path, mode: 0o660, groupId });
  assert.equal(modeOf(path), '660');
  assert.equal(statSync(path).gid, groupId);
});

test('a second server is refused and told of the first, which goes on', async (t) => {
  const path = join(newFolder(t), 'a.sock');
  await listen(t, { path });
  const error = await errorOf(listen(t, { path }));
  assert.equal(error.code, 'SOCKET_IN_USE');
  assert.deepEqual(error.details, { path, pid: process.pid });
  assert.equal(await ask(path), 'hello');
});

test('a live server that knows no lock is left alone too', async (t) => {
  const path = join(newFolder(t), 'a.sock');
  const other = net.createServer((socket) => socket.on('error', () => {}).end('other')).listen(path);
  t.after(() => other.close());
  await once(other, 'listening');
  assert.equal((await errorOf(listen(t, { path }))).code, 'SOCKET_IN_USE');
  assert.equal(await ask(path), 'other');
});

test('a file that is no socket is not removed', async (t) => {
  const path = join(newFolder(t), 'a.sock');
  writeFileSync(path, 'precious');
  const error = await errorOf(listen(t, { path }));
  assert.equal(error.code, 'SOCKET_UNUSABLE');
  assert.equal(statSync(path).size, 8);
});

test('close takes the socket away at once, leaves open connections, and another server can listen', async (t) => {
  const path = join(newFolder(t), 'a.sock');
  const server = net.createServer((socket) => socket.pipe(socket));
  const listener = await listenOnUnixSocket(server, { path });
  const client = net.connect(path);
  t.after(() => client.destroy());
  await once(client, 'connect');
  await listener.close();
  assert.equal(existsSync(path), false);
  await listen(t, { path }, 'next');
  await listener.close();
  assert.equal(await ask(path), 'next');
  client.write('still here');
  const [echo] = await once(client, 'data');
  assert.equal(String(echo), 'still here');
});

test('nothing but the lock is left beside the path', async (t) => {
  const folder = newFolder(t);
  const { listener } = await listen(t, { path: join(folder, 's') });
  assert.deepEqual(readdirSync(folder).sort(), ['s', 's.lock']);
  await listener.close();
  assert.deepEqual(readdirSync(folder), ['s.lock']);
});

test('of processes that start at once exactly one listens, also on what a kill -9 left', {
  timeout: 60_000,
}, async (t) => {
  const path = join(newFolder(t), 'a.sock');
  for (let round = 0; round < 4; round += 1) {
    const rivals = await startRivals(t, 'socket', path, 4);
    const owners = rivals.filter((rival) => rival.outcome === 'taken');
    const [owner] = owners;
    assert.ok(owner !== undefined && owners.length === 1, rivals.map((rival) => rival.outcome).join(', '));
    assert.equal(await ask(path), String(owner.pid));
    for (const rival of rivals) {
      if (rival !== owner)
        assert.match(rival.outcome, new RegExp(`^SOCKET_IN_USE (${owner.pid}|undefined)$`));
      await killRival(rival);
    }
    assert.ok(existsSync(path), 'the kill left the socket');
  }
});

test('the longest path works, one byte more is an error that says the limit', async (t) => {
  const folder = newFolder(t);
  const pathBytesMax = process.platform === 'darwin' ? 103 : 107;
  const path = join(folder, 'x'.repeat(pathBytesMax - Buffer.byteLength(folder) - 1));
  await listen(t, { path });
  assert.equal(await ask(path), 'hello');
  const error = await errorOf(listen(t, { path: `${path}x` }));
  assert.equal(error.code, 'SOCKET_PATH_TOO_LONG');
  assert.match(error.message, new RegExp(`can have ${pathBytesMax} bytes, this one has ${pathBytesMax + 1}`));
});

test('the folder is made when told, and missing otherwise', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'run', 'lab', 'a.sock');
  const error = await errorOf(listen(t, { path }));
  assert.equal(error.code, 'SOCKET_UNUSABLE');
  assert.equal(error.details.reason, 'ENOENT');
  await listen(t, { path, createFolder: true });
  assert.equal(await ask(path), 'hello');
});

test('a folder in the way of the socket is an error', async (t) => {
  const folder = newFolder(t);
  mkdirSync(join(folder, 'a.sock'));
  assert.equal((await errorOf(listen(t, { path: join(folder, 'a.sock') }))).code, 'SOCKET_UNUSABLE');
});
