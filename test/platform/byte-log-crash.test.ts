// The byte log against kill -9, files torn at every byte, and a full disk.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ByteLog, type ByteLogLimits, ByteLogReader } from '../../src/platform/byte-log.ts';
import { assertKept, assertPattern, chunkBytesMax, patternBytes, scribeLimits } from './byte-log-pattern.ts';

const everything = { from: 0, bytesMax: 100_000_000 };
const limits: ByteLogLimits = { bytesMax: 10_000, headBytes: 100, segmentBytes: 40 };

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'byte-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function scriptPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Runs the scribe until it has answered for this many bytes more, kills it, and returns its last answer. */
async function writeUntilKilled(t: TestContext, folder: string, byteCount: number): Promise<number> {
  const before = (await ByteLogReader.open(folder)).length;
  const arguments_ = [scriptPath('byte-log-scribe.ts'), folder, String(randomInt(2 ** 31))];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let answered = 0;
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => {
    answered = Number(line);
    if (answered >= before + byteCount) child.kill('SIGKILL');
  });
  await once(lines, 'close');
  assert.ok(answered >= before + byteCount, 'the scribe ended only because it was killed');
  return answered;
}

/** Opens the log for writing after a crash, and asserts content, times, and that it goes on right. */
async function assertMended(
  folder: string,
  logLimits: ByteLogLimits,
  lengths: { min: number; max?: number },
) {
  const log = await ByteLog.open(folder, logLimits);
  assert.ok(log.length >= lengths.min, `${log.length} bytes are there of ${lengths.min} answered`);
  assert.ok(
    log.length <= (lengths.max ?? log.length),
    `${log.length} bytes, but only ${lengths.max} were written`,
  );
  await log.append(patternBytes(log.length, 10), log.length);
  const ranges = await log.read({ ...everything, splitByTime: true });
  assertKept(assertPattern(ranges, { from: 0, to: log.length }), logLimits, log.length);
  for (const range of ranges) {
    if (range.kind === 'gap') continue;
    const isOfItsChunk = range.atMs <= range.offset && range.atMs > range.offset - chunkBytesMax;
    assert.ok(isOfItsChunk, `the bytes at ${range.offset} came at ${range.atMs}`);
  }
  const last = ranges.at(-1);
  assert.ok(last?.kind === 'bytes');
  assert.equal(last.atMs, log.length - 10);
  await log.close();
  return log.length;
}

test('kill -9 of the writer loses and doubles nothing it has answered for', {
  timeout: 120_000,
}, async (t) => {
  const folder = newFolder(t);
  for (let round = 0; round < 12; round += 1) {
    const answered = await writeUntilKilled(t, folder, randomInt(1, 150_000));
    const reader = await ByteLogReader.open(folder);
    assert.ok(reader.length >= answered);
    const ranges = await reader.read(everything);
    assertKept(assertPattern(ranges, { from: 0, to: reader.length }), scribeLimits, reader.length);
    await assertMended(folder, scribeLimits, { min: answered });
  }
});

test('files torn at any byte of a write are mended', { timeout: 60_000 }, async (t) => {
  const whole = newFolder(t);
  const log = await ByteLog.open(whole, { ...limits, segmentBytes: 1000 });
  await log.append(patternBytes(0, 5), 0);
  await Promise.all([5, 10, 15].map((offset) => log.append(patternBytes(offset, 5), offset)));
  await log.close();
  // The last write put three times, then 15 bytes: a kill leaves some of the times, or all and some bytes.
  const torn = [
    ...Array.from({ length: 48 }, (_, index) => ({ timesBytes: 16 + index, bytes: 5 })),
    ...Array.from({ length: 16 }, (_, index) => ({ timesBytes: 64, bytes: 5 + index })),
  ];
  for (const { timesBytes, bytes } of torn) {
    const folder = newFolder(t);
    cpSync(whole, folder, { recursive: true });
    truncateSync(join(folder, '0000000000000000.times'), timesBytes);
    truncateSync(join(folder, '0000000000000000.bytes'), bytes);
    assert.equal((await ByteLogReader.open(folder)).length, bytes);
    await assertMended(folder, { ...limits, segmentBytes: 1000 }, { min: bytes, max: bytes });
  }
});

test('a kill between the files of a segment is mended, whether it began or went', async (t) => {
  const folder = newFolder(t);
  const tight = { bytesMax: 120, headBytes: 40, segmentBytes: 40 };
  const log = await ByteLog.open(folder, tight);
  for (let offset = 0; offset < 200; offset += 10) await log.append(patternBytes(offset, 10), offset);
  await log.close();
  const before = readdirSync(folder);
  assert.ok(!before.includes('0000000000000040.times'), 'this segment was dropped');
  // Dropped by half; begun by half.
  writeFileSync(join(folder, '0000000000000040.times'), Buffer.alloc(64));
  writeFileSync(join(folder, '0000000000000200.times'), '');
  await assertMended(folder, tight, { min: 200, max: 200 });
  assert.ok(!readdirSync(folder).includes('0000000000000040.times'));
});

test('a segment that was begun but is empty is gone on with', async (t) => {
  const folder = newFolder(t);
  const log = await ByteLog.open(folder, limits);
  for (let offset = 0; offset < 40; offset += 10) await log.append(patternBytes(offset, 10), offset);
  await log.close();
  writeFileSync(join(folder, '0000000000000040.times'), '');
  writeFileSync(join(folder, '0000000000000040.bytes'), '');
  await assertMended(folder, limits, { min: 40, max: 40 });
});

test('a log without its times still gives its bytes', async (t) => {
  const folder = newFolder(t);
  const log = await ByteLog.open(folder, limits);
  await log.append(patternBytes(0, 100), 5);
  await log.close();
  for (const name of readdirSync(folder)) if (name.endsWith('.times')) rmSync(join(folder, name));
  assertPattern(await (await ByteLogReader.open(folder)).read(everything), { from: 0, to: 100 });
});

test('a full disk is an error with a code, and the log goes on when there is room', {
  timeout: 60_000,
}, (t) => {
  const disk = join(newFolder(t), 'disk');
  mkdirSync(disk);
  // The small disk is mounted for these processes only, and goes with them.
  const script = 'mount -t tmpfs -o size=256k none "$1" || exit 99; exec "$2" "$3" "$1"';
  const arguments_ = ['sh', '-c', script, 'sh', disk, process.execPath, scriptPath('byte-log-disk-full.ts')];
  const mayMount = process.geteuid?.() === 0 ? ['-m'] : ['-rm'];
  const run = spawnSync('unshare', [...mayMount, ...arguments_], { encoding: 'utf8' });
  if (run.error !== undefined || run.status === 99 || run.stderr.startsWith('unshare:')) {
    t.skip(`a small disk cannot be mounted here: ${run.error?.message ?? run.stderr}; run this test as root`);
    return;
  }
  assert.equal(run.status, 0, run.stderr);
});
