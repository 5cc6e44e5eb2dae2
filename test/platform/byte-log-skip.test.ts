// Gaps that the writer of a byte log makes itself, for bytes it never got: order, readers, limits and crashes.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ByteLog, type ByteLogLimits, ByteLogReader, type ByteRange } from '../../src/platform/byte-log.ts';
import { assertPattern, patternBytes } from './byte-log-pattern.ts';

const limits: ByteLogLimits = { bytesMax: 10_000, headBytes: 100, segmentBytes: 40 };
const everything = { from: 0, bytesMax: 1_000_000 };

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'byte-log-skip-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a gap stands where it was made, between bytes handed over in the same turn', async (t) => {
  const log = await ByteLog.open(newFolder(t), limits);
  const lengths = await Promise.all([
    log.append(patternBytes(0, 30), 1),
    log.skip(70),
    log.append(patternBytes(100, 25), 2),
    log.skip(5),
  ]);
  assert.deepEqual(lengths, [30, 100, 125, 130]);
  const gaps = assertPattern(await log.read(everything), { from: 0, to: 130 });
  assert.deepEqual(gaps, [
    { offset: 30, length: 70 },
    { offset: 125, length: 5 },
  ]);
  await log.close();
});

test('a log that begins with a gap, and gaps behind each other, leave one hole and no empty file', async (t) => {
  const folder = newFolder(t);
  const log = await ByteLog.open(folder, limits);
  await log.skip(10);
  await log.skip(20);
  assert.equal(log.length, 30);
  assert.deepEqual(assertPattern(await log.read(everything), { from: 0, to: 30 }), [
    { offset: 0, length: 30 },
  ]);
  await log.append(patternBytes(30, 10), 3);
  await log.close();
  assert.deepEqual(readdirSync(folder).sort(), ['0000000000000030.bytes', '0000000000000030.times']);
});

test('no gap of no length, nor one on a closed log', async (t) => {
  const log = await ByteLog.open(newFolder(t), limits);
  await assert.rejects(log.skip(0), RangeError);
  await assert.rejects(log.skip(-1), RangeError);
  await assert.rejects(log.skip(1.5), RangeError);
  await log.close();
  await assert.rejects(log.skip(1), { code: 'LOG_CLOSED' });
  assert.equal(log.length, 0);
});

test('a follower is told of the gap when it comes, and of the bytes behind it', async (t) => {
  const log = await ByteLog.open(newFolder(t), limits);
  const seen: ByteRange[] = [];
  const following = (async () => {
    for await (const range of log.follow({ from: 0 })) {
      seen.push(range);
      if (range.kind === 'gap') await log.append(patternBytes(60, 10), 5).then(() => log.close());
    }
  })();
  await log.append(patternBytes(0, 20), 1);
  await log.skip(40);
  await following;
  assert.deepEqual(assertPattern(seen, { from: 0, to: 70 }), [{ offset: 20, length: 40 }]);
});

test('a gap outlives the writer, also as the last thing it did', async (t) => {
  const folder = newFolder(t);
  const first = await ByteLog.open(folder, limits);
  await first.append(patternBytes(0, 10), 1);
  await first.skip(90);
  await first.sync();
  // Not closed: as after a kill.
  const copy = newFolder(t);
  cpSync(folder, copy, { recursive: true });
  await first.close();
  assert.equal((await ByteLogReader.open(copy)).length, 100);
  const second = await ByteLog.open(copy, limits);
  assert.equal(second.length, 100);
  await second.append(patternBytes(100, 10), 2);
  assertPattern(await second.read(everything), { from: 0, to: 110 });
  await second.close();
});

test('a kill between the two files of a gap leaves nothing of it; one before the old file goes leaves all', async (t) => {
  const folder = newFolder(t);
  const log = await ByteLog.open(folder, limits);
  await log.append(patternBytes(0, 10), 1);
  await log.close();
  const half = newFolder(t);
  cpSync(folder, half, { recursive: true });
  writeFileSync(join(half, '0000000000000100.times'), '');
  const undone = await ByteLog.open(half, limits);
  assert.equal(undone.length, 10);
  await undone.close();
  assert.ok(!readdirSync(half).includes('0000000000000100.times'));
  // Two gaps: the empty segment between them was to be removed.
  for (const start of ['0000000000000100', '0000000000000200']) {
    for (const kind of ['times', 'bytes']) writeFileSync(join(folder, `${start}.${kind}`), '');
  }
  const done = await ByteLog.open(folder, limits);
  assert.equal(done.length, 200);
  assert.deepEqual(assertPattern(await done.read(everything), { from: 0, to: 200 }), [
    { offset: 10, length: 190 },
  ]);
  await done.close();
  assert.ok(!readdirSync(folder).includes('0000000000000100.bytes'));
});

test('behind a gap larger than the limit the head stays, and the log goes on dropping the oldest', async (t) => {
  const log = await ByteLog.open(newFolder(t), { bytesMax: 200, headBytes: 50, segmentBytes: 25 });
  await log.append(patternBytes(0, 120), 1);
  await log.skip(10_000);
  for (let offset = 10_120; offset < 10_520; offset += 20) await log.append(patternBytes(offset, 20), offset);
  const ranges = await log.read(everything);
  const [gap, ...more] = assertPattern(ranges, { from: 0, to: 10_520 });
  assert.deepEqual(more, []);
  assert.equal(gap?.offset, 50);
  const keptBytes = 10_520 - (gap?.length ?? 0);
  assert.ok(keptBytes >= 200 && keptBytes <= 250, `${keptBytes} bytes are kept`);
  await log.close();
});
