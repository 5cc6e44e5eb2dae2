// Lock files as lockfile(1) makes them: a file that is there or not, linked into place, which the system (NFS too) lets
// one process do. Ours has a second name in a folder of our own, the pin: what has the pin's inode is ours, whatever
// befell us or the file since, and no other file can get that inode while the pin is there.
//
// All calls block: a folder that hangs hangs its caller. Whoever can't afford that calls from a process of its own.

import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { systemErrorCode } from './platform-error.ts';

/** As those of lockfile(1). */
const lockMode = 0o444;

export interface LinkLockPlace {
  readonly path: string;
  /** On the same file system, in a folder where only we write. */
  readonly pinPath: string;
}

export interface LockFileLook {
  /** Names this file among all that ever had its path. */
  readonly id: string;
  readonly isOurs: boolean;
  readonly uid: number;
  /** When it was written last, in wall-clock milliseconds. */
  readonly writtenAtMs: number;
}

export interface NewFile {
  readonly content: string;
  /** Whose it is to be; left out, or where we may not give files away, ours. */
  readonly uid?: number;
}

export class LinkLock {
  readonly #path: string;
  readonly #pinPath: string;
  readonly #goingPath: string;

  constructor({ path, pinPath }: LinkLockPlace) {
    this.#path = path;
    this.#pinPath = pinPath;
    this.#goingPath = `${pinPath}.going`;
  }

  get isPinned(): boolean {
    return statOf(this.#pinPath) !== undefined;
  }

  look(): LockFileLook | undefined {
    const file = statOf(this.#path);
    if (!file) return undefined;
    const { uid, mtimeNs } = file;
    const isOurs = isSame(file, statOf(this.#pinPath));
    return { id: idOf(file), isOurs, uid: Number(uid), writtenAtMs: Number(mtimeNs / 1000n) / 1000 };
  }

  /** Makes it, unless somebody has it: false. What was left of an earlier one of ours is gone before. */
  make(file: NewFile): boolean {
    this.remove();
    writeNew(this.#pinPath, file);
    try {
      linkSync(this.#pinPath, this.#path);
      return true;
    } catch (error) {
      // Over NFS a link may be made and its answer be lost.
      if (isSame(statOf(this.#path), statOf(this.#pinPath))) return true;
      unlink(this.#pinPath);
      if (systemErrorCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /** Changes content and owner of ours in place; since when it is held stays. */
  rewrite({ content, uid }: NewFile): void {
    const fd = openSync(this.#pinPath, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      giveAway(fd, uid);
      if (readText(fd) !== content) this.#overwrite(fd, content);
    } finally {
      closeSync(fd);
    }
  }

  #overwrite(fd: number, content: string): void {
    const { atimeMs, mtimeMs } = fstatSync(fd);
    fchmodSync(fd, lockMode | constants.S_IWUSR);
    const out = openSync(this.#pinPath, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      const bytes = Buffer.from(content);
      // Never empty on the way: old clients make a broken command of that.
      writeSync(out, bytes, 0, bytes.length, 0);
      ftruncateSync(out, bytes.length);
      futimesSync(out, atimeMs / 1000, mtimeMs / 1000);
      fchmodSync(out, lockMode);
    } finally {
      closeSync(out);
    }
  }

  /** Removes ours, if it is there still, and never another's. */
  remove(): void {
    this.recover();
    const pin = statOf(this.#pinPath);
    if (!pin) return;
    if (isSame(statOf(this.#path), pin)) this.#take((file) => isSame(file, pin));
    unlink(this.#pinPath);
  }

  /** Removes another's, if it is still the one of that id; false where it is not. */
  removeOther(id: string): boolean {
    this.recover();
    const file = statOf(this.#path);
    if (!file || idOf(file) !== id) return false;
    if (file.isDirectory()) throw new Error(`${this.#path} is a folder; remove it by hand`);
    return this.#take((taken) => idOf(taken) === id);
  }

  /** Ends what a kill cut short. */
  recover(): void {
    const going = statOf(this.#goingPath);
    if (!going) return;
    if (!isSame(going, statOf(this.#pinPath))) this.#putBack();
    unlink(this.#goingPath);
  }

  /**
   * A look and then a removal could hit a file that came in between. So it is first taken out of the way, in one step,
   * then looked at, and put back where it is not the one that was meant.
   */
  #take(isMeant: (file: BigIntStats) => boolean): boolean {
    try {
      renameSync(this.#path, this.#goingPath);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
    const taken = statOf(this.#goingPath);
    const isRight = taken !== undefined && isMeant(taken);
    if (!isRight) this.#putBack();
    unlink(this.#goingPath);
    return isRight;
  }

  #putBack(): void {
    try {
      linkSync(this.#goingPath, this.#path);
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Replaces a file in one step with one that is written beforehand under a name of our own. */
export function replaceFile(path: string, newPath: string, file: NewFile): void {
  writeNew(newPath, file);
  renameSync(newPath, path);
}

/**
 * The beginning of a plain file, as text; undefined where it is missing or is something else, since in a folder where
 * everybody writes a name may lead anywhere.
 */
export function readPlainFile(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'EACCES', 'ENXIO'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
  try {
    return fstatSync(fd).isFile() ? readText(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

const textBytesMax = 4096;

function readText(fd: number): string {
  const bytes = Buffer.alloc(textBytesMax);
  return bytes.toString('utf8', 0, readSync(fd, bytes, 0, textBytesMax, 0));
}

function writeNew(path: string, { content, uid }: NewFile): void {
  unlink(path);
  const fd = openSync(path, 'wx', lockMode);
  try {
    writeFileSync(fd, content);
    // Not what the umask left of it.
    fchmodSync(fd, lockMode);
    giveAway(fd, uid);
  } catch (error) {
    unlink(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Only root may, and not on every file system. */
function giveAway(fd: number, uid = process.geteuid?.() ?? 0): void {
  const { uid: owner, gid } = fstatSync(fd);
  if (owner === uid) return;
  try {
    fchownSync(fd, uid, gid);
  } catch (error) {
    if (!['EPERM', 'EINVAL'].includes(systemErrorCode(error) ?? '')) throw error;
  }
}

function statOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** The number of a file's inode goes to the next one when it is gone; when that was made tells them apart. */
function idOf({ ino, birthtimeNs }: BigIntStats): string {
  return `${ino}.${birthtimeNs}`;
}

function isSame(a: BigIntStats | undefined, b: BigIntStats | undefined): boolean {
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

function unlink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
