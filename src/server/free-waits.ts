// Who waits for a certain lock to be over (`await-free`), so that a release is followed by a board that is free.
import type { Token } from '../domain/records.ts';
import { sameToken } from '../domain/records.ts';

interface Wait {
  readonly token: Token;
  readonly done: (why: string | undefined) => void;
}

/** `why`: where the lock did not end but has another holder now, in words for the old one. */
export interface FreeWait {
  readonly free: boolean;
  readonly why?: string;
}

export class FreeWaits {
  readonly #byBoard = new Map<string, Set<Wait>>();

  /** A lock has ended and its board is free; or it is somebody else's, and `why` says how that came. */
  note(board: string, token: Token, why?: string): void {
    for (const wait of this.#byBoard.get(board) ?? []) if (sameToken(wait.token, token)) wait.done(why);
  }

  /** Resolves when that lock has ended, or not free after the time or with the signal. Ask for the state after calling. */
  wait(
    board: string,
    token: Token,
    options: { ms: number; signal: AbortSignal | undefined },
  ): { ended: Promise<FreeWait>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<FreeWait>();
    const waits = this.#byBoard.get(board) ?? new Set<Wait>();
    this.#byBoard.set(board, waits);
    const end = (outcome: FreeWait) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
      waits.delete(wait);
      if (waits.size === 0 && this.#byBoard.get(board) === waits) this.#byBoard.delete(board);
      resolve(outcome);
    };
    const cancel = () => end({ free: false });
    const wait: Wait = { token, done: (why) => end({ free: true, ...(why === undefined ? {} : { why }) }) };
    const timer = setTimeout(cancel, options.ms);
    waits.add(wait);
    if (options.signal?.aborted) cancel();
    else options.signal?.addEventListener('abort', cancel);
    return { ended: promise, cancel };
  }
}
