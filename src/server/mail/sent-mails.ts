// How many mails the holder of each lock has had, in a file, so that a restart neither forgets nor repeats one. A crash
// between a mail and its note sends that mail again, under the same Message-ID.
import { readFile } from 'node:fs/promises';
import { writeFileDurably } from '../../platform/fsync-file.ts';
import { systemErrorCode } from '../../platform/platform-error.ts';
import type { HeldLock } from './held-locks.ts';

/** To the holder who has claimed the board at this moment: another holder, or an extension, begins the count anew. */
interface Sent {
  readonly claimedAt: number;
  readonly count: number;
}

export class SentMails {
  readonly #path: string;
  #sent: Map<string, Sent> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Of a lock that was among those kept. Rejects where the file can't be read: then nobody knows who had which mail. */
  async countOf(lock: HeldLock): Promise<number> {
    const sent = (await this.#load()).get(lock.board);
    return sent?.count ?? 0;
  }

  /** Resolves when it is on the disk for good. */
  async note(lock: HeldLock, count: number): Promise<void> {
    const { board, claimedAt } = lock;
    (await this.#load()).set(board, { claimedAt, count });
    await this.#write();
  }

  /** Forgets the others. */
  async keep(locks: readonly HeldLock[]): Promise<void> {
    const sent = await this.#load();
    const held = new Map(locks.map((lock) => [lock.board, lock]));
    const gone = [...sent].filter(([board, { claimedAt }]) => held.get(board)?.claimedAt !== claimedAt);
    if (gone.length === 0) return;
    for (const [board] of gone) sent.delete(board);
    await this.#write();
  }

  async #load(): Promise<Map<string, Sent>> {
    this.#sent ??= await readSent(this.#path);
    return this.#sent;
  }

  async #write(): Promise<void> {
    const sent = Object.fromEntries(await this.#load());
    await writeFileDurably(this.#path, JSON.stringify({ sent }));
  }
}

async function readSent(path: string): Promise<Map<string, Sent>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return new Map();
    throw error;
  }
  const { sent } = JSON.parse(text) as { sent: Record<string, Sent> };
  return new Map(Object.entries(sent));
}
