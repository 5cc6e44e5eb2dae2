// Images by content hash: the same bytes are stored once and sent once. What is here, how large it is and when it was
// last used is known in memory, so that room can be made, and an image given up, without a look at the disk. An image
// that somebody just asked for, or that a ticket or job names, never goes.
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { diskBytesOf } from '../platform/disk-space.ts';
import { MqError } from '../protocol/errors.ts';
import { noRoom } from './room.ts';
import { Upload } from './upload.ts';

export interface ImageLimits {
  readonly imageBytesMax: number;
  /** All images together; the ones longest unused go first. */
  readonly imagesBytesMax: number;
  /** On their way in at once. */
  readonly uploads: number;
}

/** So long after its last use an image stays whatever happens: its client may be about to submit the job. */
const freshMs = 10 * 60 * 1000;

interface Known {
  readonly size: number;
  /** Wall clock. */
  usedAt: number;
}

export class Images {
  readonly #folder: string;
  #limits: ImageLimits;
  readonly #wallMs: () => number;
  readonly #known = new Map<string, Known>();
  readonly #removing = new Map<string, Promise<void>>();
  #needed: () => Promise<ReadonlySet<string>> = async () => new Set();
  #storedBytes = 0;
  /** Announced, and not stored or given up. */
  #incomingBytes = 0;
  #uploads = 0;

  constructor(folder: string, limits: ImageLimits, wallMs: () => number = Date.now) {
    this.#folder = folder;
    this.#limits = limits;
    this.#wallMs = wallMs;
  }

  /** From the next upload on. */
  takeUpTo(limits: ImageLimits): void {
    this.#limits = limits;
  }

  /** Says which images tickets and jobs name. */
  protect(needed: () => Promise<ReadonlySet<string>>): void {
    this.#needed = needed;
  }

  /** Makes the folder, clears what broken uploads left, and looks what is there. */
  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith('upload-')) await rm(this.#path(name), { force: true });
      else {
        const { size, mtimeMs } = await stat(this.#path(name));
        this.#know(name, { size, usedAt: mtimeMs });
      }
    }
  }

  /** Bytes of all images on the disk, with those that are on their way. */
  get diskBytes(): number {
    return this.#storedBytes + this.#incomingBytes;
  }

  /** Which of these are not here. The ones that are count as used now. */
  async missing(hashes: readonly string[]): Promise<string[]> {
    const missing: string[] = [];
    for (const hash of hashes) if ((await this.sizeOf(hash)) === undefined) missing.push(hash);
    return missing;
  }

  /** Counts as a use. */
  async sizeOf(hash: string): Promise<number | undefined> {
    const known = this.#known.get(hash);
    if (!known) return undefined;
    // At once, so that it can't be given up between this answer and what it is for.
    known.usedAt = this.#wallMs();
    try {
      await utimes(this.#path(hash), known.usedAt / 1000, known.usedAt / 1000);
    } catch {
      this.#forget(hash);
      return undefined;
    }
    return known.size;
  }

  /** The bytes of an image in order. */
  read(hash: string): AsyncIterable<Buffer> {
    return createReadStream(this.#path(hash), { highWaterMark: 256 * 1024 });
  }

  /** Throws TOO_LARGE, or LIMIT_REACHED where there is no room; else take the bytes by `write`, then `finish`. */
  async upload(image: { hash: string; size: number }): Promise<Upload> {
    if (image.size > this.#limits.imageBytesMax) {
      throw new MqError(
        'TOO_LARGE',
        `The image has ${image.size} bytes; this lab takes ${this.#limits.imageBytesMax} at most.`,
      );
    }
    if (this.#uploads >= this.#limits.uploads)
      throw noRoom('uploads', { value: this.#limits.uploads, what: 'uploads' });
    const bytes = diskBytesOf(image.size);
    this.#take(bytes);
    try {
      await this.#makeRoom();
      return await this.#open(image, bytes);
    } catch (error) {
      this.#take(-bytes, -1);
      throw error;
    }
  }

  #take(bytes: number, uploads = 1): void {
    this.#incomingBytes += bytes;
    this.#uploads += uploads;
  }

  async #open(image: { hash: string; size: number }, bytes: number): Promise<Upload> {
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
      target: this.#path(image.hash),
      onWhole: async () => this.#removing.get(image.hash),
      onOver: (isStored) => {
        this.#take(-bytes, -1);
        if (isStored) this.#know(image.hash, { size: image.size, usedAt: this.#wallMs() });
      },
    });
  }

  async #makeRoom(): Promise<void> {
    const { imagesBytesMax } = this.#limits;
    const idle = this.diskBytes > imagesBytesMax ? await this.idle() : [];
    for (const { hash } of idle) {
      if (this.diskBytes <= imagesBytesMax) return;
      await this.remove(hash);
    }
    if (this.diskBytes <= imagesBytesMax) return;
    throw new MqError(
      'LIMIT_REACHED',
      `The images that jobs wait for take all the room there is for images (${imagesBytesMax} bytes). Try again later.`,
      { details: { limit: 'imagesBytesMax', value: imagesBytesMax } },
    );
  }

  /** Images that may go, the one longest unused first. */
  async idle(): Promise<{ hash: string; usedAt: number }[]> {
    const needed = await this.#needed();
    return [...this.#known]
      .filter(([hash]) => this.#isIdle(hash) && !needed.has(hash))
      .map(([hash, { usedAt }]) => ({ hash, usedAt }))
      .sort((a, b) => a.usedAt - b.usedAt);
  }

  /** Gives an idle image up; one that is in use again stays. Answers whether it went. */
  async remove(hash: string): Promise<boolean> {
    if (!this.#isIdle(hash)) return false;
    this.#forget(hash);
    const gone = rm(this.#path(hash), { force: true });
    this.#removing.set(hash, gone);
    try {
      await gone;
      return true;
    } finally {
      this.#removing.delete(hash);
    }
  }

  #isIdle(hash: string): boolean {
    const known = this.#known.get(hash);
    return known !== undefined && known.usedAt + freshMs < this.#wallMs();
  }

  #know(hash: string, known: Known): void {
    this.#forget(hash);
    this.#known.set(hash, known);
    this.#storedBytes += diskBytesOf(known.size);
  }

  #forget(hash: string): void {
    this.#storedBytes -= diskBytesOf(this.#known.get(hash)?.size ?? 0);
    this.#known.delete(hash);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
