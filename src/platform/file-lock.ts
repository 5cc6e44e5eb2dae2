// Exclusive locks on files that live as long as their process: flock(2) on a descriptor that stays open. The
// kernel lets go of them when the process ends, kill -9 included, so none is ever left over, and process numbers
// that come round again deceive nobody.

import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { loadNative } from './native.ts';
import { systemErrorCode } from './platform-error.ts';

const lockExclusive = 2;
const lockWithoutWaiting = 4;

export type LockAttempt =
  | { state: 'taken'; lock: FileLock }
  /** `pid` of the process that has it, where it could be read; for people only. */
  | { state: 'held'; pid: number | undefined };

export class FileLock {
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Takes the lock if it is free, without waiting. The file is made where it is missing and stays afterwards:
   * removing it would let two processes lock two files of one name.
   * Throws the system's error where the file cannot be opened or its file system has no locks.
   */
  static tryTake(path: string): LockAttempt {
    for (;;) {
      const fd = openSync(path, 'a+', 0o600);
      try {
        if (!lock(fd)) {
          const attempt: LockAttempt = { state: 'held', pid: readPid(path) };
          closeSync(fd);
          return attempt;
        }
        if (isFileAt(fd, path)) {
          ftruncateSync(fd, 0);
          writeSync(fd, `${process.pid}\n`);
          return { state: 'taken', lock: new FileLock(fd) };
        }
        // Somebody removed the file between opening and locking it: the lock is on a file without a name.
        closeSync(fd);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    }
  }

  /** Lets go; harmless when it is already released. */
  release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function lock(fd: number): boolean {
  const native = loadNative();
  for (;;) {
    if (native.flock(fd, lockExclusive | lockWithoutWaiting) === 0) return true;
    const reason = native.lastErrorName();
    if (reason === 'EAGAIN' || reason === 'EWOULDBLOCK') return false;
    if (reason !== 'EINTR') throw Object.assign(new Error(`flock: ${reason}`), { code: reason });
  }
}

function isFileAt(fd: number, path: string): boolean {
  try {
    const opened = fstatSync(fd);
    const named = statSync(path);
    return opened.ino === named.ino && opened.dev === named.dev;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The number that the holder wrote; undefined while it has not yet done so. */
function readPid(path: string): number | undefined {
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
  return Number.isSafeInteger(pid) && isAlive(pid) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}
