// Images that the agent has, by content hash: fetched from the server once, checked, shared by all jobs.
import { createHash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { imageCacheBytesMax } from './limits.ts';

/** Asks the server for an image; its answer comes through `size`, `take` and `fail` with this number. */
export type AskForImage = (transfer: number, hash: string) => void;

interface Fetch {
  readonly hash: string;
  readonly done: PromiseWithResolvers<string>;
  transfer: number;
  size: number | undefined;
  received: number;
  sum: ReturnType<typeof createHash>;
  file: WriteStream | undefined;
}

export class ImageCache {
  readonly #folder: string;
  readonly #fetches = new Map<string, Fetch>();
  readonly #byTransfer = new Map<number, Fetch>();
  #ask: AskForImage | undefined;
  #nextTransfer = 1;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Clears what broken transfers left. */
  async start(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (name.endsWith('.part')) await rm(join(this.#folder, name), { force: true });
    }
  }

  /** The path of the image; waits for its transfer, over reconnects, until the signal. Rejects where it can't be had. */
  async get(hash: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const path = join(this.#folder, hash);
    if (!this.#fetches.has(hash) && (await isThere(path))) return path;
    const fetch = this.#fetches.get(hash) ?? this.#begin(hash);
    const { promise, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    try {
      return await Promise.race([fetch.done.promise, promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** A connection to the server is there: ask, again, for all that is missing. */
  connected(ask: AskForImage): void {
    this.#ask = ask;
    for (const fetch of this.#fetches.values()) this.#request(fetch);
  }

  disconnected(): void {
    this.#ask = undefined;
  }

  size(transfer: number, size: number): void {
    const fetch = this.#byTransfer.get(transfer);
    if (!fetch) return;
    fetch.size = size;
    if (size === 0) this.#finish(fetch);
  }

  /** Bytes of a transfer, in order. Resolves when more may come. */
  async take(transfer: number, offset: number, bytes: Buffer): Promise<void> {
    const fetch = this.#byTransfer.get(transfer);
    if (!fetch?.file || fetch.size === undefined) return;
    if (offset !== fetch.received || offset + bytes.length > fetch.size) {
      return this.#fail(fetch, 'the server sent bytes that do not belong there');
    }
    fetch.received += bytes.length;
    fetch.sum.update(bytes);
    const { file } = fetch;
    const isReady = file.write(Buffer.from(bytes));
    if (fetch.received === fetch.size) this.#finish(fetch);
    else if (!isReady)
      await new Promise<void>((resolve) => file.once('drain', resolve).once('close', resolve));
  }

  fail(transfer: number, why: string): void {
    const fetch = this.#byTransfer.get(transfer);
    if (fetch) this.#fail(fetch, why);
  }

  #begin(hash: string): Fetch {
    const fetch: Fetch = {
      hash,
      done: Promise.withResolvers(),
      transfer: 0,
      size: undefined,
      received: 0,
      sum: createHash('sha256'),
      file: undefined,
    };
    fetch.done.promise.catch(() => undefined);
    this.#fetches.set(hash, fetch);
    this.#request(fetch);
    return fetch;
  }

  /** From the start: half an image of a broken connection is worth nothing. */
  #request(fetch: Fetch): void {
    if (!this.#ask) return;
    this.#byTransfer.delete(fetch.transfer);
    fetch.file?.destroy();
    fetch.transfer = this.#nextTransfer++;
    fetch.size = undefined;
    fetch.received = 0;
    fetch.sum = createHash('sha256');
    fetch.file = createWriteStream(this.#partPath(fetch), { mode: 0o600 });
    const { file, transfer } = fetch;
    file.on('error', (error) => {
      if (fetch.transfer === transfer) this.#fail(fetch, `the agent can't store the image: ${error.message}`);
    });
    this.#byTransfer.set(transfer, fetch);
    this.#ask(transfer, fetch.hash);
  }

  #finish(fetch: Fetch): void {
    const { file } = fetch;
    const sum = fetch.sum.digest('hex');
    if (sum !== fetch.hash) return this.#fail(fetch, `the image that came has the sum ${sum}`);
    file?.end(() => {
      const path = join(this.#folder, fetch.hash);
      rename(this.#partPath(fetch), path)
        .then(() => this.#trim())
        .then(
          () => this.#settle(fetch, () => fetch.done.resolve(path)),
          (error: Error) => this.#fail(fetch, error.message),
        );
    });
  }

  #fail(fetch: Fetch, why: string): void {
    fetch.file?.destroy();
    this.#settle(fetch, () => fetch.done.reject(new Error(`image ${fetch.hash.slice(0, 12)}: ${why}`)));
    rm(this.#partPath(fetch), { force: true }).catch(() => undefined);
  }

  #settle(fetch: Fetch, how: () => void): void {
    this.#fetches.delete(fetch.hash);
    this.#byTransfer.delete(fetch.transfer);
    how();
  }

  #partPath(fetch: Fetch): string {
    return join(this.#folder, `${fetch.hash}.${fetch.transfer}.part`);
  }

  /** The images longest unused go when all together are too many. */
  async #trim(): Promise<void> {
    const files: { path: string; size: number; usedMs: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const info = await stat(path).catch(() => undefined);
      if (info && !name.endsWith('.part')) files.push({ path, size: info.size, usedMs: info.mtimeMs });
    }
    let total = files.reduce((sum, file) => sum + file.size, 0);
    for (const file of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= imageCacheBytesMax) return;
      await rm(file.path, { force: true });
      total -= file.size;
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    const now = new Date();
    await utimes(path, now, now);
    return true;
  } catch {
    return false;
  }
}
