// How much room files take on a disk, near enough for limits: whole blocks of 4 KiB, the same on every file system.
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from './platform-error.ts';

const blockBytes = 4096;

/** What a file of this many bytes takes. */
export function diskBytesOf(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

/**
 * The folder and all below it, but for entries of its own with these names. One file after the other, so that nothing
 * else has to wait. What goes away meanwhile counts nothing; throws other errors of the system.
 */
export async function measureFolder(
  path: string,
  options: { except?: readonly string[]; signal?: AbortSignal } = {},
): Promise<number> {
  let sum = blockBytes;
  for (const entry of await entriesOf(path)) {
    if (options.except?.includes(entry.name)) continue;
    options.signal?.throwIfAborted();
    const { signal } = options;
    const child = join(path, entry.name);
    sum += entry.isDirectory()
      ? await measureFolder(child, signal === undefined ? {} : { signal })
      : diskBytesOf(await sizeOf(child));
  }
  return sum;
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
