// What is to be done about a board's lock file: what the scheduler says of its lock, beside what there is. Pure, and
// asked anew after each change on either side, so that it does not matter what was missed or cut short before.
import type { FoundFile, LockRecord } from '../../domain/records.ts';

/** What there is of a board's lock file. */
export interface FileState {
  /** Something of ours: the lock file, or what a kill left of one. */
  readonly isPinned: boolean;
  /** The lock file is there and ours. */
  readonly isOurs: boolean;
  /** It is there and another's. */
  readonly found?: FoundFile;
}

export type Work =
  | 'nothing'
  /** Remove what is ours. */
  | 'drop'
  | 'make'
  /** Ours says another holder, key or time than the lock. */
  | 'rewrite'
  /** Remove another's. */
  | 'evict'
  /** Tell the scheduler what there is. */
  | 'report';

/** `written`: what ours says, where that is known (see `textOf`). */
export function decide(lock: LockRecord | undefined, file: FileState, written: string | undefined): Work {
  if (!lock) return file.isPinned ? 'drop' : file.found ? 'report' : 'nothing';
  if (lock.origin === 'file') return decideOther(lock, file);
  switch (lock.file) {
    case 'made':
      if (!file.isOurs) return 'report';
      return written === textOf(lock) ? 'nothing' : 'rewrite';
    case 'gone':
      return file.isPinned ? 'drop' : 'nothing';
    default:
      return 'make';
  }
}

function decideOther(lock: LockRecord, { isPinned, found }: FileState): Work {
  if (isPinned) return 'drop';
  if (lock.file === 'gone') return 'nothing';
  if (found?.id !== lock.fileId) return 'report';
  if (lock.file === 'leaving') return 'evict';
  const isAsRead =
    lock.user === found?.user &&
    lock.key === found.key &&
    lock.heldWallAt === found.sinceWallAt &&
    lock.holdSeconds === found.holdSeconds;
  return isAsRead ? 'nothing' : 'report';
}

/** Everything that a lock file of ours says, as one text to compare. */
export function textOf(lock: LockRecord): string {
  return JSON.stringify([lock.user, lock.key, fileSeconds(lock)]);
}

/** Old clients count from the file's time, which is that of the grant. */
export function fileSeconds(lock: LockRecord): number {
  const { endsWallAt, heldWallAt, holdSeconds } = lock;
  if (endsWallAt === undefined || heldWallAt === undefined) return holdSeconds;
  return Math.max(1, Math.ceil((endsWallAt - heldWallAt) / 1000));
}
