// One image on its way in: its bytes are checked as they come, and it appears under its name only when it is whole.
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { rename, rm } from 'node:fs/promises';
import { MqError } from '../protocol/errors.ts';

export interface UploadOptions {
  readonly hash: string;
  readonly size: number;
  readonly file: FileHandle;
  readonly path: string;
  readonly target: string;
  /** Right before the image appears, and when nothing more will come of this upload. */
  readonly onWhole: () => Promise<void>;
  readonly onOver: (isStored: boolean) => void;
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
      await this.#options.onWhole();
      await rename(this.#options.path, this.#options.target);
    } catch (cause) {
      await rm(this.#options.path, { force: true });
      this.#options.onOver(false);
      throw new MqError('TRY_AGAIN', 'The server could not store the image. Try again.', { cause });
    }
    this.#options.onOver(true);
  }

  async abort(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    try {
      await this.#chain.catch(() => undefined);
      await this.#options.file.close();
      await rm(this.#options.path, { force: true });
    } finally {
      this.#options.onOver(false);
    }
  }
}
