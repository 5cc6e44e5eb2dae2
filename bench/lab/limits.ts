// What the machine itself allows, taken in turns with what is measured: an append that reaches the disk, and a
// message to another process and back over a unix socket.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { makeFolder } from './lab.ts';

const pageBytes = 4096;
const messageBytes = 200;

export class MachineLimits {
  readonly #folder: string;
  readonly #file: number;
  readonly #echo: ChildProcess;
  readonly #socket: Socket;
  readonly #page = Buffer.alloc(pageBytes, 1);
  readonly #message = Buffer.alloc(messageBytes, 1);

  private constructor(folder: string, echo: ChildProcess, socket: Socket) {
    this.#folder = folder;
    this.#file = openSync(join(folder, 'log'), 'a');
    this.#echo = echo;
    this.#socket = socket;
  }

  static async start(): Promise<MachineLimits> {
    const folder = await makeFolder('limits');
    const path = join(folder, 's');
    const code =
      "require('node:net').createServer((s) => s.on('data', (b) => s.write(b)).on('error', () => {}))" +
      ".listen(process.argv[1], () => console.log('up'))";
    const echo = spawn(process.execPath, ['-e', code, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (echo.stdout) await once(echo.stdout, 'data');
    const socket = connect(path);
    await once(socket, 'connect');
    return new MachineLimits(folder, echo, socket);
  }

  /** Milliseconds of a 4 KB append and fdatasync. */
  sync(): number {
    const startedAt = performance.now();
    writeSync(this.#file, this.#page);
    fdatasyncSync(this.#file);
    return performance.now() - startedAt;
  }

  /** Milliseconds of 200 bytes to another Node process and back. */
  async roundTrip(): Promise<number> {
    const startedAt = performance.now();
    let missing = messageBytes;
    const { promise, resolve } = Promise.withResolvers<void>();
    const take = (bytes: Buffer) => {
      missing -= bytes.length;
      if (missing === 0) resolve();
    };
    this.#socket.on('data', take);
    this.#socket.write(this.#message);
    await promise;
    this.#socket.off('data', take);
    return performance.now() - startedAt;
  }

  async stop(): Promise<void> {
    closeSync(this.#file);
    this.#socket.destroy();
    this.#echo.kill('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }
}
