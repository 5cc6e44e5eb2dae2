// Writes a program as one WebAssembly function that takes a block of bytes. The set of active positions lies in
// registers, 64 positions in each, and every mask is a constant of the code: a byte costs the same few operations
// whatever came before, so that no text can slow a pattern down.

import {
  AFTER_WORD,
  BEFORE_WORD,
  LINE_END,
  LINE_START,
  TEXT_END,
  TEXT_START,
  WORD_BOUNDARY,
} from './look.ts';
import type { Final, Program } from './program.ts';
import * as wasm from './wasm-code.ts';
import { ACCEPT_AT, KIND_AFTER_AT, KIND_BEFORE_AT, PAGES, STATE_AT } from './wasm-memory.ts';
import type { Mask, Move } from './word-ops.ts';

// Locals. The parameters are the addresses of the next byte and of the end of the block.
const AT = 0;
const END = 1;
const BYTE = 2;
const ROW = 3;
const KIND = 4;
const HOLDING = 5;
const I32_LOCALS = 4;
const HIT = 6;
const FIRST_LONG = 7;

/**
 * The module's function takes the bytes between two addresses and returns the address where a match ends, or -1.
 * It reads the state from memory, and writes it back unless a match ended.
 */
export function stepModule(program: Program): Uint8Array<ArrayBuffer> {
  const longs = Array.from({ length: program.longs }, (_, long) => long);
  const now = (long: number) => FIRST_LONG + long;
  const next = (long: number) => FIRST_LONG + program.longs + long;
  const kindAt = STATE_AT + 8 * program.longs;
  const start = [
    ...longs.flatMap((long) => wasm.set(now(long), wasm.load64(wasm.i32(0), STATE_AT + 8 * long))),
    ...wasm.set(KIND, wasm.load32(wasm.i32(0), kindAt)),
  ];
  const stop = [
    ...longs.flatMap((long) => wasm.store64(STATE_AT + 8 * long, wasm.get(now(long)))),
    ...wasm.store32(kindAt, wasm.get(KIND)),
    ...wasm.returned(wasm.i32(-1)),
  ];
  const lookAhead = program.hasLooks ? wasm.set(HOLDING, looksThatHold(byteAt(KIND_BEFORE_AT))) : [];
  const passByte = program.hasLooks ? wasm.set(KIND, byteAt(KIND_AFTER_AT)) : [];
  const body = [
    ...start,
    ...wasm.forever([
      ...wasm.when(wasm.atLeast32(wasm.get(AT), wasm.get(END)), stop),
      ...wasm.set(BYTE, wasm.loadByte(wasm.get(AT), 0)),
      ...lookAhead,
      ...program.endsAhead.flatMap((final) => returnIfMet(final, now, HOLDING)),
      ...longs.flatMap((long) => wasm.set(next(long), alongRows(program, long, now))),
      ...program.moves.flatMap((move) => moved(move, now, next)),
      ...program.hubs.flatMap((hub) => [
        ...wasm.set(HIT, allOnesIf(underLook(hub.look, HOLDING, meets(hub.sources, now)))),
        ...hub.targets.flatMap(([long, bits]) =>
          orInto(next(long), wasm.and64(wasm.get(HIT), wasm.i64(bits))),
        ),
      ]),
      ...wasm.set(ROW, wasm.multiply32(wasm.get(BYTE), wasm.i32(8 * program.longs))),
      ...longs.flatMap((long) => {
        const accepted = wasm.load64(wasm.get(ROW), ACCEPT_AT + 8 * long);
        return wasm.set(now(long), wasm.and64(wasm.get(next(long)), accepted));
      }),
      ...passByte,
      ...wasm.set(AT, wasm.add32(wasm.get(AT), wasm.i32(1))),
      ...program.endsHere.flatMap((final) => returnIfMet(final, now, KIND)),
    ]),
    ...wasm.UNREACHABLE,
  ];
  return wasm.moduleOf(PAGES, { i32: I32_LOCALS, i64: 1 + 2 * program.longs }, body);
}

/** The local that holds a long. */
type Local = (long: number) => number;

/** Entry, stay and advance of one long: they are there in every program. */
function alongRows({ entry, stay, advance }: Program, long: number, now: Local): wasm.Code {
  const parts: wasm.Code[] = [];
  const advancing = longOf(advance, long);
  if (advancing !== 0n) parts.push(wasm.shiftLeft64(masked(wasm.get(now(long)), advancing), wasm.i64(1n)));
  const carried = longOf(advance, long - 1) >> 63n;
  if (carried !== 0n) parts.push(wasm.shiftRight64(wasm.get(now(long - 1)), wasm.i64(63n)));
  const staying = longOf(stay, long);
  if (staying !== 0n) parts.push(masked(wasm.get(now(long)), staying));
  return parts.reduce(wasm.or64, wasm.i64(longOf(entry, long)));
}

function moved({ look, distance, sources }: Move, now: Local, next: Local): wasm.Code {
  const longShift = distance >> 6;
  const bitShift = BigInt(distance & 63);
  return sources.flatMap(([long, bits]) => {
    const active = masked(wasm.get(now(long)), bits);
    const moving = look === 0 ? active : wasm.and64(active, allOnesIf(underLook(look, HOLDING, wasm.i32(1))));
    const low = BigInt.asUintN(64, bits << bitShift);
    const high = bitShift === 0n ? 0n : bits >> (64n - bitShift);
    const target = long + longShift;
    return [
      ...(low === 0n ? [] : orInto(next(target), wasm.shiftLeft64(moving, wasm.i64(bitShift)))),
      ...(high === 0n ? [] : orInto(next(target + 1), wasm.shiftRight64(moving, wasm.i64(64n - bitShift)))),
    ];
  });
}

function orInto(local: number, value: wasm.Code): wasm.Code {
  return wasm.set(local, wasm.or64(wasm.get(local), value));
}

function returnIfMet(final: Final, now: Local, holding: number): wasm.Code {
  return wasm.when(underLook(final.look, holding, meets(final.mask, now)), wasm.returned(wasm.get(AT)));
}

function byteAt(address: number): wasm.Code {
  return wasm.loadByte(wasm.get(BYTE), address);
}

/** 1 if any position of the mask is active, else 0. */
function meets(mask: Mask, now: Local): wasm.Code {
  const parts = mask.map(([long, bits]) => masked(wasm.get(now(long)), bits));
  return wasm.isZero32(wasm.isZero64(parts.reduce(wasm.or64)));
}

/** `condition`, and all of `look` among those that hold. */
function underLook(look: number, holding: number, condition: wasm.Code): wasm.Code {
  if (look === 0) return condition;
  return wasm.and32(condition, wasm.equal32(wasm.and32(wasm.get(holding), wasm.i32(look)), wasm.i32(look)));
}

/** 64 ones for 1, zeros for 0. */
function allOnesIf(condition: wasm.Code): wasm.Code {
  return wasm.subtract64(wasm.i64(0n), wasm.widen(condition));
}

function masked(value: wasm.Code, mask: bigint): wasm.Code {
  return mask === 0xffff_ffff_ffff_ffffn ? value : wasm.and64(value, wasm.i64(mask));
}

/** As in look.ts. NOT_WORD_BOUNDARY is the bit after WORD_BOUNDARY. */
function looksThatHold(ahead: wasm.Code): wasm.Code {
  const wordBehind = wasm.and32(wasm.shiftRight32(wasm.get(KIND), wasm.i32(bitOf(AFTER_WORD))), wasm.i32(1));
  const wordAhead = wasm.and32(wasm.shiftRight32(ahead, wasm.i32(bitOf(BEFORE_WORD))), wasm.i32(1));
  const isSame = wasm.isZero32(wasm.xor32(wordBehind, wordAhead));
  return [
    wasm.and32(wasm.get(KIND), wasm.i32(TEXT_START | LINE_START)),
    wasm.and32(ahead, wasm.i32(TEXT_END | LINE_END)),
    wasm.shiftLeft32(wasm.i32(WORD_BOUNDARY), isSame),
  ].reduce(wasm.or32);
}

function bitOf(flag: number): number {
  return Math.log2(flag);
}

function longOf(mask: Mask, long: number): bigint {
  return mask.find(([at]) => at === long)?.[1] ?? 0n;
}
