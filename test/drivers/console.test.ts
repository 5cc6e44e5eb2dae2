// Consoles by TCP and by a program: every byte, drops, the Telnet protocol, and lines that are refused again and again.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { ConsoleDriver } from '../../src/drivers/console/contract.ts';
import { createExecConsole } from '../../src/drivers/console/exec.ts';
import { openLastingConsole } from '../../src/drivers/console/lasting-console.ts';
import { createTcpConsole } from '../../src/drivers/console/tcp.ts';
import { TelnetFilter } from '../../src/drivers/console/telnet.ts';
import { neverAborted } from '../../src/testing/board-suite.ts';
import { ConsoleRecord } from '../../src/testing/console-record.ts';
import { testConsoleDriver } from '../../src/testing/console-suite.ts';
import { processRuns } from './lab-program.ts';

const host = '127.0.0.1';
const allBytes = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte));

/** A console server on a free port; gone after the test. */
async function serve(t: TestContext, onLine: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onLine(socket);
  });
  await once(server.listen(0, host), 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

function echo(socket: Socket): void {
  socket.write(allBytes);
  socket.on('data', (bytes) => socket.write(bytes));
}

testConsoleDriver('tcp', {
  createDriver: async (t) => createTcpConsole({ host, port: await serve(t, echo) }),
  createDropping: async (t) =>
    createTcpConsole({ host, port: await serve(t, (socket) => void socket.end('gone')) }),
  missing: { driver: createTcpConsole({ host, port: 1 }), words: /ECONNREFUSED 127\.0\.0\.1:1/ },
});

/** As a shell prints it; a zero can't be in a word. */
const printAllBytes = `printf '${[...allBytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`;
testConsoleDriver('exec', {
  createDriver: async () => createExecConsole({ command: ['sh', '-c', `${printAllBytes}; exec cat`] }),
  createDropping: async () => createExecConsole({ command: ['printf', 'gone'] }),
  missing: {
    driver: createExecConsole({ command: ['/no-such-thing'] }),
    words: /can't be started: .*ENOENT/,
  },
});

test('a console program is ended with its children', async () => {
  const console = new ConsoleRecord();
  const driver = createExecConsole({ command: ['sh', '-c', 'sleep 1000 & echo "child=$!"; wait'] });
  const line = await driver.connect(console, { signal: neverAborted() });
  await console.waitFor('\n');
  const child = Number(/child=(\d+)/.exec(console.text)?.[1]);
  assert.equal(processRuns(child), true);
  await line.close();
  assert.equal(processRuns(child), false);
});

test('a server that takes each connection only to drop it is given up within the limit', async (t) => {
  let lines = 0;
  const port = await serve(t, (socket) => {
    lines += 1;
    socket.end();
  });
  const driver = createTcpConsole({ host, port });
  const limits = { connectSeconds: 20, reconnectSeconds: 0.5 };
  const call = { hooks: new ConsoleRecord(), signal: neverAborted() };
  const exit = await (await openLastingConsole(driver, limits, call)).exit;
  assert.ok(exit.kind === 'fault', exit.kind);
  assert.match(exit.message, /dropped and was not back within 0\.5 s: the other side closed it/);
  // The pauses between tries grow.
  assert.ok(lines >= 2 && lines <= 4, `${lines} lines`);
});

test('a console that is not there yet is waited for', async (t) => {
  let left = 2;
  const working = createTcpConsole({ host, port: await serve(t, echo) });
  const driver = {
    ...working,
    connect: async (...call: Parameters<typeof working.connect>) => {
      left -= 1;
      if (left >= 0) throw new Error('not yet');
      return working.connect(...call);
    },
  };
  const console = new ConsoleRecord();
  const limits = { connectSeconds: 20, reconnectSeconds: 20 };
  const session = await openLastingConsole(driver, limits, { hooks: console, signal: neverAborted() });
  await console.waitForBytes(256);
  await session.stop();
});

test('what is typed while there is no line goes over the next one, in order', async () => {
  const lines: { readonly written: string[]; readonly drop: () => void }[] = [];
  const back = Promise.withResolvers<void>();
  const dropped = Promise.withResolvers<void>();
  const driver: ConsoleDriver = {
    name: 'the console',
    async connect() {
      if (lines.length > 0) {
        dropped.resolve();
        await back.promise;
      }
      const written: string[] = [];
      const down = Promise.withResolvers<string>();
      lines.push({ written, drop: () => down.resolve('dropped') });
      const write = (bytes: Uint8Array) => void written.push(Buffer.from(bytes).toString());
      return { down: down.promise, write, close: async () => down.resolve('closed') };
    },
  };
  const limits = { connectSeconds: 20, reconnectSeconds: 20 };
  const call = { hooks: new ConsoleRecord(), signal: neverAborted() };
  const session = await openLastingConsole(driver, limits, call);
  lines[0]?.drop();
  await dropped.promise;
  for (const text of ['one', 'two']) session.write(Buffer.from(text));
  session.write(Buffer.alloc(64 * 1024, 'too much'));
  back.resolve();
  while (lines.length < 2) await new Promise(setImmediate);
  await new Promise(setImmediate);
  session.write(Buffer.from('three'));
  assert.deepEqual(
    lines.map(({ written }) => written),
    [[], ['one', 'two', 'three']],
  );
  const stopping = session.stop();
  lines[1]?.drop();
  await stopping;
});

test('an aborted signal ends the wait for a console', async () => {
  const driver = createTcpConsole({ host, port: 1 });
  const aborting = new AbortController();
  const limits = { connectSeconds: 1000, reconnectSeconds: 1000 };
  const opening = openLastingConsole(driver, limits, { hooks: new ConsoleRecord(), signal: aborting.signal });
  setImmediate(() => aborting.abort(new Error('enough')));
  await assert.rejects(opening, /enough/);
});

test('Telnet is answered and taken out, and bytes go both ways as they are', async (t) => {
  const received: Buffer[] = [];
  const answered = Promise.withResolvers<void>();
  const [will, doIt, binary] = [251, 253, 0];
  const port = await serve(t, (socket) => {
    socket.write(Buffer.from([255, will, binary, 255, doIt, binary, 255, doIt, 24]));
    socket.on('data', (bytes: Buffer) => {
      received.push(bytes);
      if (Buffer.concat(received).length === 9) {
        answered.resolve();
        socket.write(Buffer.from([13, 0, 255, 255, 10]));
      }
    });
  });
  const console = new ConsoleRecord();
  const driver = createTcpConsole({ host, port, telnet: true });
  const line = await driver.connect(console, { signal: neverAborted() });
  t.after(() => line.close());
  await answered.promise;
  const wont = 252;
  assert.deepEqual([...Buffer.concat(received)], [255, doIt, binary, 255, will, binary, 255, wont, 24]);
  await console.waitForBytes(4);
  assert.deepEqual([...console.bytes], [13, 0, 255, 10]);
});

test('without telnet its bytes are a board’s like any others', async (t) => {
  const negotiation = Buffer.from([255, 251, 0, 255, 255]);
  const port = await serve(t, (socket) => void socket.write(negotiation));
  const console = new ConsoleRecord();
  const line = await createTcpConsole({ host, port }).connect(console, { signal: neverAborted() });
  t.after(() => line.close());
  await console.waitForBytes(5);
  assert.deepEqual(console.bytes, negotiation);
});

test('Telnet without clean bits: a zero behind a return is a filler, both ways', () => {
  const filter = new TelnetFilter();
  assert.deepEqual([...filter.receive(Buffer.from([65, 13, 0, 0, 13, 10])).bytes], [65, 13, 0, 13, 10]);
  assert.deepEqual([...filter.escape(Buffer.from([13, 10, 255]))], [13, 0, 10, 255, 255]);
});

test('two Telnet sides never answer each other for ever', () => {
  const [a, b] = [new TelnetFilter(), new TelnetFilter()];
  let said: Uint8Array = Buffer.from([255, 251, 1, 255, 253, 3, 255, 251, 200, 255, 254, 7]);
  for (let turn = 0; turn < 10 && said.length > 0; turn += 1) said = (turn % 2 ? a : b).receive(said).answer;
  assert.equal(said.length, 0);
});

test('wherever Telnet is cut, the bytes and the answers are the same', () => {
  const some = fc.oneof(fc.constantFrom(255, 250, 240, 251, 252, 253, 254, 13, 0, 1, 3), fc.nat(255));
  fc.assert(
    fc.property(fc.array(some, { maxLength: 60 }), fc.array(fc.nat(60)), (stream, cuts) => {
      const whole = new TelnetFilter().receive(Uint8Array.from(stream));
      const filter = new TelnetFilter();
      const places = [0, ...cuts.toSorted((x, y) => x - y), stream.length];
      const parts = places.slice(1).map((to, index) => {
        return filter.receive(Uint8Array.from(stream.slice(places[index], to)));
      });
      assert.deepEqual(Buffer.concat(parts.map(({ bytes }) => bytes)), Buffer.from(whole.bytes));
      assert.deepEqual(Buffer.concat(parts.map(({ answer }) => answer)), Buffer.from(whole.answer));
    }),
  );
});

test('what is escaped for Telnet is what the other side reads', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.boolean(), (bytes, clean) => {
      const [here, there] = [new TelnetFilter(), new TelnetFilter()];
      if (clean) {
        here.receive(Buffer.from([255, 253, 0]));
        there.receive(Buffer.from([255, 251, 0]));
      }
      assert.deepEqual(Buffer.from(there.receive(here.escape(bytes)).bytes), Buffer.from(bytes));
    }),
  );
});
