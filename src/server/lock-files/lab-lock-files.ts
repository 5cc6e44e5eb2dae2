// The lab's lock files as its configuration has them: none, in a folder, in another one since it was loaded again. What
// we made in a folder that is used no more is removed.
import type { LabDefinition } from '../../domain/records.ts';
import { LockFiles, type LockFilesOptions } from './lock-files.ts';

export class LabLockFiles {
  readonly #options: Omit<LockFilesOptions, 'folder'>;
  #current: LockFiles | undefined;
  readonly #leaving = new Set<LockFiles>();

  constructor(options: Omit<LockFilesOptions, 'folder'>) {
    this.#options = options;
  }

  /** To be called once a configuration is committed, with the one before. */
  use(lab: LabDefinition, before: LabDefinition): void {
    const current = this.#current;
    if (before.lockFiles !== undefined && before.lockFiles !== lab.lockFiles)
      this.#leave(current ?? this.#open(before.lockFiles, before));
    if (lab.lockFiles === undefined) this.#current = undefined;
    else if (current?.folder === lab.lockFiles) current.name(lab.boards);
    else {
      this.#current = this.#open(lab.lockFiles, before);
      this.#current.name(lab.boards);
      this.#current.start();
    }
  }

  /** Resolves when what there is has been looked at once, or could not be. */
  async firstLook(): Promise<void> {
    await this.#current?.firstLook;
  }

  note(board: string): void {
    this.#current?.note(board);
  }

  stop(): void {
    this.#current?.stop();
    for (const one of this.#leaving) one.stop();
  }

  #open(folder: string, { boards }: LabDefinition): LockFiles {
    return new LockFiles({ ...this.#options, folder }, boards);
  }

  #leave(files: LockFiles): void {
    this.#leaving.add(files);
    void files.clear().finally(() => this.#leaving.delete(files));
  }
}
