// Stands between clients and the server's socket: each client has a socket of its own here, whose lines can be cut, also in the
// middle of a message, delayed, or left without a sign. Owns its sockets and listeners.

import { createServer, type Server, Socket } from 'node:net';
import { join } from 'node:path';

interface Line {
  readonly name: string;
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes towards the server that may still pass; then the line is cut. */
  bytesLeft: number;
}

export class LineProxy {
  readonly #folder: string;
  readonly #serverPath: string;
  readonly #listeners = new Map<string, Server>();
  readonly #lines = new Set<Line>();
  readonly #stalled = new Set<string>();
  /** Lines that were cut on purpose. */
  cuts = 0;

  constructor(folder: string, serverPath: string) {
    this.#folder = folder;
    this.#serverPath = serverPath;
  }

  /** The path where the client of this name reaches the server. */
  async open(name: string): Promise<string> {
    const path = join(this.#folder, name);
    const listener = createServer({ allowHalfOpen: false }, (client) => this.#join(name, client));
    this.#listeners.set(name, listener);
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject).listen(path, resolve);
    });
    return path;
  }

  /** No more for this client: it is gone. */
  close(name: string): void {
    this.#listeners.get(name)?.close();
    this.#listeners.delete(name);
    this.#stalled.delete(name);
    for (const line of this.#lines) if (line.name === name) this.#end(line);
  }

  closeAll(): void {
    for (const name of [...this.#listeners.keys()]) this.close(name);
  }

  get names(): string[] {
    return [...new Set([...this.#lines].map(({ name }) => name))];
  }

  cut(name: string): void {
    for (const line of this.#lines) {
      if (line.name !== name) continue;
      this.cuts += 1;
      this.#end(line);
    }
  }

  /** Cuts the client's line when so many more bytes have gone to the server. */
  cutAfter(name: string, bytes: number): void {
    for (const line of this.#lines) if (line.name === name) line.bytesLeft = bytes;
  }

  /** From now on nothing passes, either way, also on new lines; it is kept, as a slow network would. */
  stall(name: string): void {
    this.#stalled.add(name);
    for (const line of this.#lines) if (line.name === name) this.#hold(line);
  }

  release(name: string): void {
    this.#stalled.delete(name);
    for (const { name: own, client, server } of this.#lines) {
      if (own !== name) continue;
      client.resume();
      server.resume();
    }
  }

  #join(name: string, client: Socket): void {
    const server = new Socket();
    const line: Line = { name, client, server, bytesLeft: Number.POSITIVE_INFINITY };
    this.#lines.add(line);
    for (const socket of [client, server]) {
      socket.on('error', () => this.#end(line));
      socket.on('close', () => this.#end(line));
    }
    client.on('data', (bytes) => this.#pass(line, bytes));
    server.on('data', (bytes) => client.write(bytes));
    server.connect(this.#serverPath);
    if (this.#stalled.has(name)) this.#hold(line);
  }

  #pass(line: Line, bytes: Buffer): void {
    const isLast = bytes.length >= line.bytesLeft;
    line.server.write(isLast ? bytes.subarray(0, line.bytesLeft) : bytes);
    line.bytesLeft -= bytes.length;
    if (!isLast) return;
    this.cuts += 1;
    // What was let through is to arrive before the end does.
    line.server.end(() => this.#end(line));
  }

  #hold({ client, server }: Line): void {
    client.pause();
    server.pause();
  }

  #end(line: Line): void {
    if (!this.#lines.delete(line)) return;
    line.client.destroy();
    line.server.destroy();
  }
}
