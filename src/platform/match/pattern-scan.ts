// One pattern on its way through a stream: its state, and the code that takes it past bytes.

import { KIND_AT_END, KIND_AT_START, looksThatHold } from './look.ts';
import { type Final, KIND_BEFORE, type Program } from './program.ts';
import { stepModule } from './step-code.ts';
import { BLOCK_AT, BLOCK_BYTES, stepMemory } from './wasm-memory.ts';

/** Whose table of bytes lies in the shared memory now. */
let resident: Program | undefined;

export class PatternScan {
  readonly #program: Program;
  readonly #run: (from: number, to: number) => number;
  readonly #codeBytes: number;
  /** The active positions, then the kind of what lies behind. */
  readonly #state: BigUint64Array;

  constructor(program: Program) {
    const code = stepModule(program);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), {
      env: { memory: stepMemory().memory },
    });
    this.#program = program;
    this.#run = instance.exports.run as (from: number, to: number) => number;
    this.#codeBytes = code.length;
    this.#state = new BigUint64Array(program.longs + 1);
    this.#state[0] = 1n;
    this.#state[program.longs] = BigInt(KIND_AT_START);
  }

  /** Bytes held for this pattern: its state, its table, and its code as it was written. */
  get bytes(): number {
    return this.#state.byteLength + this.#program.accept.byteLength + this.#codeBytes;
  }

  /**
   * Takes bytes[from..to) and returns where the first match ends, as an index into `bytes`, or -1.
   * It may be `from`, if only the byte there decided it. After a match the scan is over.
   */
  scan(bytes: Uint8Array, from: number, to: number): number {
    const memory = stepMemory();
    if (resident !== this.#program) {
      memory.accept.set(this.#program.accept);
      resident = this.#program;
    }
    memory.state.set(this.#state);
    for (let at = from; at < to; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, Math.min(to, at + BLOCK_BYTES));
      memory.block.set(block);
      const end = this.#run(BLOCK_AT, BLOCK_AT + block.length);
      if (end >= 0) return at + end - BLOCK_AT;
    }
    this.#state.set(memory.state.subarray(0, this.#state.length));
    return -1;
  }

  /** Whether a match ends where the scan stands, whatever comes next. */
  get endsHere(): boolean {
    return this.#anyHolds(this.#program.endsHere, this.#kind);
  }

  /** Whether a match ends where the scan stands, if the input ends there too. */
  get endsAtEnd(): boolean {
    return this.#anyHolds(this.#program.endsAhead, looksThatHold(this.#kind, KIND_AT_END));
  }

  /** Whether some next byte, or the end of the input, would tell that a match ends where the scan stands. */
  get mayEndHere(): boolean {
    const kindsAhead = new Set([KIND_AT_END, ...KIND_BEFORE]);
    return [...kindsAhead].some((ahead) =>
      this.#anyHolds(this.#program.endsAhead, looksThatHold(this.#kind, ahead)),
    );
  }

  get #kind(): number {
    return Number(this.#state[this.#program.longs]);
  }

  #anyHolds(finals: readonly Final[], holding: number): boolean {
    return finals.some(
      ({ look, mask }) =>
        (look & ~holding) === 0 && mask.some(([long, bits]) => ((this.#state[long] as bigint) & bits) !== 0n),
    );
  }
}
