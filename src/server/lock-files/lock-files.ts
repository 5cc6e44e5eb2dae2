// Keeps the lock files of boards beside the scheduler's locks: whatever changes on either side, a board is looked at and
// the one thing is done that is due (decide.ts), until nothing is. So a kill at any point is made good by the next look.
import type { BoardRecord, FoundFile, LockRecord } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Core } from '../core.ts';
import { decide, type FileState, fileSeconds, textOf, type Work } from './decide.ts';
import type { FileLook, LockFileText } from './folder.ts';
import type { Keeper, OpenKeeper } from './keeper.ts';

export interface LockFileUsers {
  nameOf(uid: number): Promise<string | undefined>;
  idOf(name: string): Promise<number | undefined>;
}

export interface LockFilesOptions {
  readonly folder: string;
  readonly core: Core;
  readonly users: LockFileUsers;
  readonly openKeeper: OpenKeeper;
  readonly logger: Logger;
}

/** A board, and what its files are called. */
export interface LockFileBoard {
  readonly name: string;
  readonly lockFile?: string;
}

/** Changes are told by the system at once, but not those made on another host (NFS). */
const lookEveryMs = 2_000;
const usersMsMax = 2_000;

/** The folder failed, not the scheduler. */
class FolderError extends Error {}

export class LockFiles {
  readonly folder: string;
  readonly #options: LockFilesOptions;
  readonly #keeper: Keeper;
  /** What a board's files are called; also of one that has left the lab, which may have some still. */
  readonly #nameOf = new Map<string, string>();
  /** Whose a name was ever: of a board that has another name now, and of the same under the new one. */
  readonly #boardsOf = new Map<string, Set<string>>();
  /** By names of files, as everything below. */
  readonly #working = new Set<string>();
  readonly #dirty = new Set<string>();
  /** What ours say, where this server has written them. */
  readonly #written = new Map<string, string>();
  readonly #firstLook = Promise.withResolvers<void>();
  #fault: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: LockFilesOptions, boards: Iterable<LockFileBoard>) {
    this.folder = options.folder;
    this.#options = options;
    this.#keeper = options.openKeeper(options.folder, (names) => {
      for (const name of names) this.#noteName(name);
    });
    this.name(boards);
  }

  /** Resolves when everything was looked at once, or the folder has failed. */
  get firstLook(): Promise<void> {
    return this.#firstLook.promise;
  }

  /** What boards there are, now or again. */
  name(boards: Iterable<LockFileBoard>): void {
    for (const { name, lockFile = name } of boards) {
      const before = this.#nameOf.get(name);
      this.#nameOf.set(name, lockFile);
      const boards = this.#boardsOf.get(lockFile) ?? new Set();
      this.#boardsOf.set(lockFile, boards.add(name));
      if (before !== undefined && before !== lockFile) this.#noteName(before);
    }
  }

  start(): void {
    void this.#lookAtAll().finally(() => this.#firstLook.resolve());
  }

  /** The folder is used no more: removes what is ours, and stops. */
  async clear(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    try {
      const looks = await this.#keeper.look();
      for (const { name, isPinned } of looks)
        if (isPinned && this.#boardsOf.has(name)) await this.#keeper.work({ call: 'drop', name });
    } catch (error) {
      const about = { folder: this.folder, error: String(error) };
      this.#options.logger.error('lock files of ours may be left in a folder that is used no more', about);
    }
    this.stop();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#keeper.stop();
  }

  /** Something has changed about the board's lock. */
  note(board: string): void {
    const name = this.#nameOf.get(board);
    if (name !== undefined) this.#noteName(name);
  }

  #noteName(name: string): void {
    if (this.#isStopped || !this.#boardsOf.has(name)) return;
    this.#dirty.add(name);
    if (this.#working.has(name)) return;
    this.#working.add(name);
    void this.#settle(name);
  }

  async #lookAtAll(): Promise<void> {
    try {
      const files = new Map<string, FileState>();
      for (const look of await this.#ask(() => this.#keeper.look())) {
        if (this.#boardsOf.has(look.name)) files.set(look.name, await this.#read(look));
      }
      this.#tellFolder(undefined);
      for (const name of await this.#findDue(files)) this.#noteName(name);
    } catch (error) {
      if (!this.#isStopped) await this.#onFolderError(error);
    } finally {
      if (!this.#isStopped) this.#timer = setTimeout(() => void this.#lookAtAll(), lookEveryMs).unref();
    }
  }

  #findDue(files: ReadonlyMap<string, FileState>): Promise<string[]> {
    return this.#options.core.read((state) =>
      [...this.#boardsOf.keys()].filter((name) => {
        const known = this.#find(state, name);
        const work = this.#decide(name, known, files.get(name) ?? nothingThere);
        return work !== 'nothing' || known.board?.fileFault !== undefined;
      }),
    );
  }

  /** The board that a name is about: of two names of one board, the one that has a lock still. */
  #find(state: State, name: string): Known {
    const present = [...(this.#boardsOf.get(name) ?? [])].filter(
      (board) => this.#nameOf.get(board) === name && state.boards.has(board),
    );
    const board = present.find((one) => state.locks.has(one)) ?? present.at(-1);
    return board === undefined ? {} : { board: state.boards.get(board), lock: state.locks.get(board) };
  }

  #decide(name: string, { board, lock }: Known, file: FileState): Work {
    // It has left the lab; what old clients do with it is their affair.
    if (!board) return file.isPinned ? 'drop' : 'nothing';
    return decide(lock, file, this.#written.get(name));
  }

  async #onFolderError(error: unknown): Promise<void> {
    if (!(error instanceof FolderError)) {
      this.#options.logger.warn('lock files were not looked at', { error: String(error) });
      return;
    }
    this.#tellFolder(error.message);
    await this.#tellFault([...this.#nameOf.keys()], error.message);
  }

  #tellFolder(fault: string | undefined): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    const { logger } = this.#options;
    const about = { folder: this.folder };
    if (fault === undefined) logger.info('the folder of lock files is back', about);
    else logger.error('the folder of lock files fails: boards are not granted', { ...about, error: fault });
  }

  /** Until there is nothing to do about the name. */
  async #settle(name: string): Promise<void> {
    try {
      while (this.#dirty.delete(name)) if (await this.#step(name)) this.#dirty.add(name);
    } catch (error) {
      if (!this.#isStopped) await this.#onStepError(name, error);
    } finally {
      this.#working.delete(name);
    }
  }

  /** The next look at all tries again. */
  async #onStepError(name: string, error: unknown): Promise<void> {
    this.#options.logger.error('a lock file fails', { name, error: String(error) });
    if (!(error instanceof FolderError)) return;
    const { board } = await this.#options.core.read((state) => this.#find(state, name));
    if (board) await this.#tellFault([board.name], error.message);
  }

  async #tellFault(boards: readonly string[], why: string): Promise<void> {
    const { core, logger } = this.#options;
    try {
      await core.run({ name: 'lockFileFault', body: { folder: this.folder, boards, why } });
    } catch (error) {
      logger.error('that lock files fail was not stored', { error: String(error) });
    }
  }

  /** Does what is due; true where that makes another look necessary. */
  async #step(name: string): Promise<boolean> {
    if (this.#isStopped) return false;
    const { core } = this.#options;
    const known = await core.read((state) => this.#find(state, name));
    // What is there shows when a file is made; for a grant each question counts.
    const file = known.lock?.file === 'making' ? nothingThere : await this.#lookAt(name);
    const work = this.#decide(name, known, file);
    const isAgain = await this.#do(work, name, known.lock, file);
    const { board } = known;
    if (board?.fileFault)
      await core.run({ name: 'lockFileFault', body: { folder: this.folder, boards: [board.name] } });
    if (work === 'report' && board) await this.#report(board.name, known.lock, file.found);
    return isAgain;
  }

  async #do(work: Work, name: string, lock: LockRecord | undefined, file: FileState): Promise<boolean> {
    switch (work) {
      case 'nothing':
      case 'report':
        return false;
      case 'drop':
        this.#written.delete(name);
        return this.#ask(() => this.#keeper.work({ call: 'drop', name }));
      case 'evict':
        await this.#ask(() => this.#keeper.work({ call: 'evict', name, id: file.found?.id ?? '' }));
        return true;
      case 'rewrite':
        if (lock) await this.#write('rewrite', name, lock);
        return true;
      case 'make':
        return lock ? this.#make(name, lock) : false;
    }
  }

  async #make(name: string, lock: LockRecord): Promise<boolean> {
    const { board, token } = lock;
    if (await this.#write('make', name, lock)) {
      await this.#options.core.run({ name: 'lockFileMade', body: { folder: this.folder, board, token } });
      return false;
    }
    const { found } = await this.#lookAt(name);
    if (found) await this.#report(board, lock, found);
    // Whoever was quicker may be gone again.
    return found === undefined;
  }

  async #write(call: 'make' | 'rewrite', name: string, lock: LockRecord): Promise<boolean> {
    const text = await this.#textFor(lock);
    const isDone = await this.#ask(() => this.#keeper.work({ call, name, text }));
    if (isDone) this.#written.set(name, textOf(lock));
    return isDone;
  }

  async #textFor(lock: LockRecord): Promise<LockFileText> {
    const { user, key } = lock;
    const uid = await this.#within(this.#options.users.idOf(user));
    return { holdSeconds: fileSeconds(lock), key, user, ...(uid === undefined ? {} : { uid }) };
  }

  async #report(board: string, lock: LockRecord | undefined, found: FoundFile | undefined): Promise<void> {
    await this.#options.core.run({
      name: 'lockFileSeen',
      body: {
        folder: this.folder,
        board,
        ...(lock ? { token: lock.token } : {}),
        ...(found ? { found } : {}),
      },
    });
  }

  async #lookAt(name: string): Promise<FileState> {
    const [look] = await this.#ask(() => this.#keeper.look([name]));
    return look ? this.#read(look) : nothingThere;
  }

  async #read({ isPinned, isOurs, other }: FileLook): Promise<FileState> {
    if (!other) return { isPinned, isOurs };
    const { uid, ...rest } = other;
    const user = (await this.#within(this.#options.users.nameOf(uid))) ?? String(uid);
    return { isPinned, isOurs, found: { ...rest, user } };
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#isStopped) throw new FolderError('lock files are not worked on any more');
    try {
      return await question();
    } catch (error) {
      throw new FolderError(error instanceof Error ? error.message : String(error));
    }
  }

  /** A name service that fails or hangs costs a name, not a board. */
  async #within<T>(answer: Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), usersMsMax).unref();
    });
    try {
      return await Promise.race([answer.catch(() => undefined), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

interface Known {
  readonly board?: BoardRecord | undefined;
  readonly lock?: LockRecord | undefined;
}

const nothingThere: FileState = { isPinned: false, isOurs: false };
