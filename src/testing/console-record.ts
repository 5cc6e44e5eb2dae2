// Keeps what a board's console says, and lets a test wait for it.

import type { BoardHooks } from '../drivers/board/contract.ts';

/** How long a test waits before it fails with what the console said instead. */
const waitMillisecondsMax = 20_000;

export class ConsoleRecord {
  readonly #chunks: Uint8Array[] = [];
  readonly #waiters = new Set<() => void>();
  #length = 0;

  readonly onConsole: BoardHooks['onConsole'] = (bytes) => {
    this.#chunks.push(Uint8Array.from(bytes));
    this.#length += bytes.length;
    for (const look of this.#waiters) look();
  };

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** One character for each byte. */
  get text(): string {
    return this.bytes.toString('latin1');
  }

  /** Resolves when the console has said the words, however they were cut; rejects after 20 seconds. */
  waitFor(words: string): Promise<void> {
    return this.#waitUntil(() => this.text.includes(words), `'${words}'`);
  }

  /** As waitFor, for a number of bytes. */
  waitForBytes(count: number): Promise<void> {
    return this.#waitUntil(() => this.#length >= count, `${count} bytes`);
  }

  async #waitUntil(isReached: () => boolean, what: string): Promise<void> {
    if (isReached()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => (isReached() ? resolve() : undefined);
    const timer = setTimeout(() => {
      reject(new Error(`${what} did not come; the console said: ${this.text.slice(-500)}`));
    }, waitMillisecondsMax);
    this.#waiters.add(look);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(look);
    }
  }
}
