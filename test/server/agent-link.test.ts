// The server's side of a connection to an agent: what a server that leaves says last has left before it goes.
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { AgentLink } from '../../src/server/agent-link.ts';

/** Writes are done when the test says so. */
function slowStream(): { stream: Duplex; letThrough: () => void } {
  const waiting: (() => void)[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => void waiting.push(done),
  });
  return { stream, letThrough: () => waiting.shift()?.() };
}

const nobody = { onMessage: () => undefined, onConsole: async () => undefined, onClose: () => undefined };

async function flushed(flush: Promise<void>): Promise<boolean> {
  let isDone = false;
  void flush.then(() => {
    isDone = true;
  });
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return isDone;
}

test('a flush ends when what was sent has left, however little it is, and not before', async () => {
  const { stream, letThrough } = slowStream();
  const link = new AgentLink(stream, nobody);
  link.send({ type: 'retire' });
  const flush = link.flush();
  assert.equal(await flushed(flush), false);
  letThrough();
  await new Promise((resolve) => setImmediate(resolve));
  letThrough();
  assert.equal(await flushed(flush), true);
});

test('a flush ends with the connection, and at once where nothing was sent', async () => {
  const { stream } = slowStream();
  const link = new AgentLink(stream, nobody);
  assert.equal(await flushed(link.flush()), true);
  link.send({ type: 'retire' });
  const flush = link.flush();
  assert.equal(await flushed(flush), false);
  stream.destroy();
  assert.equal(await flushed(flush), true);
});
