// Where log lines go: standard error or a file. Writing goes on behind the caller's back, so that a slow disk or
// reader delays nobody; what cannot be written is lost and counted, and never ends the process.

import { close, mkdirSync, openSync, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorCode } from './platform-error.ts';

/** Most characters of lines that wait for a slow reader; further lines are lost. */
const pendingLengthMax = 8 * 1024 * 1024;
/** A pipe whose reader is slow says 'again later' where it was made non-blocking. */
const againMs = 20;
/** How long a flush waits for such a reader. */
const flushWaitMs = 1000;

export class LogSink {
  readonly #fd: number;
  #pending: string[] = [];
  #pendingLength = 0;
  #writing: Promise<void> | undefined;
  #lostLines = 0;
  /** The reader has gone for good. */
  #isBroken = false;
  #isMidLine = false;
  readonly #onExit = () => this.flush();

  private constructor(fd: number) {
    this.#fd = fd;
    process.on('exit', this.#onExit);
  }

  /** A file is added to, its folder is made. Throws the system's error where it cannot be opened. */
  static open(to: 'stderr' | { path: string }): LogSink {
    if (to === 'stderr') return new LogSink(2);
    mkdirSync(dirname(to.path), { recursive: true });
    return new LogSink(openSync(to.path, 'a', 0o640));
  }

  /** Takes one line with its line end. Never throws, never waits. */
  write(line: string): void {
    if (this.#isBroken || this.#pendingLength + line.length > pendingLengthMax) {
      this.#lostLines += 1;
      return;
    }
    this.#pending.push(line);
    this.#pendingLength += line.length;
    this.#writing ??= this.#writeAll();
  }

  /** Writes what is not yet under way before it returns, or gives up after a second. Done at the exit anyway. */
  flush(): void {
    let rest = this.#takePending();
    const endMs = performance.now() + flushWaitMs;
    while (rest.length > 0 && !this.#isBroken && performance.now() < endMs) {
      try {
        rest = this.#advance(rest, writeSync(this.#fd, rest));
      } catch (error) {
        if (systemErrorCode(error) !== 'EAGAIN') return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, againMs);
      }
    }
  }

  /** Waits until all lines are written or lost, and closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    process.off('exit', this.#onExit);
    if (this.#fd !== 2) await new Promise<void>((resolve) => close(this.#fd, () => resolve()));
  }

  async #writeAll(): Promise<void> {
    // Lines of one turn of the event loop go out together.
    await Promise.resolve();
    while (this.#pending.length > 0 && !this.#isBroken) {
      let rest = this.#takePending();
      while (rest.length > 0) {
        const outcome = await writeSome(this.#fd, rest);
        if (typeof outcome === 'number') {
          rest = this.#advance(rest, outcome);
        } else if (outcome === 'EAGAIN') {
          await new Promise((resolve) => setTimeout(resolve, againMs));
        } else {
          this.#lose(rest, outcome);
          rest = Buffer.alloc(0);
        }
      }
    }
    this.#writing = undefined;
  }

  /** All that waits, after a new line where a lost one broke off, and after word of what was lost. */
  #takePending(): Buffer {
    const lines = this.#pending;
    this.#pending = [];
    this.#pendingLength = 0;
    if (this.#lostLines > 0) {
      const fields = { level: 'warn', time: new Date().toISOString(), lines: this.#lostLines };
      lines.unshift(`${JSON.stringify({ ...fields, message: 'log lines were lost' })}\n`);
      this.#lostLines = 0;
    }
    if (this.#isMidLine) lines.unshift('\n');
    return Buffer.from(lines.join(''));
  }

  #advance(bytes: Buffer, writtenBytes: number): Buffer {
    if (writtenBytes > 0) this.#isMidLine = bytes[writtenBytes - 1] !== 0x0a;
    return bytes.subarray(writtenBytes);
  }

  #lose(bytes: Buffer, reason: string): void {
    for (const byte of bytes) if (byte === 0x0a) this.#lostLines += 1;
    if (reason === 'EPIPE' || reason === 'EBADF') this.#isBroken = true;
  }
}

/** The number of bytes written, or the code of the error. */
function writeSome(fd: number, bytes: Buffer): Promise<number | string> {
  return new Promise((resolve) => {
    write(fd, bytes, 0, bytes.length, null, (error, writtenBytes) =>
      resolve(error === null ? writtenBytes : (systemErrorCode(error) ?? 'EIO')),
    );
  });
}
