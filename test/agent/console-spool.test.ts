// A job's console: kept first, then matched and handed on, in order.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConsoleSpool, type SpoolOptions } from '../../src/agent/console-spool.ts';
import { ByteLogReader } from '../../src/platform/byte-log.ts';
import { makeFolder } from './lab.ts';

async function openSpool(t: TestContext, changes: Partial<SpoolOptions> = {}) {
  const parent = await makeFolder();
  const folder = join(parent, 'console');
  let opened: ConsoleSpool | undefined;
  t.after(async () => {
    await opened?.close();
    await rm(parent, { recursive: true, force: true });
  });
  const events: string[] = [];
  const spool = await ConsoleSpool.open(
    {
      folder,
      logBytesMax: 1_000_000,
      endText: 'all is well',
      errorText: 'panic',
      wallMs: () => 5,
      ...changes,
    },
    {
      onMatch: (text, end) => events.push(`${text} at ${end}, ${spool.length} kept`),
      onFailure: (why) => events.push(`failed: ${why}`),
    },
  );
  spool.listener = (offset, bytes) => events.push(`${offset}: ${Buffer.from(bytes)}`);
  opened = spool;
  return { spool, events, folder };
}

test('a text decides when its bytes are kept, and before they are handed on', async (t) => {
  const { spool, events, folder } = await openSpool(t);
  spool.take(Buffer.from('it says all '));
  spool.take(Buffer.from('is well, and more'));
  assert.equal(spool.length, 0);
  assert.equal(spool.matchEnd, undefined);
  await spool.endInput();
  assert.deepEqual(events, ['0: it says all ', 'end at 19, 29 kept', '12: is well, and more']);
  assert.equal(spool.matchEnd, 19);
  assert.equal((await ByteLogReader.open(folder)).length, 29);
});

test('bytes of a buffer that its driver uses again are kept as they were', async (t) => {
  const { spool, events } = await openSpool(t);
  const bytes = Buffer.from('before');
  spool.take(bytes);
  bytes.write('after!');
  await spool.endInput();
  assert.deepEqual(events, ['0: before']);
});

test('a text that only the end of the console decides is told then', async (t) => {
  const { spool, events } = await openSpool(t, { endText: 'done$' });
  spool.take(Buffer.from('done'));
  await spool.endInput();
  assert.deepEqual(events, ['0: done', 'end at 4, 4 kept']);
});

test('when the job is decided otherwise no text counts any more, also one that waited to be kept', async (t) => {
  const { spool, events } = await openSpool(t);
  spool.take(Buffer.from('all is well'));
  spool.stopMatching();
  await spool.endInput();
  assert.deepEqual(events, ['0: all is well']);
  assert.equal(spool.matchEnd, undefined);
});

test('after the first text nothing else is one', async (t) => {
  const { spool, events } = await openSpool(t);
  spool.take(Buffer.from('panic'));
  spool.take(Buffer.from('all is well, panic'));
  await spool.endInput();
  assert.equal(events.filter((event) => event.includes('kept')).length, 1);
});

test('what comes after the close is dropped', async (t) => {
  const { spool, events } = await openSpool(t);
  spool.take(Buffer.from('kept'));
  await spool.close();
  spool.take(Buffer.from('dropped'));
  assert.deepEqual([spool.length, events], [4, ['0: kept']]);
});

test('a board is asked to wait when the disk is behind', async (t) => {
  const { spool } = await openSpool(t, { logBytesMax: 64 * 1024 * 1024 });
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  let waits: Promise<void> | undefined;
  for (let count = 0; waits === undefined; count += 1) {
    assert.ok(count < 20, 'it never waits');
    spool.take(chunk);
    waits = spool.hold();
  }
  await waits;
  assert.equal(spool.length % chunk.length, 0);
});

test('a pattern that the server can not have taken is an error, not a job that never ends', async (t) => {
  const folder = join(await makeFolder(), 'console');
  t.after(() => rm(dirname(folder), { recursive: true }));
  await assert.rejects(openSpool(t, { folder, endText: '(' }), /refused here/);
  assert.equal(existsSync(folder), false, 'and no log is left open for it');
});
