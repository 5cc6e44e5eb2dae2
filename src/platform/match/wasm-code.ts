// Just enough of WebAssembly's binary format to write a module of one function over a given memory.
// An expression is the bytes of its instructions, so that `and(a, b)` is a, b, and the instruction `and`.
// The numbers are those of https://webassembly.github.io/spec/core/binary/.

/** The instructions of an expression or a statement. */
export type Code = readonly number[];

const I32 = 0x7f;
const I64 = 0x7e;
const NO_RESULT = 0x40;
const END = 0x0b;

export function i32(value: number): Code {
  return [0x41, ...signed(BigInt(value))];
}

/** The 64 bits of the constant, as a signed number. */
export function i64(value: bigint): Code {
  return [0x42, ...signed(BigInt.asIntN(64, value))];
}

export function get(local: number): Code {
  return [0x20, ...unsigned(local)];
}

export function set(local: number, value: Code): Code {
  return [...value, 0x21, ...unsigned(local)];
}

/** Loads and stores take an address and a constant that is added to it. */
export const loadByte = (address: Code, offset: number): Code => [...address, 0x2d, 0, ...unsigned(offset)];
export const load32 = (address: Code, offset: number): Code => [...address, 0x28, 2, ...unsigned(offset)];
export const load64 = (address: Code, offset: number): Code => [...address, 0x29, 3, ...unsigned(offset)];
export const store32 = (offset: number, value: Code): Code => [
  ...i32(0),
  ...value,
  0x36,
  2,
  ...unsigned(offset),
];
export const store64 = (offset: number, value: Code): Code => [
  ...i32(0),
  ...value,
  0x37,
  3,
  ...unsigned(offset),
];

const binary = (instruction: number) => (one: Code, other: Code) => [...one, ...other, instruction];
export const equal32 = binary(0x46);
export const atLeast32 = binary(0x4e);
export const add32 = binary(0x6a);
export const multiply32 = binary(0x6c);
export const and32 = binary(0x71);
export const or32 = binary(0x72);
export const xor32 = binary(0x73);
export const shiftLeft32 = binary(0x74);
export const shiftRight32 = binary(0x76);
export const subtract64 = binary(0x7d);
export const and64 = binary(0x83);
export const or64 = binary(0x84);
export const shiftLeft64 = binary(0x86);
export const shiftRight64 = binary(0x88);
export const isZero32 = (value: Code): Code => [...value, 0x45];
export const isZero64 = (value: Code): Code => [...value, 0x50];
export const widen = (value: Code): Code => [...value, 0xad];

export const returned = (value: Code): Code => [...value, 0x0f];
export const when = (condition: Code, body: Code): Code => [...condition, 0x04, NO_RESULT, ...body, END];
/** Runs its body for ever; only `returned` leaves it. */
export const forever = (body: Code): Code => [0x03, NO_RESULT, ...body, 0x0c, 0, END];
export const UNREACHABLE: Code = [0x00];

/**
 * A module with one function (i32, i32) → i32, exported as `run`, over a memory of `pages` times 64 KiB, imported
 * as `env.memory`. The function's locals come after the two parameters: first those of 32 bits, then those of 64.
 */
export function moduleOf(
  pages: number,
  locals: { i32: number; i64: number },
  body: Code,
): Uint8Array<ArrayBuffer> {
  const declarations = [2, ...unsigned(locals.i32), I32, ...unsigned(locals.i64), I64];
  const code = [...declarations, ...body, END];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, I32, I32, 1, I32]),
    ...section(2, [1, ...name('env'), ...name('memory'), 2, 1, ...unsigned(pages), ...unsigned(pages)]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): Code {
  return [text.length, ...Buffer.from(text, 'latin1')];
}

/** LEB128: seven bits a byte, the lowest first, a set top bit where more follow. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
