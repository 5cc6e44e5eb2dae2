// Makes the images that tests and the demonstration boot: real machine code for a plain 32-bit PC, as an ELF
// file with a multiboot header. The same description always gives the same bytes. Pure.

import { writeImage } from './elf.ts';
import { Machine, zeroedBytes } from './machine.ts';
import { floodLineBytes, giveUp, printFlood, printModule, printSlowly, repeatLines } from './programs.ts';

export const defaultEndText = 'All is well in the universe';
export const defaultErrorText = 'Assertion failed: received == expected (src/main.c:42)';

/** What an image does; all but 'hang' and the crashes print `endText` as their last line, then idle. */
export type ImageSpec = EndText &
  (
    | { readonly kind: 'hello'; readonly lines?: readonly string[] }
    /** A line every `seconds` / `lines` of guest time. */
    | { readonly kind: 'slow'; readonly seconds: number; readonly lines?: number }
    /** Prints `errorText` and idles; no end text. */
    | { readonly kind: 'fail'; readonly errorText?: string }
    /** Prints one line and idles for ever, interrupts on, as a kernel that waits for something. */
    | { readonly kind: 'hang' }
    /** Repeats input lines; the end text comes after the line 'exit'. */
    | { readonly kind: 'echo' }
    /** So many megabytes of numbered lines (see `floodLine`). */
    | { readonly kind: 'flood'; readonly megabytes: number }
    /** Prints the boot module, which is the second file. */
    | { readonly kind: 'module' }
    /** Prints the bytes 0 to 255. */
    | { readonly kind: 'raw' }
    /** Prints one line, then gives up. */
    | { readonly kind: 'halt' | 'fault' | 'reset' }
  );

interface EndText {
  readonly endText?: string;
}

/** The image's file. Throws a RangeError for a length that is no positive number. */
export function makeImage(spec: ImageSpec): Uint8Array {
  const machine = new Machine();
  if (runsToItsEnd(machine, spec)) machine.print(`${spec.endText ?? defaultEndText}\n`);
  machine.idle();
  return writeImage(machine.finishImage(), zeroedBytes);
}

/** The first line that each image but 'raw' and 'flood' prints. */
export function firstLine(kind: ImageSpec['kind']): string {
  return `${kind}: booted\n`;
}

function runsToItsEnd(machine: Machine, spec: ImageSpec): boolean {
  if (spec.kind !== 'raw' && spec.kind !== 'flood') machine.print(firstLine(spec.kind));
  switch (spec.kind) {
    case 'hello':
      for (const line of spec.lines ?? ['Hello from the board']) machine.print(`${line}\n`);
      return true;
    case 'slow':
      requirePositive('seconds', spec.seconds);
      printSlowly(machine, { seconds: spec.seconds, lines: spec.lines ?? Math.ceil(spec.seconds) });
      return true;
    case 'fail':
      machine.print(`${spec.errorText ?? defaultErrorText}\n`);
      return false;
    case 'hang':
      return false;
    case 'echo':
      repeatLines(machine);
      return true;
    case 'flood':
      requirePositive('megabytes', spec.megabytes);
      printFlood(machine, Math.ceil((spec.megabytes * 1024 * 1024) / floodLineBytes));
      return true;
    case 'module':
      printModule(machine);
      return true;
    case 'raw':
      machine.print(Uint8Array.from({ length: 256 }, (_, byte) => byte));
      return true;
    case 'halt':
    case 'fault':
    case 'reset':
      giveUp(machine, spec.kind);
      return false;
  }
}

function requirePositive(name: string, value: number): void {
  if (!(value > 0 && value < 1e6))
    throw new RangeError(`${name} must be above 0 and below a million: ${value}`);
}
