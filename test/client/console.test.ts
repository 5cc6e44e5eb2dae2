// Console bytes: each once and in order, however slow the reader and whatever the server does not have.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../src/client/client.ts';
import { type ConsoleOptions, type ConsolePiece, readConsole } from '../../src/client/console.ts';
import { connectScripted } from './connect-scripted.ts';

const text = Buffer.from(Array.from({ length: 4000 }, (_, index) => index % 251));

async function readAll(client: Client, options?: ConsoleOptions): Promise<ConsolePiece[]> {
  const pieces: ConsolePiece[] = [];
  for await (const piece of readConsole(client, 7, options)) pieces.push(piece);
  return pieces;
}

function bytesOf(pieces: readonly ConsolePiece[]): Buffer {
  return Buffer.concat(pieces.flatMap((piece) => (piece.kind === 'bytes' ? [piece.bytes] : [])));
}

test('the console is read from the offset that was asked for to its end', async () => {
  const { client } = await connectScripted({ console: text });
  assert.deepEqual(bytesOf(await readAll(client, { from: 1234 })), text.subarray(1234));
});

test('a reader that is slow stops the stream and goes on later, and loses nothing', async () => {
  const { server, client } = await connectScripted({ console: text });
  const parts: Uint8Array[] = [];
  let mostHeld = 0;
  for await (const piece of readConsole(client, 7, { bufferBytes: 200 })) {
    assert.equal(piece.kind, 'bytes');
    if (piece.kind === 'bytes') parts.push(piece.bytes);
    await server.timers.sleep(10);
    const received = server.trace.filter((what) => what === '< data').length * 16;
    mostHeld = Math.max(mostHeld, received - Buffer.concat(parts).length);
  }
  assert.deepEqual(Buffer.concat(parts), text);
  assert.ok(mostHeld < 400, `${mostHeld} bytes held`);
  assert.ok(server.trace.filter((what) => what === '> console').length > 5);
});

test('a reader that keeps up never stops the stream', async () => {
  const { server, client } = await connectScripted({ console: text });
  await readAll(client, { bufferBytes: 200 });
  assert.equal(server.trace.filter((what) => what === '> console').length, 1);
});

test('bytes that the server did not keep are a gap, told or not', async () => {
  const { server, client } = await connectScripted();
  server.silent.add('console');
  const reading = readAll(client);
  await client.request('images', { hashes: [] });
  const data = (offset: number, content: string) =>
    server.pushData({ streamId: 7, offset, atMs: 1, bytes: Buffer.from(content) });
  data(0, 'abc');
  server.pushAlways({ event: 'console-gap', job: 7, offset: 3, length: 10 });
  data(12, 'xdef');
  data(20, 'g');
  data(20, 'g');
  server.pushAlways({ event: 'console-end', job: 7, length: 25 });
  const pieces = await reading;
  assert.deepEqual(
    pieces.map((piece) =>
      piece.kind === 'gap' ? `${piece.offset}+${piece.length}` : Buffer.from(piece.bytes).toString(),
    ),
    ['abc', '3+10', 'def', '16+4', 'g', '21+4'],
  );
});

test('a stream that breaks off is asked for again from where it was', async () => {
  const { server, client } = await connectScripted({ console: text });
  const parts: Uint8Array[] = [];
  let broken = 0;
  for await (const piece of readConsole(client, 7)) {
    if (piece.kind === 'bytes') parts.push(piece.bytes);
    if (parts.length % 50 === 10 && broken < 3) {
      broken += 1;
      server.pushAlways({ event: 'console-error', job: 7, code: 'INTERNAL', message: 'disk' });
    }
  }
  assert.equal(broken, 3);
  assert.deepEqual(Buffer.concat(parts), text);
});

test('a stream that breaks off again and again without a byte ends with the error', async () => {
  const { server, client } = await connectScripted();
  server.refuseWith = { op: 'console', code: 'LIMIT_REACHED', times: 100 };
  await assert.rejects(readAll(client), { code: 'LIMIT_REACHED' });
});

test('a job that is not known ends the reading at once', async () => {
  const { server, client } = await connectScripted();
  server.refuseWith = { op: 'console', code: 'UNKNOWN_JOB', times: 1 };
  await assert.rejects(readAll(client), { code: 'UNKNOWN_JOB' });
  assert.equal(server.timers.now(), 0);
});

test('an abort ends the reading with its reason and closes the stream', async () => {
  const { server, client } = await connectScripted();
  server.silent.add('console');
  const abort = new AbortController();
  const reading = readAll(client, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(reading, /enough/);
  server.pushData({ streamId: 7, offset: 0, atMs: 1, bytes: Buffer.from('late') });
});

test('a reader that leaves early closes the stream', async () => {
  const { server, client } = await connectScripted({ console: text });
  for await (const _piece of readConsole(client, 7)) break;
  await client.request('images', { hashes: [] });
  assert.ok(server.done.includes('console-close') || server.trace.includes('> console-close'));
});
