// Small files that a power cut leaves either old or new, never torn or empty: written beside, synced, renamed.

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The last write of each path that is under way in this process. */
const underWay = new Map<string, Promise<void>>();

/**
 * Replaces the file's content; resolves when it is on the disk for good. Writes of one path by one process go
 * one after the other; only one process may write a path. `mode` is that of the new file, 0o600 without it.
 * Throws the system's error (ENOSPC, …); the old content is then still there.
 */
export async function writeFileDurably(
  path: string,
  content: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  const before = underWay.get(path) ?? Promise.resolve();
  const write = before.catch(() => {}).then(() => replace(path, content, options.mode ?? 0o600));
  underWay.set(path, write);
  try {
    await write;
  } finally {
    if (underWay.get(path) === write) underWay.delete(path);
  }
}

async function replace(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  // One name, so that a kill in the middle leaves at most one file, which the next write takes over.
  const newPath = `${path}.new`;
  try {
    await rm(newPath, { force: true });
    await using(await open(newPath, 'wx', mode), async (file) => {
      await file.writeFile(content);
      // Not what the umask left of it.
      await file.chmod(mode);
      await file.sync();
    });
    await rename(newPath, path);
  } catch (error) {
    await rm(newPath, { force: true }).catch(() => {});
    throw error;
  }
  // Without this the rename itself may be lost.
  await using(await open(dirname(path), 'r'), (folder) => folder.sync());
}

async function using(file: FileHandle, action: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await action(file);
  } finally {
    await file.close();
  }
}
