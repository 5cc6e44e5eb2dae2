// The folder of lock files, as the old scripts use it: NAME.lock with the seconds of -T in it, which belongs to the
// holder, and NAME.key with the key. What marks a file as ours is in the folder .mq beside them. All calls block.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LinkLock, type NewFile, readPlainFile, replaceFile } from '../../platform/link-lock.ts';
import { systemErrorCode } from '../../platform/platform-error.ts';

/** What a lock file of ours says. */
export interface LockFileText {
  readonly holdSeconds: number;
  readonly key: string;
  readonly user: string;
  /** The user's number, to whom the files are to belong; absent: this system does not know the user. */
  readonly uid?: number;
}

/** A lock file that is not ours, as it was read. */
export interface OtherFile {
  readonly id: string;
  readonly uid: number;
  readonly key: string;
  readonly sinceWallAt: number;
  readonly holdSeconds: number;
}

export interface FileLook {
  readonly name: string;
  /** Something of ours is there. */
  readonly isPinned: boolean;
  /** The lock file is there and ours. */
  readonly isOurs: boolean;
  readonly other?: OtherFile;
}

export type FolderCall =
  /** Names with any file; of all names where none is given. */
  | { readonly call: 'look'; readonly names?: readonly string[] }
  | { readonly call: 'make'; readonly name: string; readonly text: LockFileText }
  | { readonly call: 'rewrite'; readonly name: string; readonly text: LockFileText }
  | { readonly call: 'drop'; readonly name: string }
  | { readonly call: 'evict'; readonly name: string; readonly id: string };

/** As long as a century: a time-out beyond that is a slip. */
const holdSecondsMax = 3_200_000_000;
const keyLengthMax = 1024;
const noKey = '0';
const lockEnd = '.lock';
const keyEnd = '.key';
/** Open to all, since the old `dumpall` walks through every folder here. */
const pinFolder = '.mq';
const pinEnd = '.pin';

export class LockFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Carries a call out; throws the system's error. */
  take(call: FolderCall): FileLook[] | boolean {
    switch (call.call) {
      case 'look':
        return this.#look(call.names);
      case 'make':
        return this.#make(call.name, call.text);
      case 'rewrite':
        return this.#rewrite(call.name, call.text);
      case 'drop':
        return this.#drop(call.name);
      case 'evict':
        return this.#evict(call.name, call.id);
    }
  }

  #look(wanted: readonly string[] | undefined): FileLook[] {
    this.#makePinFolder();
    const names = wanted ?? [
      ...new Set([
        ...namesOf(readdirSync(this.#folder), lockEnd),
        ...namesOf(readdirSync(join(this.#folder, pinFolder)), pinEnd),
      ]),
    ];
    return names.map((name) => this.#lookAt(name));
  }

  #lookAt(name: string): FileLook {
    const lock = this.#lock(name);
    const file = lock.look();
    const about = { name, isPinned: lock.isPinned, isOurs: file?.isOurs ?? false };
    if (!file || file.isOurs) return about;
    const key = readPlainFile(this.#keyPath(name))?.replace(/[\r\n]+$/, '') ?? noKey;
    const other: OtherFile = {
      id: file.id,
      uid: file.uid,
      key: key.slice(0, keyLengthMax),
      sinceWallAt: file.writtenAtMs,
      holdSeconds: readSeconds(readPlainFile(this.#lockPath(name))),
    };
    return { ...about, other };
  }

  #make(name: string, text: LockFileText): boolean {
    this.#makePinFolder();
    const lock = this.#lock(name);
    const isMade = lock.make(asFile(String(text.holdSeconds), text));
    if (isMade) this.#writeKey(name, text, lock.look()?.uid);
    return isMade;
  }

  #rewrite(name: string, text: LockFileText): boolean {
    const lock = this.#lock(name);
    if (!lock.look()?.isOurs) return false;
    lock.rewrite(asFile(String(text.holdSeconds), text));
    this.#writeKey(name, text, lock.look()?.uid);
    return true;
  }

  /** As the old scripts do, the key first: whoever locks next writes a key of his own. */
  #drop(name: string): boolean {
    const lock = this.#lock(name);
    lock.recover();
    if (lock.look()?.isOurs) rmSync(this.#keyPath(name), { force: true });
    lock.remove();
    return true;
  }

  #evict(name: string, id: string): boolean {
    const lock = this.#lock(name);
    lock.recover();
    if (lock.look()?.id !== id) return false;
    rmSync(this.#keyPath(name), { force: true });
    return lock.removeOther(id);
  }

  /** Where the lock file could not be given to the holder, the key is the one place left that can name one. */
  #writeKey(name: string, text: LockFileText, owner: number | undefined): void {
    const { key, user, uid } = text;
    const named = key === noKey ? user : `${user}:${key}`;
    const newPath = join(this.#folder, pinFolder, `${name}.newkey`);
    replaceFile(this.#keyPath(name), newPath, asFile(owner === uid ? key : named, text));
  }

  #lock(name: string): LinkLock {
    const pinPath = join(this.#folder, pinFolder, name + pinEnd);
    return new LinkLock({ path: this.#lockPath(name), pinPath });
  }

  #lockPath(name: string): string {
    return join(this.#folder, name + lockEnd);
  }

  #keyPath(name: string): string {
    return join(this.#folder, name + keyEnd);
  }

  /** The folder itself is the lab's: where it is missing it is not mounted, and must not be made below. */
  #makePinFolder(): void {
    try {
      mkdirSync(join(this.#folder, pinFolder), { mode: 0o755 });
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** The names of the boards that files of a folder are about; undefined for a file that is about none. */
export function nameOfFile(file: string): string | undefined {
  const end = [lockEnd, keyEnd].find((end) => file.endsWith(end));
  return end === undefined || file === end ? undefined : file.slice(0, -end.length);
}

function namesOf(files: readonly string[], end: string): string[] {
  return files.filter((file) => file.endsWith(end)).map((file) => file.slice(0, -end.length));
}

function asFile(content: string, { uid }: LockFileText): NewFile {
  return { content, ...(uid === undefined ? {} : { uid }) };
}

/** As lockfile(1) reads it: what is no number is none. */
function readSeconds(text: string | undefined): number {
  const seconds = Number(/^\s*\+?(\d{1,15})/.exec(text ?? '')?.[1] ?? 0);
  return Math.min(seconds, holdSecondsMax);
}
