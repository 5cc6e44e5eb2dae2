// Replaces Node's file functions, for code in simulated processes, by ones that take simulated time, end with their
// process and fail while the host's disk is full. The files are real, in the host's folder, and worked on synchronously,
// so that one seed gives one order of events. What is written survives a kill, as with a kernel.

import fs, { type Dirent } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { Readable } from 'node:stream';
import { currentProcess, type ProcessOfHost } from './context.ts';

const operationMsMax = 2;
/** A real one of this machine is not of this host, which has no process table. */
const processTable = '/proc';

export class DiskError extends Error {
  readonly code: string;

  constructor(code: string, what: string) {
    super(`${code}: simulated, ${what}`);
    this.code = code;
  }
}

function checkDisk(process: ProcessOfHost, what: string): void {
  if (!process.host.canWrite) throw new DiskError('ENOSPC', `no space left on device, ${what}`);
}

/** Some time later, in a process that is still there. */
async function onDisk<T>(process: ProcessOfHost, work: () => T): Promise<T> {
  await process.sleep(process.host.random.between(0, operationMsMax));
  return work();
}

type Bytes = NodeJS.ArrayBufferView & { readonly length: number };

/** An open file: what the product uses of a FileHandle. */
class SimulatedFile {
  readonly #process: ProcessOfHost;
  readonly #fd: number;
  readonly #forgetEnd: () => void;
  #isOpen = true;
  #hasWritten = false;

  constructor(process: ProcessOfHost, fd: number) {
    this.#process = process;
    this.#fd = fd;
    this.#forgetEnd = process.onEnd(() => this.#close());
  }

  #do<T>(work: () => T): Promise<T> {
    return onDisk(this.#process, work);
  }

  #write<T>(work: () => T): Promise<T> {
    return this.#do(() => {
      checkDisk(this.#process, 'write');
      this.#hasWritten = true;
      return work();
    });
  }

  read(buffer: Bytes, offset: number, length: number, position: number | null) {
    return this.#do(() => ({ bytesRead: fs.readSync(this.#fd, buffer, offset, length, position), buffer }));
  }

  write(buffer: Bytes, offset?: number, length?: number, position?: number | null) {
    return this.#write(() => ({
      bytesWritten: fs.writeSync(this.#fd, buffer, offset, length, position),
      buffer,
    }));
  }

  writev(buffers: readonly Bytes[], position?: number) {
    return this.#write(() => ({ bytesWritten: fs.writevSync(this.#fd, buffers, position), buffers }));
  }

  writeFile(data: string | Bytes): Promise<void> {
    return this.#write(() => fs.writeFileSync(this.#fd, data));
  }

  stat() {
    return this.#do(() => fs.fstatSync(this.#fd));
  }

  truncate(length?: number): Promise<void> {
    return this.#do(() => fs.ftruncateSync(this.#fd, length));
  }

  chmod(mode: number): Promise<void> {
    return this.#do(() => fs.fchmodSync(this.#fd, mode));
  }

  sync(): Promise<void> {
    return this.#do(() => checkDisk(this.#process, 'sync'));
  }

  datasync(): Promise<void> {
    return this.sync();
  }

  close(): Promise<void> {
    return this.#do(() => this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#forgetEnd();
    const seconds = this.#process.host.wallMs / 1000;
    if (this.#hasWritten) fs.futimesSync(this.#fd, seconds, seconds);
    fs.closeSync(this.#fd);
  }
}

function listFolder(path: string, options?: { withFileTypes?: boolean }): string[] | Dirent[] {
  if (path === processTable) return [];
  if (options?.withFileTypes)
    return fs.readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return fs.readdirSync(path).sort();
}

async function* readPieces(process: ProcessOfHost, path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const file = await onDisk(process, () => new SimulatedFile(process, fs.openSync(path, 'r')));
  try {
    for (let position = 0; ; ) {
      const piece = Buffer.alloc(pieceBytes);
      const { bytesRead } = await file.read(piece, 0, piece.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Those that make room, or need none. */
const promisesThatFit = {
  readdir: listFolder,
  rename: fs.renameSync,
  rm: fs.rmSync,
  stat: fs.statSync,
  unlink: fs.unlinkSync,
  utimes: fs.utimesSync,
  readFile: fs.readFileSync,
  link: fs.linkSync,
  statfs: fs.statfsSync,
};
const promisesThatFill = {
  mkdir: fs.mkdirSync,
  copyFile: fs.copyFileSync,
  writeFile: fs.writeFileSync,
};
const syncThatFill = {
  writeFileSync: fs.writeFileSync,
  appendFileSync: fs.appendFileSync,
};

type Call = (...args: never[]) => unknown;

let isDone = false;

/** Once for all; a second call changes nothing. */
export function replaceFiles(): void {
  if (isDone) return;
  isDone = true;
  for (const [name, work] of Object.entries(promisesThatFit)) replacePromise(name, work as Call, false);
  for (const [name, work] of Object.entries(promisesThatFill)) replacePromise(name, work as Call, true);
  for (const [name, work] of Object.entries(syncThatFill)) replaceSync(name, work as Call);
  replaceOpen();
  syncBuiltinESMExports();
}

function replacePromise(name: string, work: Call, fills: boolean): void {
  const real = fs.promises[name as keyof typeof fs.promises] as Call;
  const replaced = (...args: never[]): unknown => {
    const process = currentProcess();
    if (!process) return real(...args);
    return onDisk(process, () => {
      if (fills) checkDisk(process, name);
      return work(...args);
    });
  };
  Object.assign(fs.promises, { [name]: replaced });
}

function replaceSync(name: string, real: Call): void {
  const replaced = (...args: never[]): unknown => {
    const process = currentProcess();
    if (process && !process.isAlive) throw new DiskError('EIO', 'the process has ended');
    if (process && typeof args[0] !== 'number') checkDisk(process, name);
    return real(...args);
  };
  Object.assign(fs, { [name]: replaced });
}

function replaceOpen(): void {
  const { open } = fs.promises;
  const { createReadStream } = fs;
  const simulated = {
    open: (path: string, flags: string | number = 'r', mode?: number): unknown => {
      const process = currentProcess();
      if (!process) return open(path, flags, mode);
      return onDisk(process, () => {
        if (flags !== 'r' && !fs.existsSync(path)) checkDisk(process, 'open');
        return new SimulatedFile(process, fs.openSync(path, flags, mode));
      });
    },
  };
  Object.assign(fs.promises, simulated);
  Object.assign(fs, {
    createReadStream: (path: string, options: { highWaterMark?: number } = {}): Readable => {
      const process = currentProcess();
      if (!process) return createReadStream(path, options);
      return Readable.from(readPieces(process, path, options.highWaterMark ?? 64 * 1024));
    },
  });
}
