// One live process owns a state folder. The lock is the file `lock` in it, held as file-lock tells.

import { join } from 'node:path';
import { FileLock } from './file-lock.ts';
import { PlatformError } from './platform-error.ts';

export type FolderLock = {
  /** Gives the folder up; the end of the process does so too, however it ends. */
  release(): void;
};

/**
 * Takes a folder that exists for this process, without waiting.
 * Throws a PlatformError FOLDER_LOCKED, with the other's `pid` in its details where it is known.
 */
export function lockFolder(folder: string): FolderLock {
  const attempt = FileLock.tryTake(join(folder, 'lock'));
  if (attempt.state === 'taken') return attempt.lock;
  const { pid } = attempt;
  throw new PlatformError(
    'FOLDER_LOCKED',
    `${folder} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}. ` +
      'Stop that process first, or choose another folder.',
    { details: { folder, ...(pid === undefined ? {} : { pid }) } },
  );
}
