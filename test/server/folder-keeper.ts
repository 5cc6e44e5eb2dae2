// Works on a real folder of lock files within the test's own process, and stops, fails or dies where a test wants it.
import { type FileLook, type FolderCall, LockFolder } from '../../src/server/lock-files/folder.ts';
import type { Keeper, OpenKeeper } from '../../src/server/lock-files/keeper.ts';

type Fate = 'done' | 'fails' | 'dies before' | 'dies behind';

export class FolderKeeper implements Keeper {
  readonly calls: FolderCall[] = [];
  /** What becomes of a call. One that dies leaves its caller waiting for ever, as a killed server does. */
  fate: (call: FolderCall) => Fate | Promise<Fate> = () => 'done';
  onChanged: (names: readonly string[]) => void = () => undefined;
  readonly #folder: LockFolder;
  #isDead = false;

  constructor(folder: string) {
    this.#folder = new LockFolder(folder);
  }

  readonly open: OpenKeeper = (_folder, onChanged) => {
    this.onChanged = onChanged;
    return this;
  };

  async look(names?: readonly string[]): Promise<FileLook[]> {
    return (await this.#take({ call: 'look', ...(names ? { names } : {}) })) as FileLook[];
  }

  async work(call: Exclude<FolderCall, { call: 'look' }>): Promise<boolean> {
    return (await this.#take(call)) as boolean;
  }

  stop(): void {
    this.#isDead = true;
  }

  async #take(call: FolderCall): Promise<FileLook[] | boolean> {
    this.calls.push(call);
    const fate = await this.fate(call);
    if (fate === 'fails') throw new Error('ENOSPC: no space left on device');
    if (fate === 'dies before') this.#isDead = true;
    const never = new Promise<never>(() => undefined);
    if (this.#isDead) return never;
    const result = this.#folder.take(call);
    if (fate !== 'dies behind') return result;
    this.#isDead = true;
    return never;
  }
}
