// Listening on a unix socket. A lock file beside it (PATH.lock) says who may: of two processes that start at once
// one gets it, and what a crash left is replaced without a moment in which two could. The socket is made under
// another name and then renamed, so that it has its mode and group before anybody can find it.

import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, rmSync, type Stats } from 'node:fs';
import { connect, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { FileLock } from './file-lock.ts';
import { PlatformError, systemErrorCode } from './platform-error.ts';

export type UnixSocketOptions = {
  path: string;
  /** Who may connect; 0o666 where it is not given. On Linux connecting takes the right to write. */
  mode?: number;
  /** Group of the socket file; that of the process where it is not given. */
  groupId?: number;
  /** Make the folder of the socket, and those above it, when they are missing. */
  createFolder?: boolean;
};

export type UnixSocketListener = {
  /** Stops listening and takes the socket away; connections that are open stay. */
  close(): Promise<void>;
};

/** sockaddr_un has 108 bytes on Linux and 104 on macOS, one of them for the end of the text. */
const pathBytesMax = process.platform === 'darwin' ? 103 : 107;
const probeTimeoutMs = 1000;

/**
 * Lets the server listen at a path.
 * Throws a PlatformError: SOCKET_PATH_TOO_LONG; SOCKET_IN_USE when a live process listens there (its `pid` in the
 * details where it is known); SOCKET_UNUSABLE when something else is in the way.
 */
export async function listenOnUnixSocket(
  server: Server,
  options: UnixSocketOptions,
): Promise<UnixSocketListener> {
  const { path } = options;
  assertPathFits(path);
  const lock = await asUnusable(path, () => {
    if (options.createFolder === true) mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    return takeLock(path);
  });
  try {
    await assertFree(path);
    const made = await asUnusable(path, () => listenAndRename(server, options));
    let isClosed = false;
    return {
      close: async () => {
        if (!isClosed) closeListener(server, path, made, lock);
        isClosed = true;
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Throws SOCKET_PATH_TOO_LONG for a path that the kernel would refuse, or cut short. A path relative to the
 * working folder may be shorter.
 */
export function assertPathFits(path: string): void {
  const pathBytes = Buffer.byteLength(path);
  if (pathBytes <= pathBytesMax) return;
  throw new PlatformError(
    'SOCKET_PATH_TOO_LONG',
    `The path of a socket can have ${pathBytesMax} bytes, this one has ${pathBytes}: ${path}`,
    { details: { path, pathBytes, pathBytesMax } },
  );
}

function takeLock(path: string): FileLock {
  const attempt = FileLock.tryTake(`${path}.lock`);
  if (attempt.state === 'taken') return attempt.lock;
  throw inUse(path, attempt.pid);
}

/** What stands at the path may go if it is a socket that nobody answers. */
async function assertFree(path: string): Promise<void> {
  const stats = await asUnusable(path, () => findStats(path));
  if (stats === undefined) return;
  if (!stats.isSocket()) throw unusable(path, 'something else than a socket has this name');
  // A program that does not know the lock may still listen there.
  const refusal = await probe(path);
  if (refusal !== 'ECONNREFUSED' && refusal !== 'ENOENT') throw inUse(path, undefined);
}

/** The code of the error that ends a try to connect, or undefined when somebody answers. */
function probe(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.setTimeout(probeTimeoutMs, () => done(undefined));
    const done = (code: string | undefined): void => {
      socket.destroy();
      resolve(code);
    };
    socket.once('connect', () => done(undefined));
    socket.once('error', (error) => done(systemErrorCode(error)));
  });
}

async function listenAndRename(server: Server, options: UnixSocketOptions): Promise<Stats> {
  const { path, mode = 0o666, groupId } = options;
  const early = earlyPath(path);
  rmSync(early, { force: true });
  await listen(server, early);
  try {
    if (groupId !== undefined) chownSync(early, process.geteuid?.() ?? -1, groupId);
    chmodSync(early, mode);
    const stats = lstatSync(early);
    renameSync(early, path);
    return stats;
  } catch (error) {
    server.close();
    throw error;
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onListening = (): void => {
      server.off('error', onError);
      resolve();
    };
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      reject(error);
    };
    server.once('listening', onListening);
    server.once('error', onError);
    server.listen(path);
  });
}

/** A name beside the path that is not longer: its last character is another. */
function earlyPath(path: string): string {
  const name = basename(path);
  return join(dirname(path), `${[...name].slice(0, -1).join('')}${name.endsWith('~') ? '#' : '~'}`);
}

function closeListener(server: Server, path: string, made: Stats, lock: FileLock): void {
  server.close();
  try {
    const stats = findStats(path);
    // Whatever somebody else put there is not ours to remove.
    if (stats?.ino === made.ino && stats.dev === made.dev) rmSync(path, { force: true });
  } finally {
    lock.release();
  }
}

function findStats(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

async function asUnusable<T>(path: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    throw unusable(path, systemErrorCode(error) ?? String(error), error);
  }
}

function unusable(path: string, reason: string, cause?: unknown): PlatformError {
  return new PlatformError('SOCKET_UNUSABLE', `cannot listen on ${path}: ${reason}`, {
    details: { path, reason },
    cause,
  });
}

function inUse(path: string, pid: number | undefined): PlatformError {
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return new PlatformError('SOCKET_IN_USE', `${who} listens on ${path} already`, {
    details: { path, ...(pid === undefined ? {} : { pid }) },
  });
}
