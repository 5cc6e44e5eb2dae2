// The test images: the same description gives the same bytes, and the assembler's encodings are the manual's.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Assembler, reg } from '../../src/testing/images/assembler.ts';
import { type ImageSpec, makeImage } from '../../src/testing/images/make-image.ts';
import { floodLine, floodLineBytes } from '../../src/testing/images/programs.ts';

function assemble(write: (assembler: Assembler) => void, origin = 0x10_0000): string {
  const assembler = new Assembler(origin);
  write(assembler);
  return Buffer.from(assembler.finish()).toString('hex');
}

test('the same description makes the same image', () => {
  const specs: ImageSpec[] = [
    { kind: 'hello', lines: ['one', 'two'] },
    { kind: 'slow', seconds: 2, lines: 4, endText: 'done' },
    { kind: 'flood', megabytes: 1 },
    { kind: 'echo' },
  ];
  for (const spec of specs) assert.deepEqual(makeImage(spec), makeImage(spec));
});

test('different descriptions make different images', () => {
  const kinds = ['hello', 'fail', 'hang', 'echo', 'module', 'raw', 'halt', 'fault', 'reset'] as const;
  const images: ImageSpec[] = [...kinds.map((kind) => ({ kind })), { kind: 'hello', endText: 'other' }];
  const hashes = images.map((spec) => createHash('sha256').update(makeImage(spec)).digest('hex'));
  assert.equal(new Set(hashes).size, hashes.length);
});

test('a length that can not be is refused', () => {
  assert.throws(() => makeImage({ kind: 'slow', seconds: 0 }), RangeError);
  assert.throws(() => makeImage({ kind: 'flood', megabytes: Number.NaN }), RangeError);
});

test('instructions are encoded as the manual says', () => {
  assert.equal(
    assemble((a) => a.movValue(reg.ecx, 0x1234)),
    'b934120000',
  );
  assert.equal(
    assemble((a) => a.mov(reg.esi, reg.edi)),
    '89fe',
  );
  assert.equal(
    assemble((a) => a.sub(reg.eax, reg.ecx)),
    '29c8',
  );
  assert.equal(
    assemble((a) => a.test(reg.eax, reg.eax)),
    '85c0',
  );
  assert.equal(
    assemble((a) => a.loadAt(reg.eax, reg.ebp, 20)),
    '8b8514000000',
  );
  assert.equal(
    assemble((a) => a.cmpValue(reg.edi, 4)),
    '81ff04000000',
  );
  assert.equal(
    assemble((a) => a.movDataSegmentsEax()),
    '8ed88ec08ee08ee88ed0',
  );
});

test('labels become absolute and relative addresses, forwards and backwards', () => {
  const hex = assemble((a) => {
    a.label('here');
    a.jmp('there');
    a.jmp('here');
    a.label('there');
    a.dword('here');
    a.half('low16', 'there');
    a.half('high16', 'there');
  });
  assert.equal(hex, ['e905000000', 'e9f6ffffff', '00001000', '0a00', '1000'].join(''));
});

test('a label that is nowhere, or twice, is an error', () => {
  assert.throws(() => assemble((a) => a.jmp('nowhere')), /no label nowhere/);
  assert.throws(
    () =>
      assemble((a) => {
        a.label('here');
        a.label('here');
      }),
    /set twice/,
  );
});

test('flood lines have one length, whatever their number', () => {
  for (const number of [1, 9, 10, 99_999, 123_456_789]) {
    assert.equal(floodLine(number).length, floodLineBytes);
    assert.ok(floodLine(number).endsWith('\n'));
  }
});
