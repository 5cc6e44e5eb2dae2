// The files of consoles that are no longer written: how much room each takes, and how one is removed. A console that goes
// is first renamed, so that a crash in the middle leaves no half of it under its name.
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { measureFolder } from '../platform/disk-space.ts';
import { systemErrorCode } from '../platform/platform-error.ts';

const goneSuffix = '.gone';

export class ConsoleFiles {
  readonly #folder: string;
  /** What is known of each; so the sum needs no look at the disk. */
  readonly #bytes = new Map<number, number>();
  #sum = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Bytes on the disk of all that were measured and not removed. */
  get bytes(): number {
    return this.#sum;
  }

  path(job: number): string {
    return join(this.#folder, String(job));
  }

  /** The jobs that have a console, in any order; clears what a crash left half removed. */
  async list(): Promise<number[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const names = await readdir(this.#folder);
    for (const name of names) {
      if (name.endsWith(goneSuffix)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
    return names.filter((name) => /^[0-9]{1,15}$/.test(name)).map(Number);
  }

  async measure(job: number): Promise<void> {
    this.#note(job, await measureFolder(this.path(job)));
  }

  /** Fine where there is none. */
  async remove(job: number): Promise<void> {
    const gone = `${this.path(job)}${goneSuffix}`;
    try {
      await rename(this.path(job), gone);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
    await rm(gone, { recursive: true, force: true });
    this.#note(job, undefined);
  }

  #note(job: number, bytes: number | undefined): void {
    this.#sum += (bytes ?? 0) - (this.#bytes.get(job) ?? 0);
    if (bytes === undefined) this.#bytes.delete(job);
    else this.#bytes.set(job, bytes);
  }
}
