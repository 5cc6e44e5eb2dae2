// One image on its way from the server into a file: counted, summed, checked. Touches that file only.
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';

/**
 * Takes the bytes of one transfer in order. Once a call has rejected, or the transfer is given up, nothing comes of it
 * any more. Calls may overlap; they are carried out one after the other.
 */
export class ImageFetch {
  readonly #hash: string;
  readonly #partPath: string;
  readonly #sum = createHash('sha256');
  #file: FileHandle | undefined;
  #size: number | undefined;
  #received = 0;
  #isGivenUp = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(hash: string, partPath: string) {
    this.#hash = hash;
    this.#partPath = partPath;
  }

  /** How long the image will be. Rejects what can't be taken. */
  expect(size: number, bytesMax: number): Promise<void> {
    return this.#then(async () => {
      if (size > bytesMax) throw new Error(`it has ${size} bytes, and the agent keeps ${bytesMax} at most`);
      this.#file ??= await open(this.#partPath, 'w', 0o600);
      this.#size = size;
    });
  }

  take(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#then(async () => {
      if (this.#file === undefined || this.#size === undefined)
        throw new Error('its bytes came before its size');
      if (offset !== this.#received || offset + bytes.length > this.#size) {
        throw new Error('the server sent bytes that do not belong there');
      }
      this.#sum.update(bytes);
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(
          bytes,
          written,
          bytes.length - written,
          offset + written,
        );
        written += bytesWritten;
      }
      this.#received += bytes.length;
    });
  }

  get isComplete(): boolean {
    return this.#size !== undefined && this.#received === this.#size;
  }

  /** Moves the whole image to its place. Rejects when it is not what was asked for. */
  keepAs(path: string): Promise<void> {
    return this.#then(async () => {
      await this.#file?.chmod(0o444);
      await this.#close();
      const sum = this.#sum.digest('hex');
      if (sum !== this.#hash) throw new Error(`what came has the sum ${sum}`);
      await rename(this.#partPath, path);
    });
  }

  /** Removes what there is of it. Never rejects. */
  giveUp(): Promise<void> {
    this.#isGivenUp = true;
    this.#last = this.#last
      .catch(() => undefined)
      .then(() => this.#close())
      .then(() => rm(this.#partPath, { force: true }))
      .catch(() => undefined);
    return this.#last.then(() => undefined);
  }

  #then(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(() => {
      if (this.#isGivenUp) throw new Error('the transfer was given up');
      return work();
    });
    this.#last = next;
    next.catch(() => undefined);
    return next;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
