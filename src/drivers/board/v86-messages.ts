// What goes between a board's thread and the agent's. Types and limits only.

import type { BoardExit } from './contract.ts';

/** Handed to the thread when it is made. The buffers are the thread's from then on. */
export interface ThreadStart {
  readonly wasm: WebAssembly.Module;
  readonly image: ArrayBuffer;
  readonly bootModule?: ArrayBuffer;
  readonly memoryBytes: number;
}

export type ToThread =
  /** Bytes for the serial port. */
  | { readonly kind: 'input'; readonly bytes: Uint8Array }
  /** So many console bytes were taken; the guest waits when too many are on their way. */
  | { readonly kind: 'taken'; readonly bytes: number };

/** Console bytes, or how the guest ended, which comes last. */
export type FromThread = Uint8Array | { readonly kind: 'ended'; readonly exit: BoardExit };

/** Console bytes on their way at which the guest is held, and at which it goes on. */
export const heldAtBytes = 1024 * 1024;
export const resumedAtBytes = 256 * 1024;

/** Console bytes in one message at most. */
export const chunkBytesMax = 64 * 1024;

/** Input that the guest has not read yet: more is dropped, as a serial port does. */
export const inputBytesMax = 1024 * 1024;
