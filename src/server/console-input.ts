// What is typed into consoles: one writer for each, and what it counts for the lock. Typing is use of the lock, told to the
// scheduler now and then and not for each key.
import type { LockRecord, Token } from '../domain/records.ts';
import { sameToken } from '../domain/records.ts';
import type { Clock } from '../platform/clock.ts';
import type { Session } from './sessions.ts';

/** Between two words about the use of one lock; less where that may be unused only for a short time. */
const useEveryMs = 5_000;

interface Used {
  readonly token: Token;
  /** Ends the wait for the next word. */
  readonly cancel: () => void;
  /** Used again since it was told. */
  isDue: boolean;
}

export class ConsoleInput {
  readonly #clock: Clock;
  readonly #onUse: (board: string, token: Token) => void;
  readonly #writers = new Map<number, Session>();
  readonly #used = new Map<string, Used>();

  constructor(clock: Clock, onUse: (board: string, token: Token) => void) {
    this.#clock = clock;
    this.#onUse = onUse;
  }

  /** Whether this client may write: the first that does keeps the console to itself as long as it is connected. */
  claim(job: number, session: Session | undefined): boolean {
    const writer = this.#writers.get(job);
    if (writer && writer !== session && !writer.closed.signal.aborted) return false;
    if (session) this.#writers.set(job, session);
    return true;
  }

  /** The job is over. */
  forget(job: number): void {
    this.#writers.delete(job);
  }

  /** Told at once, and what comes soon after it together: a lock never ends earlier than its limit after the last use. */
  noteUse(lock: LockRecord): void {
    const { board, token, idleMaxSeconds } = lock;
    if (idleMaxSeconds === undefined) return;
    const used = this.#used.get(board);
    if (used && sameToken(used.token, token)) {
      used.isDue = true;
      return;
    }
    used?.cancel();
    this.#tell(board, token, Math.min(useEveryMs, (idleMaxSeconds * 1000) / 4));
  }

  stop(): void {
    for (const { cancel } of this.#used.values()) cancel();
    this.#used.clear();
  }

  #tell(board: string, token: Token, everyMs: number): void {
    this.#onUse(board, token);
    const cancel = this.#clock.setTimer(everyMs, () => {
      this.#used.delete(board);
      if (used.isDue) this.#tell(board, token, everyMs);
    });
    const used: Used = { token, cancel, isDue: false };
    this.#used.set(board, used);
  }
}
