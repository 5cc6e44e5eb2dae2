// The byte log in one process: order, times, the gap, followers.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { ByteLog, type ByteLogLimits, ByteLogReader, type ByteRange } from '../../src/platform/byte-log.ts';
import { assertKept, assertPattern, patternBytes } from './byte-log-pattern.ts';

const roomy: ByteLogLimits = { bytesMax: 1_000_000, headBytes: 100_000, segmentBytes: 50_000 };
const tight: ByteLogLimits = { bytesMax: 100, headBytes: 30, segmentBytes: 20 };
const everything = { from: 0, bytesMax: 10_000_000 };

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'byte-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function openLog(t: TestContext, limits: ByteLogLimits, folder = newFolder(t)): Promise<ByteLog> {
  const log = await ByteLog.open(folder, limits);
  t.after(() => log.close());
  return log;
}

async function appendPattern(log: ByteLog, length: number): Promise<void> {
  await log.append(patternBytes(log.length, length), 0);
}

async function collect(ranges: AsyncIterable<ByteRange>): Promise<ByteRange[]> {
  const all: ByteRange[] = [];
  for await (const range of ranges) all.push(range);
  return all;
}

test('append answers with the length, and the bytes come back in order', async (t) => {
  const log = await openLog(t, roomy);
  assert.equal(log.length, 0);
  const answers = [log.append(Buffer.from('one '), 1), log.append(Buffer.from('two'), 2)];
  assert.equal(log.queuedBytes, 7);
  assert.deepEqual(await Promise.all(answers), [4, 7]);
  assert.equal(log.queuedBytes, 0);
  assert.deepEqual(await log.read(everything), [
    { kind: 'bytes', offset: 0, bytes: Buffer.from('one two'), atMs: 1 },
  ]);
});

test('an append right when the queue ran empty is written too', async (t) => {
  const log = await openLog(t, roomy);
  await log.append(Buffer.from('a'), 1).then(() => log.append(Buffer.from('b'), 1));
  const chained = [1, 2, 3].map(async () => {
    await log.append(Buffer.from('c'), 1);
    await log.append(Buffer.from('d'), 1);
  });
  await Promise.all(chained);
  assert.equal(log.length, 8);
});

test('a range is cut at from, to and the most bytes, and is empty at the end', async (t) => {
  const log = await openLog(t, tight);
  await appendPattern(log, 70);
  const cases = [
    { from: 0, to: 70, bytesMax: 100 },
    { from: 19, to: 21, bytesMax: 100 },
    { from: 5, to: 60, bytesMax: 100 },
    { from: 69, to: 70, bytesMax: 1 },
  ];
  for (const range of cases) assertPattern(await log.read(range), range);
  assertPattern(await log.read({ from: 10, bytesMax: 33 }), { from: 10, to: 43 });
  assert.deepEqual(await log.read({ from: 70, bytesMax: 10 }), []);
  assert.deepEqual(await log.read({ from: 700, bytesMax: 10 }), []);
});

test('every chunk keeps its time, across segments and from the middle of a chunk', async (t) => {
  const log = await openLog(t, tight);
  await Promise.all([log.append(patternBytes(0, 15), 1000), log.append(patternBytes(15, 30), 2000.5)]);
  await log.append(patternBytes(45, 3), 1500);
  const ranges = await log.read({ ...everything, splitByTime: true });
  assertPattern(ranges, { from: 0, to: 48 });
  const times = ranges.map((range) => [range.offset, range.kind === 'bytes' && range.atMs]);
  // Segments begin at 20, 30 (the head's end) and 50: a range never spans two.
  assert.deepEqual(times, [
    [0, 1000],
    [15, 2000.5],
    [20, 2000.5],
    [30, 2000.5],
    [45, 1500],
  ]);
  const [middle] = await log.read({ from: 46, bytesMax: 10 });
  assert.deepEqual(middle, { kind: 'bytes', offset: 46, bytes: patternBytes(46, 2), atMs: 1500 });
});

test('chunks of one millisecond share a time, chunks of two do not', async (t) => {
  const log = await openLog(t, roomy);
  for (const atMs of [5.1, 5.9, 6]) await log.append(Buffer.from('x'), atMs);
  const ranges = await log.read({ ...everything, splitByTime: true });
  assert.deepEqual(
    ranges.map((range) => range.kind === 'bytes' && [range.bytes.length, range.atMs]),
    [
      [2, 5.1],
      [1, 6],
    ],
  );
});

test('times are found among many, in any order of asking', async (t) => {
  const log = await openLog(t, roomy);
  await Promise.all(Array.from({ length: 3000 }, (_, index) => log.append(Buffer.from('ab'), index)));
  for (const chunk of [2999, 0, 1500, 1501, 255, 256, 257, 12]) {
    const [range] = await log.read({ from: 2 * chunk + 1, bytesMax: 1 });
    assert.ok(range?.kind === 'bytes');
    assert.equal(range.atMs, chunk);
  }
  const split = await log.read({ ...everything, splitByTime: true });
  assert.deepEqual(
    split.map((range) => range.kind === 'bytes' && range.atMs),
    Array.from({ length: 3000 }, (_, index) => index),
  );
});

test('all is kept up to exactly the limit, and the byte after it costs the oldest behind the head', async (t) => {
  const folder = newFolder(t);
  const log = await openLog(t, { bytesMax: 90, headBytes: 30, segmentBytes: 20 }, folder);
  await appendPattern(log, 90);
  assert.deepEqual(assertPattern(await log.read(everything), { from: 0, to: 90 }), []);
  for (let length = 91; length <= 110; length += 1) {
    await appendPattern(log, 1);
    const gaps = assertPattern(await log.read(everything), { from: 0, to: length });
    // The newest 60 bytes stay; whole segments of 20 go.
    assert.deepEqual(gaps, length < 110 ? [] : [{ offset: 30, length: 20 }], `at ${length}`);
  }
  assert.deepEqual(await log.read({ from: 35, bytesMax: 3 }), [
    { kind: 'gap', offset: 35, length: 15 },
    { kind: 'bytes', offset: 50, bytes: patternBytes(50, 3), atMs: 0 },
  ]);
  assert.deepEqual(await log.read({ from: 35, to: 40, bytesMax: 3 }), [
    { kind: 'gap', offset: 35, length: 5 },
  ]);
  assertPattern(await log.read({ from: 29, to: 30, bytesMax: 9 }), { from: 29, to: 30 });
  const diskBytes = readdirSync(folder)
    .filter((name) => name.endsWith('.bytes'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  assert.equal(diskBytes, 90);
});

test('whatever the limits and chunks, the promise of head and newest rest holds, also after reopening', async (t) => {
  const arbitraryLimits = fc
    .record({
      headBytes: fc.integer({ min: 0, max: 50 }),
      restBytes: fc.integer({ min: 1, max: 100 }),
      segmentBytes: fc.integer({ min: 1, max: 40 }),
    })
    .map(({ headBytes, restBytes, segmentBytes }) => ({
      bytesMax: headBytes + restBytes,
      headBytes,
      segmentBytes,
    }));
  const arbitraryChunks = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(arbitraryLimits, arbitraryChunks, async (limits, chunkSizes) => {
      const folder = newFolder(t);
      let length = 0;
      for (const sizes of [chunkSizes, chunkSizes.toReversed()]) {
        const log = await ByteLog.open(folder, limits);
        assert.equal(log.length, length);
        for (const size of sizes) {
          await appendPattern(log, size);
          length += size;
          const gaps = assertPattern(await log.read(everything), { from: 0, to: length });
          assertKept(gaps, limits, length);
        }
        await log.close();
      }
    }),
    { numRuns: 25 },
  );
});

test('many followers from many offsets each get everything, while it is written', {
  timeout: 30_000,
}, async (t) => {
  const log = await openLog(t, roomy);
  await appendPattern(log, 60_000);
  const starts = Array.from({ length: 40 }, (_, index) => index * 5_000);
  const followers = starts.map((from) => collect(log.follow({ from, bytesMax: 10_000 })));
  while (log.length < 300_000) await appendPattern(log, 7_000);
  await log.close();
  for (const [index, ranges] of (await Promise.all(followers)).entries()) {
    assert.deepEqual(assertPattern(ranges, { from: starts[index] ?? 0, to: log.length }), []);
  }
});

test('a follower that was slower than the ring sees the gap and goes on behind it', async (t) => {
  const log = await openLog(t, tight);
  await appendPattern(log, 10);
  const follower = log.follow({ from: 0, bytesMax: 10 });
  const ranges: ByteRange[] = [];
  const next = async () => {
    const { value } = await follower.next();
    assert.ok(value);
    ranges.push(value);
  };
  await next();
  for (let count = 0; count < 50; count += 1) await appendPattern(log, 10);
  await log.close();
  for await (const range of follower) ranges.push(range);
  const gaps = assertPattern(ranges, { from: 0, to: 510 });
  assertKept(gaps, tight, 510);
  assert.equal(gaps.length, 1);
});

test('a follower ahead of the log waits for its offset', async (t) => {
  const log = await openLog(t, roomy);
  const first = log.follow({ from: 5 }).next();
  await appendPattern(log, 4);
  await appendPattern(log, 4);
  const { value } = await first;
  assert.deepEqual(value, { kind: 'bytes', offset: 5, bytes: patternBytes(5, 3), atMs: 0 });
});

test('a signal ends a follower that waits, and another one stays', { timeout: 10_000 }, async (t) => {
  const log = await openLog(t, roomy);
  const abort = new AbortController();
  const ended = collect(log.follow({ from: 0, signal: abort.signal }));
  const staying = collect(log.follow({ from: 0 }));
  // Behind this answer the followers have read nothing and wait for more.
  await log.read({ from: 0, bytesMax: 1 });
  abort.abort();
  assert.deepEqual(await ended, []);
  await appendPattern(log, 3);
  await log.close();
  assertPattern(await staying, { from: 0, to: 3 });
});

test('a signal ends a follower at any turn of its start', { timeout: 10_000 }, async (t) => {
  const log = await openLog(t, roomy);
  for (let turns = 0; turns < 20; turns += 1) {
    const abort = new AbortController();
    const ended = collect(log.follow({ from: 0, signal: abort.signal }));
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    abort.abort();
    assert.deepEqual(await ended, []);
  }
});

test('a signal that was given before ends a follower at once', async (t) => {
  const log = await openLog(t, roomy);
  await appendPattern(log, 3);
  assert.deepEqual(await collect(log.follow({ from: 0, signal: AbortSignal.abort() })), []);
});

test('close writes what was handed over, refuses more, and the log can still be read', async (t) => {
  const log = await openLog(t, roomy);
  const handedOver = log.append(patternBytes(0, 100), 1);
  await log.close();
  assert.equal(await handedOver, 100);
  await assert.rejects(log.append(Buffer.from('x'), 1), { code: 'LOG_CLOSED' });
  assertPattern(await log.read(everything), { from: 0, to: 100 });
  assertPattern(await collect(log.follow({ from: 40 })), { from: 40, to: 100 });
});

test('sync comes after the bytes handed over before it', async (t) => {
  const log = await openLog(t, tight);
  const handedOver = log.append(patternBytes(0, 90), 1);
  await log.sync();
  assert.equal(log.length, 90);
  await handedOver;
});

test('a reader beside the writer sees what there was, and more after a refresh', async (t) => {
  const folder = newFolder(t);
  const log = await openLog(t, tight, folder);
  await appendPattern(log, 50);
  const reader = await ByteLogReader.open(folder);
  await appendPattern(log, 200);
  // What it read of the folder is old by now: the segments behind the head are gone.
  const before = await reader.read({ from: 0, to: 50, bytesMax: 1000 });
  assert.deepEqual(assertPattern(before, { from: 0, to: 50 }), [{ offset: 30, length: 20 }]);
  await reader.refresh();
  assert.equal(reader.length, 250);
  assertKept(assertPattern(await reader.read(everything), { from: 0, to: 250 }), tight, 250);
});

test('a segment that somebody else took away is an error that names it, not an endless wait', async (t) => {
  const folder = newFolder(t);
  const log = await openLog(t, roomy, folder);
  await appendPattern(log, 10);
  rmSync(join(folder, '0000000000000000.bytes'));
  await assert.rejects(log.read(everything), { code: 'LOG_DAMAGED', message: /0000000000000000\.bytes/ });
});

test('limits that contradict each other are refused', async (t) => {
  const limits = { bytesMax: 10, headBytes: 10, segmentBytes: 5 };
  await assert.rejects(ByteLog.open(newFolder(t), limits), RangeError);
});
