// Writes the two formats around an image's code: an ELF file with one segment, and the multiboot header by
// which boot loaders and emulators know it. Pure.
// Sources: System V ABI, Intel 386 supplement; Multiboot Specification 0.6.96.

/** Addresses are physical and virtual alike: paging is off. */
export const loadAddress = 0x10_0000;
const fileHeaderBytes = 52;
const programHeaderBytes = 32;
const multibootHeaderBytes = 12;
/** Where the code begins: behind the headers, which are loaded with it. */
export const codeAddress = loadAddress + fileHeaderBytes + programHeaderBytes + multibootHeaderBytes;

const multibootMagic = 0x1bad_b002;
/** Align modules on pages, and pass the memory map. */
const multibootFlags = 0x3;

/**
 * The file of this code, which was assembled for `codeAddress` and starts at its first byte.
 * `zeroedBytes` more follow it in memory.
 */
export function writeImage(code: Uint8Array, zeroedBytes: number): Uint8Array {
  const headerBytes = codeAddress - loadAddress;
  const file = new Uint8Array(headerBytes + code.length);
  const view = new DataView(file.buffer);
  writeFileHeader(file, view);
  writeProgramHeader(view, file.length, zeroedBytes);
  const multiboot = fileHeaderBytes + programHeaderBytes;
  view.setUint32(multiboot, multibootMagic, true);
  view.setUint32(multiboot + 4, multibootFlags, true);
  view.setUint32(multiboot + 8, -(multibootMagic + multibootFlags), true);
  file.set(code, headerBytes);
  return file;
}

function writeFileHeader(file: Uint8Array, view: DataView): void {
  // Magic, 32-bit, little-endian, version 1.
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const executable = 2;
  const intel386 = 3;
  view.setUint16(16, executable, true);
  view.setUint16(18, intel386, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, codeAddress, true);
  view.setUint32(28, fileHeaderBytes, true);
  view.setUint16(40, fileHeaderBytes, true);
  view.setUint16(42, programHeaderBytes, true);
  view.setUint16(44, 1, true);
  // No sections follow, but loaders check the size of one.
  view.setUint16(46, 40, true);
}

function writeProgramHeader(view: DataView, fileBytes: number, zeroedBytes: number): void {
  const load = 1;
  const readWriteExecute = 7;
  const fields = [load, 0, loadAddress, loadAddress, fileBytes, fileBytes + zeroedBytes, readWriteExecute];
  fields.forEach((field, index) => {
    view.setUint32(fileHeaderBytes + index * 4, field, true);
  });
  view.setUint32(fileHeaderBytes + 28, 0x1000, true);
}
