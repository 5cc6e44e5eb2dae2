// Who waits for a certain lock to be over (`await-free`), so that a release is followed by a board that is free.
import type { Token } from '../domain/records.ts';
import { sameToken } from '../domain/records.ts';

interface Wait {
  readonly token: Token;
  readonly done: () => void;
}

export class FreeWaits {
  readonly #byBoard = new Map<string, Set<Wait>>();

  /** A lock has ended and its board is free. */
  note(board: string, token: Token): void {
    for (const wait of this.#byBoard.get(board) ?? []) if (sameToken(wait.token, token)) wait.done();
  }

  /** Resolves true when that lock has ended, false after the time or with the signal. Ask for the state after calling. */
  wait(
    board: string,
    token: Token,
    options: { ms: number; signal: AbortSignal | undefined },
  ): { ended: Promise<boolean>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waits = this.#byBoard.get(board) ?? new Set<Wait>();
    this.#byBoard.set(board, waits);
    const end = (free: boolean) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
      waits.delete(wait);
      if (waits.size === 0 && this.#byBoard.get(board) === waits) this.#byBoard.delete(board);
      resolve(free);
    };
    const cancel = () => end(false);
    const wait: Wait = { token, done: () => end(true) };
    const timer = setTimeout(cancel, options.ms);
    options.signal?.addEventListener('abort', cancel);
    waits.add(wait);
    return { ended: promise, cancel };
  }
}
