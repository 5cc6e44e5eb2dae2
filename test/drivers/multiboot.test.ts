// Looking at image files: what boots is known, and no bytes whatsoever make the look itself fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inspectImage } from '../../src/drivers/board/multiboot.ts';
import { loadAddress } from '../../src/testing/images/elf.ts';
import { makeImage } from '../../src/testing/images/make-image.ts';

const memoryBytes = 16 * 1024 * 1024;
const image = makeImage({ kind: 'hello' });

/** A header with addresses of its own, then `contentBytes` more. */
function flatImage(
  fields: { load: number; loadEnd: number; zeroEnd: number },
  contentBytes: number,
): Uint8Array {
  const file = new Uint8Array(32 + contentBytes);
  const view = new DataView(file.buffer);
  const flags = 0x1_0000;
  const { load, loadEnd, zeroEnd } = fields;
  [0x1bad_b002, flags, -(0x1bad_b002 + flags), load, load, loadEnd, zeroEnd, load + 32].forEach(
    (field, at) => {
      view.setUint32(at * 4, field, true);
    },
  );
  return file;
}

/** The image with one field of its headers changed. */
function patched(at: number, value: number, size: 1 | 2 | 4 = 4): Uint8Array {
  const copy = image.slice();
  const view = new DataView(copy.buffer);
  if (size === 1) view.setUint8(at, value);
  if (size === 2) view.setUint16(at, value, true);
  if (size === 4) view.setUint32(at, value, true);
  return copy;
}

function problem(file: Uint8Array): string {
  const inspection = inspectImage(file, memoryBytes);
  return inspection.bootable ? 'none' : inspection.problem;
}

test('an image of our own boots, and its top is behind its zeroed memory', () => {
  const inspection = inspectImage(image, memoryBytes);
  assert.ok(inspection.bootable);
  assert.ok(inspection.topBytes > loadAddress + image.length);
});

test('an image that needs exactly the memory does not boot, with one byte more it does', () => {
  const inspection = inspectImage(image, memoryBytes);
  assert.ok(inspection.bootable);
  assert.equal(inspectImage(image, inspection.topBytes).bootable, false);
  assert.equal(inspectImage(image, inspection.topBytes + 1).bootable, true);
});

test('an image whose header names its own addresses boots without being ELF', () => {
  const inspection = inspectImage(flatImage({ load: loadAddress, loadEnd: 0, zeroEnd: 0 }, 100), memoryBytes);
  assert.deepEqual(inspection, { bootable: true, topBytes: loadAddress + 132 });
});

test('an image with its own addresses that says more than it has does not boot', () => {
  const loadEnd = loadAddress + 133;
  assert.match(problem(flatImage({ load: loadAddress, loadEnd, zeroEnd: 0 }, 100)), /shorter than its/);
  assert.equal(problem(flatImage({ load: loadAddress, loadEnd: loadEnd - 1, zeroEnd: 0 }, 100)), 'none');
});

test('a multiboot header counts only with its checksum, in the first 8 KB, on a multiple of four', () => {
  const header = flatImage({ load: loadAddress, loadEnd: 0, zeroEnd: 0 }, 0);
  const at = (offset: number) => {
    const file = new Uint8Array(16_384);
    file.set(header, offset);
    return file;
  };
  assert.equal(problem(at(0)), 'none');
  assert.equal(problem(at(2)), 'is not a multiboot image');
  assert.equal(problem(at(8192)), 'is not a multiboot image');
  const wrongSum = at(0);
  wrongSum[8] = (wrongSum[8] ?? 0) ^ 1;
  assert.equal(problem(wrongSum), 'is not a multiboot image');
});

test('damaged ELF headers are named', () => {
  assert.match(problem(patched(0, 0)), /is not an ELF file/);
  assert.match(problem(patched(4, 2, 1)), /64-bit/);
  assert.match(problem(patched(28, 0xffff_fff0)), /program headers are damaged/);
  assert.match(problem(patched(44, 0, 2)), /no ELF segment/);
  assert.match(problem(patched(52 + 16, 0x7fff_ffff)), /cut off inside one of its ELF segments/);
  assert.match(problem(patched(52 + 12, 0x0100_0000)), /loads up to 17 MB, and the board has 16 MB/);
});

test('whatever the bytes, looking at them gives an answer', () => {
  const noise = fc.uint8Array({ maxLength: 200 });
  const damaged = fc
    .array(fc.tuple(fc.nat(image.length - 1), fc.nat(255)), { maxLength: 8 })
    .map((changes) => {
      const copy = image.slice();
      for (const [at, byte] of changes) copy[at] = byte;
      return copy;
    });
  const cutOff = fc.nat(image.length).map((length) => image.slice(0, length));
  fc.assert(
    fc.property(fc.oneof(noise, damaged, cutOff), (file) => {
      const inspection = inspectImage(file, memoryBytes);
      if (inspection.bootable) assert.ok(inspection.topBytes < memoryBytes);
    }),
  );
});
