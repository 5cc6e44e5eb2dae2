// A process of its own that fills a log on a small disk: `node byte-log-disk-full.ts FOLDER`. Ends with 0 when
// the log did as it should, else with the failed assertion.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ByteLog, ByteLogReader } from '../../src/platform/byte-log.ts';
import { PlatformError } from '../../src/platform/platform-error.ts';
import { assertPattern, patternBytes } from './byte-log-pattern.ts';

const [disk = ''] = process.argv.slice(2);
const limits = { bytesMax: 10_000_000, headBytes: 1_000_000, segmentBytes: 30_000 };
const everything = { from: 0, bytesMax: 10_000_000 };
const ballast = join(disk, 'ballast');
const folder = join(disk, 'log');

async function fill(log: ByteLog): Promise<PlatformError> {
  for (;;) {
    const length = log.length;
    const behind: Promise<number>[] = [];
    try {
      const answer = log.append(patternBytes(length, 7000), length);
      // The log takes the first into work before it sees the second.
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      behind.push(log.append(patternBytes(length + 7000, 10), length + 7000));
      await answer;
      await behind[0];
    } catch (error) {
      const [refused] = await Promise.allSettled(behind);
      assert.ok(error instanceof PlatformError, String(error));
      assert.equal(refused?.status, 'rejected', 'what was handed over behind is refused too');
      assert.equal(refused.reason.cause, error.cause, 'it is refused without being tried');
      assertNoStaleTimes(log.length);
      assert.equal(error.details.length, log.length);
      return error;
    }
  }
}

/** Times of bytes that did not fit would be taken for those of the bytes that come in their place. */
function assertNoStaleTimes(length: number): void {
  const newest =
    readdirSync(folder)
      .filter((name) => name.endsWith('.times'))
      .sort()
      .at(-1) ?? '';
  const times = readFileSync(join(folder, newest));
  if (times.length > 0)
    assert.ok(Number(times.readBigUInt64BE(times.length - 16)) < length, 'no time is stale');
}

writeFileSync(ballast, Buffer.alloc(100_000));
const log = await ByteLog.open(folder, limits);
const first = await fill(log);
assert.equal(first.code, 'LOG_WRITE_FAILED');
assert.equal(first.details.reason, 'ENOSPC');
assertPattern(await log.read(everything), { from: 0, to: log.length });
const fullLength = log.length;

const second = await fill(log);
assert.equal(second.details.writtenBytes, 0, 'nothing more fits');
assert.equal(log.length, fullLength);

rmSync(ballast);
const third = await fill(log);
assert.equal(third.details.reason, 'ENOSPC');
assert.ok(log.length > fullLength + 50_000, 'it goes on when there is room');
const ranges = await log.read({ ...everything, splitByTime: true });
assertPattern(ranges, { from: 0, to: log.length });
for (const range of ranges) {
  assert.ok(range.kind === 'bytes' && range.atMs <= range.offset && range.atMs > range.offset - 7010);
}
await log.close();
assert.equal((await ByteLogReader.open(folder)).length, log.length, 'no byte on disk that was not counted');
const again = await ByteLog.open(folder, limits);
assert.equal(again.length, log.length);
await again.close();
