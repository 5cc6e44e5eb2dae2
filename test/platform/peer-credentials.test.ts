// The other end of a unix socket, asked of the kernel with real processes under real users.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { peerOf } from '../../src/platform/peer-credentials.ts';
import { PlatformError } from '../../src/platform/platform-error.ts';

const timeoutMs = 20_000;

/** Steps down to the user, connects, says so by the connection itself, and stays until it is killed. */
const connectAs = `
  const [path, uid, gid] = process.argv.slice(1);
  if (uid !== '') { process.setgroups([]); process.setgid(Number(gid)); process.setuid(Number(uid)); }
  require('node:net').connect(path.replace('@', '\\0')).resume();
`;

function startPeer(
  t: TestContext,
  path: string,
  user: { uid: number; gid: number } | undefined,
): ChildProcess {
  const ids = user === undefined ? ['', ''] : [String(user.uid), String(user.gid)];
  const child = spawn(process.execPath, ['-e', connectAs, path, ...ids], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function listen(t: TestContext, path: string): Promise<net.Server> {
  // Half open, so that a peer that has ended leaves a socket that can still be asked about.
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  return server;
}

async function acceptFrom(server: net.Server, t: TestContext): Promise<net.Socket> {
  const [socket] = (await once(server, 'connection', { signal: t.signal })) as [net.Socket];
  t.after(() => socket.destroy());
  return socket.on('error', () => {});
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error));
    return error.code;
  }
  return 'no error';
}

function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'peer-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 's');
}

test('the kernel names user, group and process of the other end', { timeout: timeoutMs }, async (t) => {
  const path = socketPath(t);
  const server = await listen(t, path);
  const child = startPeer(t, path, undefined);
  const socket = await acceptFrom(server, t);
  assert.deepEqual(peerOf(socket), { uid: process.geteuid?.(), gid: process.getegid?.(), pid: child.pid });
});

test('processes of other users are told apart', { timeout: timeoutMs }, async (t) => {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) {
    t.skip('only root on Linux can start processes of other users; run this test as root');
    return;
  }
  // A socket with a name but no file, so that no folder above it has to be open to other users.
  const name = `peer-test-${randomUUID()}`;
  const server = await listen(t, `\0${name}`);
  for (const user of [
    { uid: 1, gid: 1 },
    { uid: 65534, gid: 65534 },
    { uid: 4_000_000_000, gid: 3_999_999_999 },
  ]) {
    const child = startPeer(t, `@${name}`, user);
    const socket = await acceptFrom(server, t);
    assert.deepEqual(peerOf(socket), { ...user, pid: child.pid });
  }
});

test('the answer stays the same after the peer has ended', { timeout: timeoutMs }, async (t) => {
  const path = socketPath(t);
  const server = await listen(t, path);
  const child = startPeer(t, path, undefined);
  const socket = await acceptFrom(server, t);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(peerOf(socket).pid, child.pid);
});

test('a closed socket has no peer', { timeout: timeoutMs }, async (t) => {
  const path = socketPath(t);
  const server = await listen(t, path);
  const client = net.connect(path);
  t.after(() => client.destroy());
  const socket = await acceptFrom(server, t);
  socket.destroy();
  assert.equal(
    codeOf(() => peerOf(socket)),
    'PEER_UNKNOWN',
  );
});

test('a TCP socket has no peer that the kernel could name', { timeout: timeoutMs }, async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  t.after(() => client.destroy());
  const socket = await acceptFrom(server, t);
  assert.equal(
    codeOf(() => peerOf(socket)),
    'PEER_UNKNOWN',
  );
});
