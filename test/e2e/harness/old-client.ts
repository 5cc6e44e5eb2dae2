// A client of the old scripts, which locks a board by Debian's own lockfile(1): the same commands in the same order as
// theirs (docs/configuration.md), but for the `sync`, which takes as long as the machine's disks like.
import { spawn, spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { User } from './users.ts';

const locking = `
umask 0111
lockfile $options -r "$tries" "$lock" && rm -f "$key" && printf '%s' "$text" > "$key" && chmod a-w,g+r "$key" &&
  chmod u+w "$lock" && printf '%s' "$hold" > "$lock" && chmod a-w "$lock"
`;

/** Why tests with such clients can't run; for `skip`. */
export const noLockfile: string | false =
  spawnSync('lockfile', ['-v']).error === undefined ? false : 'there is no lockfile(1); npm run setup:debian';

export interface OldWish {
  readonly key?: string;
  readonly hold?: number;
  /** -1: for ever. */
  readonly tries?: number;
  /** Of the time-out that this client found when it began to wait (-l). */
  readonly stealAfter?: number;
  readonly as?: User;
}

export class OldClient {
  readonly lockPath: string;
  readonly keyPath: string;

  constructor(folder: string, board: string) {
    this.lockPath = join(folder, `${board}.lock`);
    this.keyPath = join(folder, `${board}.key`);
  }

  /** Whether it got the lock. */
  async lock(wish: OldWish = {}): Promise<boolean> {
    const { key = '0', hold = 0, tries = 0, stealAfter, as } = wish;
    // Where it steals it rests for 16 s unless told otherwise.
    const options = stealAfter === undefined ? '-1' : `-1 -l ${stealAfter} -s 1`;
    const words = { options, tries, text: key, hold, lock: this.lockPath, key: this.keyPath };
    return (await this.#run(locking, words, as)) === 0;
  }

  /** As its holder, or anybody else by force. */
  async unlock(as?: User): Promise<void> {
    await this.#run('rm -f "$key"; rm -f "$lock"', { lock: this.lockPath, key: this.keyPath }, as);
  }

  /** What the files say; undefined where there is no lock. */
  async look(): Promise<{ uid: number; inode: number; hold: string; key: string } | undefined> {
    try {
      const { uid, ino } = await stat(this.lockPath);
      const [hold, key] = await Promise.all(
        [this.lockPath, this.keyPath].map((path) => readFile(path, 'utf8')),
      );
      return { uid, inode: ino, hold: hold ?? '', key: key ?? '' };
    } catch {
      return undefined;
    }
  }

  #run(script: string, words: Record<string, string | number>, as?: User): Promise<number | null> {
    const variables = Object.entries(words).map(([name, word]) => [name, String(word)]);
    const env = { ...Object.fromEntries(variables), PATH: process.env.PATH };
    const ids = as === undefined ? {} : { uid: as.uid, gid: as.gid };
    const child = spawn('sh', ['-c', script], { env, stdio: 'ignore', ...ids });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code));
    });
  }
}
