// The C library, called through koffi: the few questions that Node has no answer to (who is at the other
// end of a socket, user names from the name service, file locks). Loaded at the first use and kept, so that
// programs that never ask pay nothing.

import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import type koffi from 'koffi';
import { PlatformError } from './platform-error.ts';

/** C functions as they are; an `int` result of -1 means: see `lastErrorName`. */
export type Native = {
  getsockopt(fd: number, level: number, option: number, value: Buffer, length: Uint32Array): number;
  /** macOS only. */
  getpeereid?(fd: number, uid: Uint32Array, gid: Uint32Array): number;
  /** Fills `entry` (a struct passwd) and `text` on another thread; `found` is 0n where there is no such user. */
  getpwuid(uid: number, entry: Buffer, text: Buffer, found: BigUint64Array): Promise<number>;
  /** As getpwuid, by name. */
  getpwnam(name: string, entry: Buffer, text: Buffer, found: BigUint64Array): Promise<number>;
  /** As getpwuid, for a struct group, on this thread. */
  getgrnam(name: string, entry: Buffer, text: Buffer, found: BigUint64Array): number;
  flock(fd: number, operation: number): number;
  /** The C string at an address inside `text`. */
  stringIn(text: Buffer, address: bigint): string;
  /** The name of the error of the call before on this thread: 'EWOULDBLOCK', 'ENOTSOCK', … */
  lastErrorName(): string;
};

let native: Native | undefined;

/**
 * The C library of this process. A server calls it once when it starts, so that a missing binary is seen
 * then and not at the first client.
 * Throws a PlatformError NATIVE_UNAVAILABLE where koffi has no binary for this system.
 */
export function loadNative(): Native {
  native ??= bind(loadKoffi());
  return native;
}

function loadKoffi(): typeof koffi {
  try {
    // Not an import: its failure has to become an error with advice, and only where it is needed.
    return createRequire(import.meta.url)('koffi') as typeof koffi;
  } catch (cause) {
    throw new PlatformError(
      'NATIVE_UNAVAILABLE',
      `The npm package koffi does not load on ${process.platform} ${process.arch}, so the system cannot be asked ` +
        'who is at the other end of a socket. Run `npm install` again with optional packages allowed ' +
        '(without --omit=optional), on this machine and with this Node.',
      { details: { platform: process.platform, arch: process.arch }, cause },
    );
  }
}

function bind(ffi: typeof koffi): Native {
  const libc = ffi.load(null);
  const getpwuid = libc.func(
    'int getpwuid_r(uint32_t uid, void *entry, void *text, size_t length, void *found)',
  );
  const getpwnam = libc.func(
    'int getpwnam_r(const char *name, void *entry, void *text, size_t length, void *found)',
  );
  const getgrnam = libc.func(
    'int getgrnam_r(const char *name, void *entry, void *text, size_t length, void *found)',
  );
  const calls: Native = {
    getsockopt: libc.func('int getsockopt(int fd, int level, int option, void *value, void *length)'),
    getpwuid: (uid, entry, text, found) =>
      new Promise((resolve, reject) => {
        getpwuid.async(uid, entry, text, text.length, found, (error: unknown, result: number) =>
          error ? reject(error) : resolve(result),
        );
      }),
    getpwnam: (name, entry, text, found) =>
      new Promise((resolve, reject) => {
        getpwnam.async(name, entry, text, text.length, found, (error: unknown, result: number) =>
          error ? reject(error) : resolve(result),
        );
      }),
    getgrnam: (name, entry, text, found) => getgrnam(name, entry, text, text.length, found) as number,
    flock: libc.func('int flock(int fd, int operation)'),
    stringIn: (text, address) => {
      const start = Number(address - ffi.address(text));
      return text.toString('utf8', start, text.indexOf(0, start));
    },
    lastErrorName: () => getSystemErrorName(-ffi.errno()),
  };
  if (process.platform === 'darwin') {
    calls.getpeereid = libc.func('int getpeereid(int fd, void *uid, void *gid)');
  }
  return calls;
}
