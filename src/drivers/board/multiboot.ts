// Tells whether a file is a multiboot image that fits into a board's memory, before anything is started:
// the emulator itself skips what it can't load, without a word. Pure.
// Source: Multiboot Specification 0.6.96, section 3; System V ABI for ELF.

const magic = 0x1bad_b002;
/** The header lies in these first bytes, on a multiple of four. */
const headerWithinBytes = 8192;
/** The header itself names load addresses, so the rest of the file need not be ELF. */
const ownAddressesFlag = 0x1_0000;

const elfMagic = 0x464c_457f;
const elfHeaderBytes = 52;
const programHeaderBytes = 32;
const loadSegment = 1;

export type ImageInspection =
  /** `topBytes`: the first address behind all that the image loads. */
  | { readonly bootable: true; readonly topBytes: number }
  /** `isMultiboot`: there is a header, so this was meant to be booted. */
  | { readonly bootable: false; readonly isMultiboot: boolean; readonly problem: string };

/** Looks at a whole file. `problem` continues a sentence that begins with the file's name. */
export function inspectImage(file: Uint8Array, memoryBytes: number): ImageInspection {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerAt = findHeader(view);
  if (headerAt === undefined) return refuse(false, 'is not a multiboot image');
  if ((view.getUint32(headerAt + 4, true) & ownAddressesFlag) !== 0) {
    return inspectOwnAddresses(view, headerAt, memoryBytes);
  }
  return inspectElf(view, memoryBytes);
}

function findHeader(view: DataView): number | undefined {
  const lastAt = Math.min(view.byteLength, headerWithinBytes) - 12;
  for (let at = 0; at <= lastAt; at += 4) {
    if (view.getUint32(at, true) !== magic) continue;
    const sum = magic + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    if (sum % 2 ** 32 === 0) return at;
  }
  return undefined;
}

function inspectOwnAddresses(view: DataView, headerAt: number, memoryBytes: number): ImageInspection {
  if (headerAt + 32 > view.byteLength) return refuse(true, 'is cut off inside its multiboot header');
  const [header, load, loadEnd, zeroEnd] = [12, 16, 20, 24].map((at) => view.getUint32(headerAt + at, true));
  if (header === undefined || load === undefined || loadEnd === undefined || zeroEnd === undefined) {
    throw new RangeError('four fields give four values');
  }
  const fileAt = headerAt - (header - load);
  if (header < load || fileAt < 0)
    return refuse(true, 'has addresses in its multiboot header that contradict');
  const bytes = loadEnd === 0 ? view.byteLength - fileAt : loadEnd - load;
  if (bytes < 0 || fileAt + bytes > view.byteLength) {
    return refuse(true, 'is shorter than its multiboot header says');
  }
  return fits(Math.max(load + bytes, zeroEnd), memoryBytes);
}

function inspectElf(view: DataView, memoryBytes: number): ImageInspection {
  if (view.byteLength < elfHeaderBytes || view.getUint32(0, true) !== elfMagic) {
    return refuse(true, 'has a multiboot header, but is not an ELF file');
  }
  if (view.getUint8(4) !== 1 || view.getUint8(5) !== 1) {
    return refuse(true, 'is a 64-bit or big-endian ELF file; a multiboot image is 32-bit x86');
  }
  const tableAt = view.getUint32(28, true);
  const count = view.getUint16(44, true);
  if (
    view.getUint16(42, true) !== programHeaderBytes ||
    tableAt + count * programHeaderBytes > view.byteLength
  ) {
    return refuse(true, 'is cut off, or its ELF program headers are damaged');
  }
  const sections = view.getUint16(48, true) * view.getUint16(46, true);
  if (sections > 0 && view.getUint32(32, true) + sections > view.byteLength) {
    return refuse(true, 'is cut off inside its ELF section headers');
  }
  return inspectSegments(view, { tableAt, count, memoryBytes });
}

function inspectSegments(
  view: DataView,
  table: { tableAt: number; count: number; memoryBytes: number },
): ImageInspection {
  let topBytes = 0;
  for (let index = 0; index < table.count; index += 1) {
    const at = table.tableAt + index * programHeaderBytes;
    if (view.getUint32(at, true) !== loadSegment) continue;
    const [fileAt, physical] = [view.getUint32(at + 4, true), view.getUint32(at + 12, true)];
    const [fileBytes, memorySize] = [view.getUint32(at + 16, true), view.getUint32(at + 20, true)];
    if (fileAt + fileBytes > view.byteLength || fileBytes > memorySize) {
      return refuse(true, 'is cut off inside one of its ELF segments');
    }
    topBytes = Math.max(topBytes, physical + memorySize);
  }
  if (topBytes === 0) return refuse(true, 'has no ELF segment to load');
  return fits(topBytes, table.memoryBytes);
}

function fits(topBytes: number, memoryBytes: number): ImageInspection {
  if (topBytes < memoryBytes) return { bootable: true, topBytes };
  return refuse(
    true,
    `loads up to ${megabytes(topBytes)} MB, and the board has ${megabytes(memoryBytes)} MB`,
  );
}

/** In whole megabytes, rounded up. */
export function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}

function refuse(isMultiboot: boolean, problem: string): ImageInspection {
  return { bootable: false, isMultiboot, problem };
}
