// Images by content hash: the same bytes are stored once and sent once. Uploads are checked as they come and appear
// under their name only when they are whole.
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { MqError } from '../protocol/errors.ts';

export interface ImageLimits {
  readonly imageBytesMax: number;
  /** All images together; the ones longest unused go first. */
  readonly storeBytesMax: number;
}

export class Images {
  readonly #folder: string;
  #limits: ImageLimits;

  constructor(folder: string, limits: ImageLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** From the next upload on. */
  takeUpTo(imageBytesMax: number): void {
    this.#limits = { ...this.#limits, imageBytesMax };
  }

  /** Makes the folder and clears what broken uploads left. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith('upload-')) await rm(join(this.#folder, name), { force: true });
    }
  }

  /** Which of these are not here. The ones that are count as used now. */
  async missing(hashes: readonly string[]): Promise<string[]> {
    const missing: string[] = [];
    for (const hash of hashes) if ((await this.sizeOf(hash)) === undefined) missing.push(hash);
    return missing;
  }

  async sizeOf(hash: string): Promise<number | undefined> {
    const path = join(this.#folder, hash);
    try {
      const now = new Date();
      await utimes(path, now, now);
      return (await stat(path)).size;
    } catch {
      return undefined;
    }
  }

  /** The bytes of an image in order. */
  read(hash: string): AsyncIterable<Buffer> {
    return createReadStream(join(this.#folder, hash), { highWaterMark: 256 * 1024 });
  }

  /** Throws TOO_LARGE; else take the bytes by `write`, then `finish`. */
  async upload(image: { hash: string; size: number }): Promise<Upload> {
    if (image.size > this.#limits.imageBytesMax) {
      throw new MqError(
        'TOO_LARGE',
        `The image has ${image.size} bytes; this lab takes ${this.#limits.imageBytesMax} at most.`,
      );
    }
    const path = join(this.#folder, `upload-${randomUUID()}`);
    const file = await open(path, 'wx', 0o600).catch((cause: unknown) => {
      throw new MqError('TRY_AGAIN', 'The server could not store the image (is its disk full?). Try again.', {
        cause,
      });
    });
    return new Upload({
      ...image,
      file,
      path,
      target: join(this.#folder, image.hash),
      onStored: () => this.#trim(),
    });
  }

  /** Forgets the images longest unused until the rest fits. */
  async #trim(): Promise<void> {
    const files: { path: string; size: number; usedMs: number }[] = [];
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith('upload-')) continue;
      const path = join(this.#folder, name);
      const info = await stat(path).catch(() => undefined);
      if (info) files.push({ path, size: info.size, usedMs: info.mtimeMs });
    }
    let total = files.reduce((sum, file) => sum + file.size, 0);
    for (const file of files.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.#limits.storeBytesMax) return;
      await rm(file.path, { force: true });
      total -= file.size;
    }
  }
}

interface UploadOptions {
  readonly hash: string;
  readonly size: number;
  readonly file: FileHandle;
  readonly path: string;
  readonly target: string;
  readonly onStored: () => Promise<void>;
}

/** One upload under way. `write` in order; then `finish`, or `abort` at any time. */
export class Upload {
  readonly #options: UploadOptions;
  readonly #sum = createHash('sha256');
  #received = 0;
  #done = false;
  #chain: Promise<unknown> = Promise.resolve();

  constructor(options: UploadOptions) {
    this.#options = options;
  }

  get received(): number {
    return this.#received;
  }

  get isWhole(): boolean {
    return this.#received >= this.#options.size;
  }

  /** Appends the bytes at `offset`, which must be where the last ended. */
  write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset !== this.#received || offset + bytes.length > this.#options.size) {
      throw new MqError(
        'IMAGE_MISMATCH',
        'The upload did not go on where it stood, or has more bytes than announced.',
      );
    }
    this.#received += bytes.length;
    const copy = Buffer.from(bytes);
    const written = this.#chain.then(async () => {
      this.#sum.update(copy);
      // Not `write`, which may take a part only.
      await this.#options.file.writeFile(copy);
    });
    this.#chain = written;
    return written;
  }

  /** Checks the sum and puts the image in its place. Throws IMAGE_MISMATCH, or TRY_AGAIN when the disk refuses. */
  async finish(): Promise<void> {
    try {
      await this.#chain;
      await this.#options.file.datasync();
    } catch (cause) {
      await this.abort();
      throw new MqError('TRY_AGAIN', 'The server could not store the image (is its disk full?). Try again.', {
        cause,
      });
    }
    const hash = this.#sum.digest('hex');
    if (!this.isWhole || hash !== this.#options.hash) {
      await this.abort();
      throw new MqError(
        'IMAGE_MISMATCH',
        `The bytes that came have the sum ${hash}, not ${this.#options.hash}. Send the file again.`,
      );
    }
    this.#done = true;
    try {
      await this.#options.file.close();
      await rename(this.#options.path, this.#options.target);
    } catch (cause) {
      await rm(this.#options.path, { force: true });
      throw new MqError('TRY_AGAIN', 'The server could not store the image. Try again.', { cause });
    }
    await this.#options.onStored();
  }

  async abort(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#chain.catch(() => undefined);
    await this.#options.file.close();
    await rm(this.#options.path, { force: true });
  }
}
