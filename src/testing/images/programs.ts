// The programs inside the test images, each written with the machine's routines. Pure.

import { reg } from './assembler.ts';
import { type Machine, ticksPerSecond } from './machine.ts';

/** Prints a line at a time, with `seconds` of guest time spread over them. */
export function printSlowly(machine: Machine, options: { seconds: number; lines: number }): void {
  const ticks = Math.round((options.seconds * ticksPerSecond) / options.lines);
  machine.startClock();
  for (let line = 1; line <= options.lines; line += 1) {
    machine.movValue(reg.ecx, ticks);
    machine.call('wait');
    machine.print(`step ${line} of ${options.lines}\n`);
  }
  machine.stopClock();
}

/** Bytes of one line of a flood, its line feed included. */
export const floodLineBytes = 64;
const floodDigits = 9;

/** The flood's line of this number, from 1 on, for those who check one. */
export function floodLine(number: number): string {
  return `${String(number).padStart(floodDigits, '0')} the quick brown fox jumps over the lazy dog 012345678\n`;
}

/** Prints so many flood lines as fast as the board can. */
export function printFlood(machine: Machine, lines: number): void {
  // The first line becomes the next by counting up its digits in place.
  machine.jmp('floodStart');
  machine.label('floodLine');
  machine.data(new TextEncoder().encode(floodLine(1)));
  machine.label('floodLinesLeft');
  machine.dword(lines);
  machine.label('floodStart');
  machine.movValue(reg.esi, 'floodLine');
  machine.movValue(reg.ecx, floodLineBytes);
  machine.call('print');
  machine.movValue(reg.edi, machine.addressOf('floodLine') + floodDigits - 1);
  machine.label('floodDigit');
  machine.incByteAtEdi();
  machine.cmpByteAtEdi(0x3a);
  machine.jumpIf('below', 'floodCounted');
  machine.movByteAtEdi(0x30);
  machine.dec(reg.edi);
  machine.jmp('floodDigit');
  machine.label('floodCounted');
  machine.load(reg.eax, 'floodLinesLeft');
  machine.dec(reg.eax);
  machine.store('floodLinesLeft', reg.eax);
  machine.jumpIf('notZero', 'floodStart');
}

/** Prints the length of the boot module (the second file) and then its bytes; says so where there is none. */
export function printModule(machine: Machine): void {
  const moduleCountAt = 20;
  const moduleListAt = 24;
  machine.load(reg.ebp, 'bootInfo');
  machine.loadAt(reg.eax, reg.ebp, 0);
  machine.testAl(0x08);
  machine.jumpIf('zero', 'moduleNone');
  machine.loadAt(reg.eax, reg.ebp, moduleCountAt);
  machine.test(reg.eax, reg.eax);
  machine.jumpIf('zero', 'moduleNone');
  machine.loadAt(reg.ebp, reg.ebp, moduleListAt);
  machine.print('module of ');
  machine.loadAt(reg.eax, reg.ebp, 4);
  machine.loadAt(reg.ecx, reg.ebp, 0);
  machine.sub(reg.eax, reg.ecx);
  machine.call('printDecimal');
  machine.print(' bytes\n');
  machine.loadAt(reg.esi, reg.ebp, 0);
  machine.loadAt(reg.ecx, reg.ebp, 4);
  machine.sub(reg.ecx, reg.esi);
  machine.call('print');
  machine.print('\n');
  machine.jmp('moduleDone');
  machine.label('moduleNone');
  machine.print('no module\n');
  machine.label('moduleDone');
}

/**
 * A prompt that repeats each line it is given, as an interactive console does: what is typed is shown,
 * and return sends it. The line 'exit' leaves.
 */
export function repeatLines(machine: Machine): void {
  const carriageReturn = 0x0d;
  const lineFeed = 0x0a;
  machine.label('echoPrompt');
  machine.print('> ');
  machine.movValue(reg.edi, 'line');
  machine.label('echoByte');
  machine.call('read');
  machine.cmpAl(carriageReturn);
  machine.jumpIf('zero', 'echoLine');
  machine.cmpAl(lineFeed);
  machine.jumpIf('zero', 'echoLine');
  // A line longer than its buffer loses its end.
  machine.cmpValue(reg.edi, 'lineEnd');
  machine.jumpIf('zero', 'echoByte');
  machine.mov(reg.esi, reg.edi);
  machine.stosb();
  machine.movValue(reg.ecx, 1);
  machine.call('print');
  machine.jmp('echoByte');
  machine.label('echoLine');
  machine.print('\r\n');
  machine.mov(reg.ebp, reg.edi);
  leaveAtExit(machine);
  machine.print('you said: ');
  machine.movValue(reg.esi, 'line');
  machine.mov(reg.ecx, reg.ebp);
  machine.sub(reg.ecx, reg.esi);
  machine.call('print');
  machine.print('\r\n');
  machine.jmp('echoPrompt');
  machine.label('echoDone');
}

/** Jumps to 'echoDone' where the line that ends at ebp is 'exit'. */
function leaveAtExit(machine: Machine): void {
  machine.jmp('exitCompare');
  machine.label('exitWord');
  machine.data(new TextEncoder().encode('exit'));
  machine.label('exitCompare');
  machine.movValue(reg.edi, 'line');
  machine.mov(reg.ecx, reg.ebp);
  machine.sub(reg.ecx, reg.edi);
  machine.cmpValue(reg.ecx, 4);
  machine.jumpIf('notZero', 'exitNot');
  machine.movValue(reg.esi, 'exitWord');
  machine.repeCmpsb();
  machine.jumpIf('zero', 'echoDone');
  machine.label('exitNot');
}

/** Ends the guest in a way that no kernel comes back from. */
export function giveUp(machine: Machine, how: 'halt' | 'fault' | 'reset'): void {
  machine.cli();
  if (how === 'fault') {
    // Without a table for it, the exception becomes a triple fault.
    machine.lidt('noTableAt');
    machine.ud2();
  }
  // The keyboard controller's line to the processor's reset.
  if (how === 'reset') machine.outAll(0x64, [0xfe]);
  machine.hlt();
}
