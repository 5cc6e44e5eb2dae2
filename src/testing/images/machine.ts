// What all images share: the way from the boot loader to a machine with a console, a clock and interrupts,
// and the routines around them. The hardware is the plain PC: 16550 serial port at 3F8h on interrupt line 4,
// 8253 timer on line 0, two 8259 interrupt controllers. Pure: it only writes code.

import { Assembler, reg } from './assembler.ts';
import { codeAddress } from './elf.ts';

const serial = 0x3f8;
const serialLineStatus = serial + 5;
const lineStatusHasInput = 0x01;
const lineStatusSendEmpty = 0x20;
/** What a 16550 takes at once when its send queue is empty. */
const sendQueueBytes = 16;

const codeSelector = 0x08;
const dataSelector = 0x10;
const gates = 0x30;
const firstTimerGate = 0x20;
const serialGate = firstTimerGate + 4;

export const ticksPerSecond = 100;
const timerHertz = 1_193_182;

const stackBytes = 4096;
const lineBytesMax = 256;
/** The zeroed memory behind the code: three words, the line buffer, the stack. */
export const zeroedBytes = 12 + 16 + lineBytesMax + stackBytes;

export class Machine extends Assembler {
  readonly #texts: { readonly label: string; readonly bytes: Uint8Array }[] = [];

  constructor() {
    super(codeAddress);
    this.#start();
  }

  /** Prints a text (in UTF-8) or bytes as they are. */
  print(text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    const label = `text${this.#texts.length}`;
    this.#texts.push({ label, bytes });
    this.movValue(reg.esi, label);
    this.movValue(reg.ecx, bytes.length);
    this.call('print');
  }

  /** Starts the clock that `wait` needs; a machine without it sleeps deeper. */
  startClock(): void {
    const divisor = Math.round(timerHertz / ticksPerSecond);
    this.outAll(0x43, [0x34]);
    this.outAll(0x40, [divisor & 0xff, divisor >>> 8]);
    this.outAll(0x21, [0xee]);
  }

  /** The timer fires once more, unheard, and then rests. */
  stopClock(): void {
    this.outAll(0x21, [0xef]);
    this.outAll(0x43, [0x30]);
    this.outAll(0x40, [0xff, 0xff]);
  }

  /** Idle for ever, as a kernel with nothing to do: interrupts stay on. */
  idle(): void {
    const again = `idle${this.address}`;
    this.label(again);
    this.sti();
    this.hlt();
    this.jmp(again);
  }

  /** The finished code: routines, tables and texts follow what was written so far. */
  finishImage(): Uint8Array {
    this.#printRoutine();
    this.#printDecimalRoutine();
    this.#waitRoutine();
    this.#readRoutine();
    this.#interruptRoutines();
    this.#tables();
    for (const { label, bytes } of this.#texts) {
      this.label(label);
      this.data(bytes);
    }
    this.align(16);
    const zeroed = this.address;
    this.define('bootInfo', zeroed);
    this.define('ticks', zeroed + 4);
    this.define('number', zeroed + 12);
    this.define('numberEnd', zeroed + 12 + 16);
    this.define('line', zeroed + 12 + 16);
    this.define('lineEnd', zeroed + 12 + 16 + lineBytesMax);
    this.define('stackTop', zeroed + zeroedBytes);
    return this.finish();
  }

  #start(): void {
    this.cli();
    this.cld();
    this.movValue(reg.esp, 'stackTop');
    this.store('bootInfo', reg.ebx);
    // The loader's segment table is gone by rule; interrupts need one.
    this.lgdt('segmentTableAt');
    this.jmpFar(codeSelector, 'segmentsLoaded');
    this.label('segmentsLoaded');
    this.movValue(reg.eax, dataSelector);
    this.movDataSegmentsEax();
    this.lidt('interruptTableAt');
    // Controllers: lines 0 to 7 at gate 20h, 8 to 15 at 28h; only the serial port may interrupt.
    this.outAll(0x20, [0x11]);
    this.outAll(0x21, [firstTimerGate, 0x04, 0x01, 0xef]);
    this.outAll(0xa0, [0x11]);
    this.outAll(0xa1, [firstTimerGate + 8, 0x02, 0x01, 0xff]);
    // Serial port: 115200 baud, 8 bits, queues on, interrupt for input.
    this.outAll(serial + 3, [0x80]);
    this.outAll(serial, [1]);
    this.outAll(serial + 1, [0]);
    this.outAll(serial + 3, [0x03]);
    this.outAll(serial + 2, [0x07]);
    this.outAll(serial + 4, [0x0b]);
    this.outAll(serial + 1, [0x01]);
  }

  /** Writes these bytes to one port, one after the other. */
  outAll(port: number, values: readonly number[]): void {
    this.movValue(reg.edx, port);
    for (const value of values) {
      this.movAl(value);
      this.outDxAl();
    }
  }

  /** print: ecx bytes at esi. Changes eax, ebx, ecx, edx, esi. */
  #printRoutine(): void {
    this.label('print');
    this.test(reg.ecx, reg.ecx);
    this.jumpIf('zero', 'printDone');
    this.label('printBlock');
    this.movValue(reg.edx, serialLineStatus);
    this.label('printWait');
    this.inAlDx();
    this.testAl(lineStatusSendEmpty);
    this.jumpIf('zero', 'printWait');
    this.movValue(reg.ebx, sendQueueBytes);
    this.movValue(reg.edx, serial);
    this.label('printByte');
    this.lodsb();
    this.outDxAl();
    this.dec(reg.ecx);
    this.jumpIf('zero', 'printDone');
    this.dec(reg.ebx);
    this.jumpIf('notZero', 'printByte');
    this.jmp('printBlock');
    this.label('printDone');
    this.ret();
  }

  /** printDecimal: the number in eax. Changes all but esp and ebp. */
  #printDecimalRoutine(): void {
    this.label('printDecimal');
    this.movValue(reg.edi, 'numberEnd');
    this.movValue(reg.ebx, 10);
    this.label('printDecimalDigit');
    this.xor(reg.edx, reg.edx);
    this.div(reg.ebx);
    this.addDl(0x30);
    this.dec(reg.edi);
    this.movByteAtEdiDl();
    this.test(reg.eax, reg.eax);
    this.jumpIf('notZero', 'printDecimalDigit');
    this.mov(reg.esi, reg.edi);
    this.movValue(reg.ecx, 'numberEnd');
    this.sub(reg.ecx, reg.edi);
    this.jmp('print');
  }

  /** wait: ecx ticks, asleep. Changes eax, ecx. */
  #waitRoutine(): void {
    this.label('wait');
    this.addFrom(reg.ecx, 'ticks');
    this.label('waitMore');
    this.cli();
    this.load(reg.eax, 'ticks');
    this.sub(reg.eax, reg.ecx);
    this.jumpIf('notSign', 'waitDone');
    // No interrupt can come between the two: sti takes effect behind the next instruction.
    this.sti();
    this.hlt();
    this.jmp('waitMore');
    this.label('waitDone');
    this.ret();
  }

  /** read: the next input byte to al, asleep until there is one. Changes eax, edx. */
  #readRoutine(): void {
    this.label('read');
    this.cli();
    this.movValue(reg.edx, serialLineStatus);
    this.inAlDx();
    this.testAl(lineStatusHasInput);
    this.jumpIf('notZero', 'readNow');
    this.sti();
    this.hlt();
    this.jmp('read');
    this.label('readNow');
    this.movValue(reg.edx, serial);
    this.inAlDx();
    this.ret();
  }

  #interruptRoutines(): void {
    this.label('onTimer');
    this.incAt('ticks');
    this.label('onOther');
    this.push(reg.eax);
    this.push(reg.edx);
    this.outAll(0x20, [0x20]);
    this.pop(reg.edx);
    this.pop(reg.eax);
    this.iret();
    this.label('onException');
    this.print('unexpected processor exception\n');
    this.cli();
    this.hlt();
  }

  #tables(): void {
    this.align(8);
    this.label('segmentTable');
    // Null; code and data, each the flat 4 GB.
    this.data([0, 0, 0, 0, 0, 0, 0, 0]);
    this.data([0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0]);
    this.data([0xff, 0xff, 0, 0, 0, 0x92, 0xcf, 0]);
    this.label('interruptTable');
    for (let gate = 0; gate < gates; gate += 1) this.#gate(gate);
    this.label('segmentTableAt');
    this.word(3 * 8 - 1);
    this.dword('segmentTable');
    this.label('interruptTableAt');
    this.word(gates * 8 - 1);
    this.dword('interruptTable');
    this.label('noTableAt');
    this.word(0);
    this.dword(0);
  }

  #gate(gate: number): void {
    const handler = gate === firstTimerGate ? 'onTimer' : gate === serialGate ? 'onOther' : 'onException';
    this.half('low16', handler);
    this.word(codeSelector);
    // Present, 32-bit interrupt gate.
    this.word(0x8e00);
    this.half('high16', handler);
  }
}
