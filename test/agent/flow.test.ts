// Much console, many consoles, slow servers and full disks: what flows, and what it costs.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { start, TestLab } from './lab.ts';
import type { TestServer } from './test-server.ts';

const options = { timeout: 60_000 };
const megabyte = 1024 * 1024;
const filler = Buffer.alloc(64 * 1024, 'console line without anything to match, over and over\n');

/** Prints at the speed at which the agent takes it, as drivers do. */
async function flood(lab: TestLab, bytes: number, board = 'pc1'): Promise<void> {
  const { session } = lab.board(board);
  for (let printed = 0; printed < bytes; printed += filler.length) {
    session.hooks.onConsole(filler);
    await session.hooks.holdConsole?.();
    if (printed % megabyte === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Buffers that somebody still has. */
function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** The most memory for buffers that was held while the work went on. */
async function peakOf(work: Promise<unknown>): Promise<number> {
  let peak = 0;
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  for (let lookAt = 0; !isOver; ) {
    if (performance.now() > lookAt) {
      peak = Math.max(peak, heldBytes());
      // Looking takes time itself.
      lookAt = performance.now() + 50;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await work;
  return peak;
}

/** As much work of the disk as it takes to read so many bytes. */
async function readAsMuch(lab: TestLab, bytes: number): Promise<void> {
  for (let read = 0; read < bytes; read += 64 * 1024) await readFile(join(lab.folder, 'tokens.json'));
}

test('100 MB of console pass with bounded memory, to a server that keeps up', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect({ keepsConsoles: false, logBytesMax: 256 * megabyte });
  await lab.run(server, { spec: { endText: 'all is well' } });
  const before = heldBytes();
  const beganAt = performance.now();
  const peak = await peakOf(flood(lab, 100 * megabyte));
  lab.board().session.print('all is well');
  const { result } = await server.ended(1);
  const seconds = (performance.now() - beganAt) / 1000;
  t.diagnostic(
    `${(100 / seconds).toFixed(0)} MB/s, ${((peak - before) / megabyte).toFixed(0)} MB of buffers`,
  );
  assert.equal(result.verdict, 'completed');
  assert.equal(result.consoleLength, 100 * megabyte + 11);
  assert.equal(lab.store.lengths.get(1), result.consoleLength);
  assert.ok(peak - before < 32 * megabyte, `${peak - before} bytes`);
});

test(
  'a server that does not read costs no memory, holds up no job, and gets all of it later',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect({ keepsConsoles: false, logBytesMax: 256 * megabyte });
    await lab.run(server);
    server.pause();
    const before = heldBytes();
    const peak = await peakOf(flood(lab, 120 * megabyte).then(() => readAsMuch(lab, 120 * megabyte)));
    lab.board().session.print('all is well');
    await lab.board().sees('is off', 2);
    assert.ok(peak - before < 32 * megabyte, `${peak - before} bytes`);
    server.resume();
    const { result } = await server.ended(1);
    assert.equal(lab.store.lengths.get(1), result.consoleLength);
    assert.equal(result.consoleLength, 120 * megabyte + 11);
  },
);

test('consoles that are behind do not hold up another one', options, async (t) => {
  const lab = await TestLab.open(t);
  const names = ['pc1', 'pc2', 'pc3'];
  const first = await lab.connect({ names, logBytesMax: 256 * megabyte });
  for (const [index, board] of names.entries()) await lab.run(first, { job: index + 1, board });
  await first.cut();
  lab.board('pc2').session.print('short');
  await flood(lab, 20 * megabyte, 'pc1');
  await flood(lab, 20 * megabyte, 'pc3');
  const second = await lab.connect({ names, keepsConsoles: false, logBytesMax: 256 * megabyte });
  await second.until(() => lab.store.lengths.get(2) === 5);
  const others = (lab.store.lengths.get(1) ?? 0) + (lab.store.lengths.get(3) ?? 0);
  assert.ok(others < 4 * megabyte, `${others} bytes of long consoles came before the short one`);
});

test('the consoles of many jobs come whole over one connection', options, async (t) => {
  const lab = await TestLab.open(t);
  const names = Array.from({ length: 40 }, (_, index) => `pc${index + 1}`);
  const server = await lab.connect({ names });
  const text = (number: number) => `board ${number} says `.repeat(2_000);
  await Promise.all(
    names.map(async (board, index) => {
      await lab.run(server, { job: index + 1, board });
      for (let from = 0; from < text(index).length; from += 999) {
        lab.board(board).session.print(text(index).slice(from, from + 999));
        await new Promise((resolve) => setImmediate(resolve));
      }
      lab.board(board).session.print('all is well');
    }),
  );
  for (const [index] of names.entries()) {
    await server.ended(index + 1);
    assert.equal(lab.store.console(index + 1), `${text(index)}all is well`);
  }
});

test(
  'beyond its limit a console keeps its head and its newest bytes, and the gap is told',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const first = await lab.connect({ logBytesMax: megabyte });
    await lab.run(first);
    await first.cut();
    await flood(lab, 3 * megabyte);
    lab.board().session.print('all is well');
    await lab.board().sees('is off', 2);
    const second = await lab.connect({ logBytesMax: megabyte });
    const { result } = await second.ended(1);
    assert.equal(result.verdict, 'completed');
    assert.equal(result.consoleLength, 3 * megabyte + 11);
    assert.equal(lab.store.lengths.get(1), result.consoleLength);
    assert.equal(lab.store.gaps.length, 1);
    assert.equal(lab.store.gaps[0]?.offset, megabyte / 4);
    assert.ok(lab.store.console(1).endsWith('all is well'));
  },
);

test('a console that can not be kept ends the job as a fault of the lab', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  const folder = join(lab.folder, 'consoles');
  await rm(folder, { recursive: true });
  await writeFile(folder, 'something else');
  server.send(start());
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'lab-fault');
  assert.ok(!lab.board().events.includes('start'));
});

test('a server that reads nothing and asks for ever is cut off', options, async (t) => {
  const lab = await TestLab.open(t);
  const server: TestServer = await lab.connect();
  server.pause();
  const text = 'x'.repeat(4_000);
  const ask = async () => {
    for (let nonce = 1; lab.agent.isConnected; nonce += 1) {
      // Answers are longer than questions where the agent refuses.
      server.send({ type: 'power-off', board: text.slice(0, 256), token: '1.1' });
      if (nonce % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await ask();
  await server.closed;
});
