// Console bytes on their way out of a board's thread: gathered into chunks, and the guest is held while
// too many have not been taken yet, so that a guest that prints without end can't fill the memory.

import { chunkBytesMax, heldAtBytes, resumedAtBytes } from './v86-messages.ts';

export interface ConsoleOutputActions {
  /** The buffer is the callee's. */
  readonly send: (bytes: Uint8Array) => void;
  readonly hold: () => void;
  readonly resume: () => void;
}

export class ConsoleOutput {
  readonly #actions: ConsoleOutputActions;
  #chunk = new Uint8Array(chunkBytesMax);
  #length = 0;
  #sentBytes = 0;
  #isHeld = false;

  constructor(actions: ConsoleOutputActions) {
    this.#actions = actions;
  }

  /** The first byte of a chunk waits for the end of the emulator's turn, at most about a millisecond. */
  put(byte: number): void {
    if (this.#length === 0) queueMicrotask(() => this.flush());
    this.#chunk[this.#length] = byte;
    this.#length += 1;
    if (this.#length === chunkBytesMax) this.flush();
  }

  flush(): void {
    if (this.#length === 0) return;
    const bytes = this.#chunk.slice(0, this.#length);
    this.#length = 0;
    this.#sentBytes += bytes.length;
    this.#actions.send(bytes);
    if (this.#sentBytes >= heldAtBytes && !this.#isHeld) {
      this.#isHeld = true;
      this.#actions.hold();
    }
  }

  /** The other side has taken so many bytes. */
  taken(bytes: number): void {
    this.#sentBytes -= bytes;
    if (this.#isHeld && this.#sentBytes <= resumedAtBytes) {
      this.#isHeld = false;
      this.#actions.resume();
    }
  }
}
