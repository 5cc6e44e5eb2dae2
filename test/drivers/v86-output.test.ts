// A board's console on its way out: nothing is lost or reordered, and a board that prints faster than anybody
// takes it is held.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chunkBytesMax, heldAtBytes, resumedAtBytes } from '../../src/drivers/board/v86-messages.ts';
import { ConsoleOutput } from '../../src/drivers/board/v86-output.ts';

function record() {
  const chunks: Uint8Array[] = [];
  const acts: string[] = [];
  const output = new ConsoleOutput({
    send: (bytes) => chunks.push(bytes),
    hold: () => acts.push('hold'),
    resume: () => acts.push('resume'),
  });
  return { output, chunks, acts };
}

function putMany(output: ConsoleOutput, count: number): void {
  for (let index = 0; index < count; index += 1) output.put(index & 0xff);
}

test('what one turn of the emulator prints becomes one chunk', async () => {
  const { output, chunks } = record();
  putMany(output, 300);
  assert.equal(chunks.length, 0);
  await Promise.resolve();
  assert.deepEqual(
    chunks.map(({ length }) => length),
    [300],
  );
});

test('a long print is cut into chunks of a fixed size', async () => {
  const { output, chunks } = record();
  putMany(output, chunkBytesMax * 2 + 1);
  await Promise.resolve();
  assert.deepEqual(
    chunks.map(({ length }) => length),
    [chunkBytesMax, chunkBytesMax, 1],
  );
});

test('however it is cut, all bytes come once and in order, and no chunk changes later', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), async (turns) => {
      const { output, chunks } = record();
      for (const turn of turns) {
        for (const byte of turn) output.put(byte);
        await Promise.resolve();
      }
      assert.deepEqual(Buffer.concat(chunks), Buffer.concat(turns));
    }),
  );
});

test('the board is held once too much is on its way, and goes on when most was taken', () => {
  const { output, acts } = record();
  putMany(output, heldAtBytes - chunkBytesMax);
  assert.deepEqual(acts, []);
  putMany(output, chunkBytesMax * 2);
  assert.deepEqual(acts, ['hold']);
  output.taken(heldAtBytes + chunkBytesMax - resumedAtBytes - 1);
  assert.deepEqual(acts, ['hold']);
  output.taken(1);
  assert.deepEqual(acts, ['hold', 'resume']);
});

test('a board whose bytes are taken as they come is never held', () => {
  const { output, chunks, acts } = record();
  for (let round = 0; round < 40; round += 1) {
    putMany(output, chunkBytesMax);
    output.taken(chunks.at(-1)?.length ?? 0);
  }
  assert.deepEqual(acts, []);
});
