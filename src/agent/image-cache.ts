// Images that the agent has, by content hash: fetched from the server once, checked, shared by all jobs. Jobs get them
// as links of their own, not to be written to, so that what is cleared here stays with who uses it.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../platform/platform-error.ts';
import { ImageFetch } from './image-fetch.ts';

/** Asks the server for an image; its answer comes through `size`, `take` and `missing` with this number. */
export type AskForImage = (transfer: number, hash: string) => void;

interface Wanted {
  readonly hash: string;
  readonly done: PromiseWithResolvers<void>;
  transfer: number;
  /** On its way; undefined before it is asked for, and when all of it has come. */
  fetch: ImageFetch | undefined;
  hasCome: boolean;
}

/** How often an image that was cleared in the very moment is fetched again. */
const placeTriesMax = 5;

export class ImageCache {
  readonly #folder: string;
  readonly #bytesMax: number;
  readonly #wanted = new Map<string, Wanted>();
  readonly #byTransfer = new Map<number, Wanted>();
  /** Images whose sum this process has seen to be right: a power cut may have torn others. */
  readonly #checked = new Set<string>();
  #ask: AskForImage | undefined;
  #lastTransfer = 0;

  constructor(folder: string, bytesMax: number) {
    this.#folder = folder;
    this.#bytesMax = bytesMax;
  }

  /** Clears what broken transfers left. */
  async start(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (name.endsWith('.part')) await rm(join(this.#folder, name), { force: true });
    }
  }

  /**
   * Puts the image at a path that nothing has yet. Waits for its transfer, over reconnects, until the signal; rejects
   * where it can't be had, and with the signal's reason.
   */
  async place(hash: string, path: string, signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < placeTriesMax; tries += 1) {
      signal.throwIfAborted();
      if (this.#wanted.has(hash) || !(await this.#has(hash))) await this.#fetched(hash, signal);
      if (await this.#link(hash, path)) return;
    }
    throw new Error(
      `image ${brief(hash)} is cleared as soon as it comes: the agent's room for images is too small`,
    );
  }

  /** A connection to the server is there: ask, again, for all that is missing. */
  connected(ask: AskForImage): void {
    this.#ask = ask;
    for (const wanted of this.#wanted.values()) this.#request(wanted);
  }

  /** Half an image is worth nothing on the next connection. */
  disconnected(): void {
    this.#ask = undefined;
    for (const wanted of this.#wanted.values()) this.#drop(wanted);
  }

  size(transfer: number, size: number): void {
    const wanted = this.#byTransfer.get(transfer);
    if (!wanted?.fetch) return;
    const { fetch } = wanted;
    fetch.expect(size, this.#bytesMax).then(
      () => this.#finishIfComplete(wanted, fetch),
      (error: Error) => this.#fail(wanted, fetch, error.message),
    );
  }

  /** Bytes of a transfer, in order. Resolves when more may come; never rejects. */
  async take(transfer: number, offset: number, bytes: Buffer): Promise<void> {
    const wanted = this.#byTransfer.get(transfer);
    if (!wanted?.fetch) return;
    const { fetch } = wanted;
    try {
      await fetch.take(offset, bytes);
      this.#finishIfComplete(wanted, fetch);
    } catch (error) {
      this.#fail(wanted, fetch, error instanceof Error ? error.message : String(error));
    }
  }

  /** The server does not have it. */
  missing(transfer: number, why: string): void {
    const wanted = this.#byTransfer.get(transfer);
    if (wanted?.fetch) this.#fail(wanted, wanted.fetch, why);
  }

  async #fetched(hash: string, signal: AbortSignal): Promise<void> {
    const wanted = this.#wanted.get(hash) ?? this.#want(hash);
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([wanted.done.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #want(hash: string): Wanted {
    const wanted: Wanted = {
      hash,
      done: Promise.withResolvers(),
      transfer: 0,
      fetch: undefined,
      hasCome: false,
    };
    // Whoever waited may have left.
    wanted.done.promise.catch(() => undefined);
    this.#wanted.set(hash, wanted);
    this.#request(wanted);
    return wanted;
  }

  #request(wanted: Wanted): void {
    if (!this.#ask || wanted.hasCome) return;
    this.#drop(wanted);
    this.#lastTransfer += 1;
    wanted.transfer = this.#lastTransfer;
    wanted.fetch = new ImageFetch(wanted.hash, join(this.#folder, `${wanted.hash}.${wanted.transfer}.part`));
    this.#byTransfer.set(wanted.transfer, wanted);
    this.#ask(wanted.transfer, wanted.hash);
  }

  #drop(wanted: Wanted): void {
    this.#byTransfer.delete(wanted.transfer);
    void wanted.fetch?.giveUp();
    wanted.fetch = undefined;
  }

  #finishIfComplete(wanted: Wanted, fetch: ImageFetch): void {
    if (wanted.fetch !== fetch || !fetch.isComplete) return;
    // Whatever else comes for this transfer, and a lost connection, no longer matter.
    this.#byTransfer.delete(wanted.transfer);
    wanted.fetch = undefined;
    wanted.hasCome = true;
    fetch
      .keepAs(this.#path(wanted.hash))
      // What could not be cleared now is looked at again with the next image.
      .then(() => this.#trim(wanted.hash).catch(() => undefined))
      .then(
        () => this.#settle(wanted),
        (error: Error) => {
          void fetch.giveUp();
          this.#reject(wanted, error.message);
        },
      );
  }

  #settle(wanted: Wanted): void {
    this.#checked.add(wanted.hash);
    this.#wanted.delete(wanted.hash);
    wanted.done.resolve();
  }

  #fail(wanted: Wanted, fetch: ImageFetch, why: string): void {
    if (wanted.fetch !== fetch) return;
    this.#drop(wanted);
    this.#reject(wanted, why);
  }

  #reject(wanted: Wanted, why: string): void {
    this.#wanted.delete(wanted.hash);
    wanted.done.reject(new Error(`image ${brief(wanted.hash)} can not be had: ${why}`));
  }

  /** Whether it is there and whole. */
  async #has(hash: string): Promise<boolean> {
    const path = this.#path(hash);
    try {
      const now = new Date();
      await utimes(path, now, now);
      if (this.#checked.has(hash)) return true;
      if ((await sumOf(path)) === hash) {
        this.#checked.add(hash);
        return true;
      }
      await rm(path, { force: true });
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
    this.#checked.delete(hash);
    return false;
  }

  /** False when it has been cleared meanwhile. */
  async #link(hash: string, path: string): Promise<boolean> {
    try {
      await link(this.#path(hash), path);
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOENT') return false;
      // Systems without hard links, or at the end of them.
      if (code !== 'EPERM' && code !== 'EMLINK' && code !== 'ENOTSUP' && code !== 'EXDEV') throw error;
      await copyFile(this.#path(hash), path);
      return true;
    }
  }

  /** The images longest unused go when all together are too many; never the newest. */
  async #trim(newest: string): Promise<void> {
    const files: { path: string; hash: string; size: number; usedMs: number }[] = [];
    for (const hash of await readdir(this.#folder)) {
      if (hash.endsWith('.part')) continue;
      const info = await stat(this.#path(hash)).catch(() => undefined);
      if (info) files.push({ path: this.#path(hash), hash, size: info.size, usedMs: info.mtimeMs });
    }
    let total = files.reduce((sum, file) => sum + file.size, 0);
    for (const { path, hash, size } of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.#bytesMax) return;
      if (hash === newest) continue;
      this.#checked.delete(hash);
      await rm(path, { force: true });
      total -= size;
    }
  }

  #path(hash: string): string {
    return join(this.#folder, hash);
  }
}

async function sumOf(path: string): Promise<string> {
  const sum = createHash('sha256');
  for await (const bytes of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    sum.update(bytes as Buffer);
  return sum.digest('hex');
}

function brief(hash: string): string {
  return hash.slice(0, 12);
}
