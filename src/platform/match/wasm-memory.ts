// The one piece of memory that all patterns of a thread step in, in turn. One for each pattern would take
// a large piece of address space each; the little that a pattern needs is copied in.

import { STEPS_MAX } from './limits.ts';
import { KIND_AFTER, KIND_BEFORE } from './program.ts';

const PAGE_BYTES = 1 << 16;
const LONG_BYTES = 8;
const LONGS_MAX = Math.ceil((STEPS_MAX + 1) / 64);

/** Bytes that a pattern takes at a time. */
export const BLOCK_BYTES = 1 << 16;

/** A pattern's state: its set of positions, and in one more long the kind of what lies behind. */
export const STATE_AT = 0;
/** 256 bytes each: the kinds of place before, and after, each byte. */
export const KIND_BEFORE_AT = STATE_AT + LONG_BYTES * (LONGS_MAX + 1);
export const KIND_AFTER_AT = KIND_BEFORE_AT + 256;
/** A row for each byte: the positions that match it. */
export const ACCEPT_AT = KIND_AFTER_AT + 256;
/** The bytes to take. */
export const BLOCK_AT = ACCEPT_AT + 256 * LONG_BYTES * LONGS_MAX;
export const PAGES = Math.ceil((BLOCK_AT + BLOCK_BYTES) / PAGE_BYTES);

export interface StepMemory {
  readonly memory: WebAssembly.Memory;
  readonly state: BigUint64Array;
  readonly accept: BigUint64Array;
  readonly block: Uint8Array;
}

let shared: StepMemory | undefined;

export function stepMemory(): StepMemory {
  shared ??= makeMemory();
  return shared;
}

function makeMemory(): StepMemory {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  new Uint8Array(memory.buffer, KIND_BEFORE_AT, 256).set(KIND_BEFORE);
  new Uint8Array(memory.buffer, KIND_AFTER_AT, 256).set(KIND_AFTER);
  return {
    memory,
    state: new BigUint64Array(memory.buffer, STATE_AT, LONGS_MAX + 1),
    accept: new BigUint64Array(memory.buffer, ACCEPT_AT, 256 * LONGS_MAX),
    block: new Uint8Array(memory.buffer, BLOCK_AT, BLOCK_BYTES),
  };
}
