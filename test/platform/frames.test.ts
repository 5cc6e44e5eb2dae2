// Frames: whatever the split, the same frames; whatever the bytes, a typed error and bounded memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeData, encodeJson, type Frame, FrameReader } from '../../src/platform/frames.ts';
import { PlatformError } from '../../src/platform/platform-error.ts';

const arbitraryFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.jsonValue({ noUnicodeString: false }).map((value): Frame => ({ kind: 'json', value })),
  fc
    .record({
      streamId: fc.integer({ min: 0, max: 0xffff_ffff }),
      offset: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      atMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
      bytes: fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
    })
    .map((fields): Frame => ({ kind: 'data', ...fields })),
);

function encode(frame: Frame): Buffer {
  return frame.kind === 'json' ? encodeJson(frame.value) : Buffer.concat(encodeData(frame));
}

/** What JSON keeps of a value: -0 becomes 0. */
function asSent(frame: Frame): Frame {
  return frame.kind === 'json' ? { kind: 'json', value: JSON.parse(JSON.stringify(frame.value)) } : frame;
}

function* split(stream: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let position = 0;
  for (let index = 0; position < stream.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield stream.subarray(position, position + size);
    position += size;
  }
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error));
    return error.code;
  }
  return 'no error';
}

function header(payloadBytes: number, kind: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(payloadBytes);
  bytes[4] = kind;
  return bytes;
}

test('any split of a stream gives the same frames', () => {
  fc.assert(
    fc.property(
      fc.array(arbitraryFrame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
      (frames, sizes) => {
        const stream = Buffer.concat(frames.map(encode));
        const reader = new FrameReader({ payloadBytesMax: 1_000_000 });
        const read = [...split(stream, sizes)].flatMap((chunk) => reader.push(chunk));
        assert.deepEqual(read, frames.map(asSent));
        assert.ok(reader.isBetweenFrames);
      },
    ),
  );
});

test('a stream cut at every single byte gives the same frames', () => {
  const frames: Frame[] = [
    { kind: 'json', value: { text: 'grün ✓ 𝄞' } },
    { kind: 'data', streamId: 7, offset: 2 ** 40 + 3, atMs: 1.5, bytes: Buffer.from('console') },
    { kind: 'data', streamId: 0, offset: 0, atMs: 0, bytes: Buffer.alloc(0) },
  ];
  const stream = Buffer.concat(frames.map(encode));
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const reader = new FrameReader({ payloadBytesMax: 1000 });
    const read = [...reader.push(stream.subarray(0, cut)), ...reader.push(stream.subarray(cut))];
    assert.deepEqual(read, frames, `cut at ${cut}`);
  }
});

test('the bytes of a frame that came whole are a view of the chunk, not a copy', () => {
  const stream = Buffer.concat(encodeData({ streamId: 1, offset: 0, atMs: 0, bytes: Buffer.from('abc') }));
  const [frame] = new FrameReader({ payloadBytesMax: 100 }).push(stream);
  assert.ok(frame?.kind === 'data');
  stream[stream.length - 1] = 'X'.charCodeAt(0);
  assert.equal(frame.bytes.toString(), 'abX');
});

test('frames that came in pieces keep their bytes when later pieces come', () => {
  const reader = new FrameReader({ payloadBytesMax: 100 });
  const stream = Buffer.concat(
    ['first', 'second'].flatMap((text) =>
      encodeData({ streamId: 1, offset: 0, atMs: 0, bytes: Buffer.from(text) }),
    ),
  );
  const frames = [...split(stream, [4])].flatMap((chunk) => reader.push(Buffer.from(chunk)));
  assert.deepEqual(
    frames.map((frame) => frame.kind === 'data' && frame.bytes.toString()),
    ['first', 'second'],
  );
});

test('a payload of exactly the limit is read, and one byte more is refused at its header', () => {
  const text = 'x'.repeat(98);
  const [frame] = new FrameReader({ payloadBytesMax: 100 }).push(encodeJson(text));
  assert.deepEqual(frame, { kind: 'json', value: text });
  const reader = new FrameReader({ payloadBytesMax: 99 });
  assert.equal(
    codeOf(() => reader.push(encodeJson(text).subarray(0, 5))),
    'FRAME_TOO_LARGE',
  );
});

test('hostile frames are a typed error, also when they come byte by byte', () => {
  const data = Buffer.concat(encodeData({ streamId: 1, offset: 5, atMs: 1, bytes: Buffer.from('abc') }));
  const hugeOffset = Buffer.from(data);
  hugeOffset.writeUInt32BE(0x20_0000, 9);
  const noTime = Buffer.from(data);
  noTime.writeDoubleBE(Number.NaN, 17);
  const hostile: [string, Buffer][] = [
    ['FRAME_MALFORMED', header(3, 2)],
    ['FRAME_MALFORMED', header(0, 0)],
    ['FRAME_MALFORMED', Buffer.concat([header(3, 0), Buffer.from('{"a')])],
    ['FRAME_MALFORMED', Buffer.concat([header(4, 0), Buffer.from([0x22, 0xc3, 0x28, 0x22])])],
    ['FRAME_MALFORMED', Buffer.concat([header(19, 1), Buffer.alloc(19)])],
    ['FRAME_MALFORMED', hugeOffset],
    ['FRAME_MALFORMED', noTime],
    ['FRAME_TOO_LARGE', header(0xffff_ffff, 1)],
  ];
  for (const [code, bytes] of hostile) {
    for (const sizes of [[bytes.length], [1]]) {
      const reader = new FrameReader({ payloadBytesMax: 1000 });
      const push = () => [...split(bytes, sizes)].map((chunk) => reader.push(chunk));
      assert.equal(codeOf(push), code, bytes.toString('hex'));
    }
  }
});

test('after a bad frame the reader stays closed', () => {
  const reader = new FrameReader({ payloadBytesMax: 1000 });
  const first = codeOf(() => reader.push(header(3, 9)));
  assert.equal(first, 'FRAME_MALFORMED');
  assert.equal(
    codeOf(() => reader.push(encodeJson({ fine: true }))),
    'FRAME_MALFORMED',
  );
});

test('arbitrary bytes never give anything but frames or a typed error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (chunks) => {
      const reader = new FrameReader({ payloadBytesMax: 50 });
      codeOf(() => chunks.map((chunk) => reader.push(Buffer.from(chunk))));
    }),
  );
});

test('JSON nested a million deep is read or refused, and does not end the process', () => {
  const text = '['.repeat(1_000_000);
  const reader = new FrameReader({ payloadBytesMax: 2_000_000 });
  assert.equal(
    codeOf(() => reader.push(Buffer.concat([header(text.length, 0), Buffer.from(text)]))),
    'FRAME_MALFORMED',
  );
});

test('a peer that promises a long frame and sends little takes little memory', () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 50 }, () => new FrameReader({ payloadBytesMax: 2 ** 30 }));
  for (const reader of readers) reader.push(Buffer.concat([header(2 ** 30, 1), Buffer.from('a')]));
  const grownBytes = process.memoryUsage().arrayBuffers - before;
  assert.ok(readers.length > 0 && grownBytes < 2_000_000, `${grownBytes} bytes for 50 waiting frames`);
});

test('a peer that sends a long frame byte by byte takes at most twice its length', () => {
  const reader = new FrameReader({ payloadBytesMax: 2 ** 30 });
  const before = process.memoryUsage().arrayBuffers;
  reader.push(header(2 ** 30, 1));
  const one = Buffer.alloc(1);
  for (let count = 0; count < 300_000; count += 1) reader.push(one);
  globalThis.gc?.();
  const grownBytes = process.memoryUsage().arrayBuffers - before;
  assert.ok(grownBytes < 4_000_000, `${grownBytes} bytes for 300,000`);
});

test('what cannot be framed is refused at the sender', () => {
  const data = { streamId: 1, offset: 0, atMs: 0, bytes: Buffer.alloc(0) };
  assert.throws(() => encodeJson(undefined), TypeError);
  assert.throws(() => encodeData({ ...data, offset: -1 }), RangeError);
  assert.throws(() => encodeData({ ...data, offset: 2 ** 53 }), RangeError);
  assert.throws(() => encodeData({ ...data, atMs: Number.NaN }), RangeError);
  assert.throws(() => encodeData({ ...data, streamId: -1 }), RangeError);
});
