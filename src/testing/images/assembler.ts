// A small assembler for 32-bit x86: just the instructions that the test images need, each a method named for
// its mnemonic. It collects bytes and labels and puts the addresses in at the end. Pure.
// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.

/** General registers by their number in the encoding. */
export const reg = { eax: 0, ecx: 1, edx: 2, ebx: 3, esp: 4, ebp: 5, esi: 6, edi: 7 } as const;
export type Register = (typeof reg)[keyof typeof reg];

/** Conditions of a jump by their number in the encoding. */
const conditions = { below: 0x2, zero: 0x4, notZero: 0x5, notSign: 0x9 } as const;
export type Condition = keyof typeof conditions;

type FixupKind = 'absolute32' | 'relative32' | 'low16' | 'high16';

interface Fixup {
  readonly at: number;
  readonly kind: FixupKind;
  readonly label: string;
}

export class Assembler {
  readonly #origin: number;
  readonly #bytes: number[] = [];
  readonly #labels = new Map<string, number>();
  readonly #fixups: Fixup[] = [];

  /** `origin` is the address of the first byte. */
  constructor(origin: number) {
    this.#origin = origin;
  }

  get address(): number {
    return this.#origin + this.#bytes.length;
  }

  label(name: string): void {
    if (this.#labels.has(name)) throw new RangeError(`label ${name} is set twice`);
    this.#labels.set(name, this.address);
  }

  /** Names an address that lies behind the code, as of zeroed memory. */
  define(name: string, address: number): void {
    this.#labels.set(name, address);
  }

  addressOf(name: string): number {
    const address = this.#labels.get(name);
    if (address === undefined) throw new RangeError(`no label ${name}`);
    return address;
  }

  align(bytes: number): void {
    while (this.address % bytes !== 0) this.#bytes.push(0);
  }

  data(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte & 0xff);
  }

  word(value: number): void {
    this.data([value, value >>> 8]);
  }

  dword(value: number | string): void {
    if (typeof value === 'string') this.#reference('absolute32', value);
    else this.data([value, value >>> 8, value >>> 16, value >>> 24]);
  }

  /** Half of a label's address, for a gate of the interrupt table. */
  half(which: 'low16' | 'high16', label: string): void {
    this.#reference(which, label);
  }

  cli = () => this.data([0xfa]);
  sti = () => this.data([0xfb]);
  hlt = () => this.data([0xf4]);
  cld = () => this.data([0xfc]);
  iret = () => this.data([0xcf]);
  ret = () => this.data([0xc3]);
  ud2 = () => this.data([0x0f, 0x0b]);
  /** al = [esi], esi + 1. */
  lodsb = () => this.data([0xac]);
  /** [edi] = al, edi + 1. */
  stosb = () => this.data([0xaa]);
  /** Compares ecx bytes at esi and edi; zero where all are equal. */
  repeCmpsb = () => this.data([0xf3, 0xa6]);
  /** Port dx. */
  inAlDx = () => this.data([0xec]);
  outDxAl = () => this.data([0xee]);

  push = (register: Register) => this.data([0x50 + register]);
  pop = (register: Register) => this.data([0x58 + register]);
  inc = (register: Register) => this.data([0x40 + register]);
  dec = (register: Register) => this.data([0x48 + register]);
  mov = (to: Register, from: Register) => this.data([0x89, 0xc0 | (from << 3) | to]);
  sub = (to: Register, from: Register) => this.data([0x29, 0xc0 | (from << 3) | to]);
  xor = (to: Register, from: Register) => this.data([0x31, 0xc0 | (from << 3) | to]);
  test = (a: Register, b: Register) => this.data([0x85, 0xc0 | (b << 3) | a]);
  /** eax, edx = quotient and remainder of edx:eax. */
  div = (by: Register) => this.data([0xf7, 0xf0 | by]);

  movAl = (value: number) => this.data([0xb0, value]);
  addDl = (value: number) => this.data([0x80, 0xc2, value]);
  testAl = (mask: number) => this.data([0xa8, mask]);
  cmpAl = (value: number) => this.data([0x3c, value]);
  /** The byte at [edi]. */
  incByteAtEdi = () => this.data([0xfe, 0x07]);
  cmpByteAtEdi = (value: number) => this.data([0x80, 0x3f, value]);
  movByteAtEdi = (value: number) => this.data([0xc6, 0x07, value]);
  movByteAtEdiDl = () => this.data([0x88, 0x17]);

  /** A number, or the address of a label. */
  movValue(to: Register, value: number | string): void {
    this.data([0xb8 + to]);
    this.dword(value);
  }

  cmpValue(register: Register, value: number | string): void {
    this.data([0x81, 0xf8 | register]);
    this.dword(value);
  }

  /** register = [label]. */
  load(to: Register, label: string): void {
    this.data([0x8b, (to << 3) | 5]);
    this.dword(label);
  }

  /** [label] = register. */
  store(label: string, from: Register): void {
    this.data([0x89, (from << 3) | 5]);
    this.dword(label);
  }

  /** to = [base + offset]; base can't be esp, which has an encoding of its own. */
  loadAt(to: Register, base: Exclude<Register, 4>, offset: number): void {
    this.data([0x8b, 0x80 | (to << 3) | base]);
    this.dword(offset);
  }

  /** register += [label]. */
  addFrom(to: Register, label: string): void {
    this.data([0x03, (to << 3) | 5]);
    this.dword(label);
  }

  incAt(label: string): void {
    this.data([0xff, 0x05]);
    this.dword(label);
  }

  lgdt(label: string): void {
    this.data([0x0f, 0x01, 0x15]);
    this.dword(label);
  }

  lidt(label: string): void {
    this.data([0x0f, 0x01, 0x1d]);
    this.dword(label);
  }

  /** Loads ds, es, fs, gs and ss from eax. */
  movDataSegmentsEax(): void {
    for (const segment of [3, 0, 4, 5, 2]) this.data([0x8e, 0xc0 | (segment << 3) | reg.eax]);
  }

  jmpFar(selector: number, label: string): void {
    this.data([0xea]);
    this.dword(label);
    this.word(selector);
  }

  jmp = (label: string) => this.#branch([0xe9], label);
  call = (label: string) => this.#branch([0xe8], label);
  jumpIf = (condition: Condition, label: string) => this.#branch([0x0f, 0x80 | conditions[condition]], label);

  #branch(opcode: readonly number[], label: string): void {
    this.data(opcode);
    this.#reference('relative32', label);
  }

  #reference(kind: FixupKind, label: string): void {
    this.#fixups.push({ at: this.#bytes.length, kind, label });
    this.data(kind === 'absolute32' || kind === 'relative32' ? [0, 0, 0, 0] : [0, 0]);
  }

  /** All bytes with the addresses put in. Throws a RangeError for a label that is nowhere. */
  finish(): Uint8Array {
    const bytes = Uint8Array.from(this.#bytes);
    const view = new DataView(bytes.buffer);
    for (const { at, kind, label } of this.#fixups) {
      const address = this.addressOf(label);
      if (kind === 'absolute32') view.setUint32(at, address, true);
      if (kind === 'relative32') view.setInt32(at, address - (this.#origin + at + 4), true);
      if (kind === 'low16') view.setUint16(at, address & 0xffff, true);
      if (kind === 'high16') view.setUint16(at, address >>> 16, true);
    }
    return bytes;
  }
}
