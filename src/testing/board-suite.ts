// What every board driver must do, as tests: run them over a driver by giving it a bench (a board with things
// to put on it). Drivers from elsewhere can use it too.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BoardDriver, BoardExit, BoardFile, BoardHooks, BoardJob } from '../drivers/board/contract.ts';
import { ConsoleRecord } from './console-record.ts';
import { floodLine } from './images/programs.ts';

/** What the suite puts on the board. */
export type BoardProgram =
  /** Prints `helloText`. */
  | 'hello'
  /** Prints the bytes 0 to 255. */
  | 'raw'
  /** Prints `floodText` of the bench's lines. */
  | 'flood'
  /** Prints 'ready' or more, and then nothing for ever. */
  | 'hang'
  /** Shows a prompt '> ', and answers a line with 'you said: ' and the line. */
  | 'echo';

export interface BoardBench {
  /** A new driver of one board. */
  readonly createDriver: () => BoardDriver;
  /** A driver and job where something that the lab has to provide is missing. */
  readonly missing: (job: BoardJob) => { readonly driver: BoardDriver; readonly job: BoardJob };
  /** The files of a program, written into the folder. */
  readonly load: (program: BoardProgram, folder: string) => Promise<BoardFile[]>;
  /** Fewer lines of a flood for a board that prints slowly. */
  readonly floodLines?: number;
}

export const helloText = 'hello: booted\nHello from the board\nAll is well in the universe\n';
const usualFloodLines = 32 * 1024;

/** What a board prints when it prints much: 2 MB, where nothing else is said. */
export function floodText(lines = usualFloodLines): string {
  return Array.from({ length: lines }, (_, index) => floodLine(index + 1)).join('');
}

/** A job of these files that nothing watches. */
export function boardJob(
  files: readonly BoardFile[],
  folder: string,
  changes: Partial<BoardJob> = {},
): BoardJob {
  return {
    files,
    linux: false,
    endText: '',
    errorText: '',
    timeoutSeconds: -1,
    keepOn: false,
    logPath: join(folder, 'log'),
    workFolder: folder,
    ...changes,
  };
}

/** A folder that is gone after the test, or after all tests of the file. */
export async function testFolder(t: { after(clean: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'board-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

/** Registers the tests under this name. */
export function testBoardDriver(name: string, bench: BoardBench): void {
  testConsole(name, bench);
  testHold(name, bench);
  testStop(name, bench);
  testAbort(name, bench);
  testPowerOff(name, bench);
}

interface RunOptions {
  readonly driver: BoardDriver;
  readonly program: BoardProgram;
  readonly signal?: AbortSignal;
  readonly changes?: Partial<BoardJob>;
  readonly hooks?: Partial<BoardHooks>;
}

async function run(t: TestContext, bench: BoardBench, options: RunOptions) {
  const folder = await testFolder(t);
  const console = new ConsoleRecord();
  const job = boardJob(await bench.load(options.program, folder), folder, options.changes);
  const hooks = { onConsole: console.onConsole, ...options.hooks };
  const session = await options.driver.start(job, hooks, { signal: options.signal ?? neverAborted() });
  t.after(() => session.stop());
  return { session, console };
}

/** A board whose program ends by itself may do so; one that does not is stopped. */
function assertEndedWell(exit: BoardExit): void {
  if (exit.kind !== 'stopped') assert.deepEqual(exit, { kind: 'exited', code: 0 });
}

function testConsole(name: string, bench: BoardBench): void {
  const expected: readonly [BoardProgram, Buffer][] = [
    ['hello', Buffer.from(helloText)],
    ['raw', Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte))],
    ['flood', Buffer.from(floodText(bench.floodLines))],
  ];
  for (const [program, bytes] of expected) {
    test(`${name}: every console byte of '${program}' arrives once and in order`, async (t) => {
      const { session, console } = await run(t, bench, { driver: bench.createDriver(), program });
      await console.waitForBytes(bytes.length);
      await session.stop();
      assertEndedWell(await session.exit);
      assert.ok(bytes.equals(console.bytes.subarray(0, bytes.length)));
    });
  }

  test(`${name}: what is written reaches the console's other end`, async (t) => {
    const options = { driver: bench.createDriver(), program: 'echo', changes: { keepOn: true } } as const;
    const { session, console } = await run(t, bench, options);
    await console.waitFor('> ');
    const buffer = Buffer.from('good morning\n');
    session.write(buffer);
    // The buffer is the caller's again.
    buffer.fill('x');
    await console.waitFor('you said: good morning');
  });

  test(`${name}: what is written to a session that has ended is dropped in silence`, async (t) => {
    const options = { driver: bench.createDriver(), program: 'echo', changes: { keepOn: true } } as const;
    const { session, console } = await run(t, bench, options);
    await console.waitFor('> ');
    await session.stop();
    session.write(Buffer.from('too late\n'));
    assert.doesNotMatch(console.text, /too late/);
  });

  test(`${name}: two jobs one after the other on one board are two boots`, async (t) => {
    const driver = bench.createDriver();
    for (let boot = 0; boot < 2; boot += 1) {
      const { session, console } = await run(t, bench, { driver, program: 'hello' });
      await console.waitFor('universe\n');
      await session.stop();
      assert.equal(console.text, helloText);
    }
  });
}

function testHold(name: string, bench: BoardBench): void {
  test(`${name}: a board waits while its console is held, and nothing is lost`, async (t) => {
    const gate = Promise.withResolvers<void>();
    const hooks = { holdConsole: () => gate.promise };
    const { console } = await run(t, bench, { driver: bench.createDriver(), program: 'flood', hooks });
    await console.waitForBytes(1);
    // Until nothing more has come for a good while.
    for (let turn = 0, before = 0; turn < 3_000; turn += 1, before = console.bytes.length) {
      await new Promise(setImmediate);
      if (console.bytes.length > before) turn = 0;
    }
    const flood = floodText(bench.floodLines);
    assert.ok(console.bytes.length < flood.length * 0.75, `${console.bytes.length} bytes came`);
    gate.resolve();
    await console.waitForBytes(flood.length);
    assert.ok(console.text.startsWith(flood));
  });
}

function testStop(name: string, bench: BoardBench): void {
  test(`${name}: a stopped session says so, and nothing more comes from its console`, async (t) => {
    const { session, console } = await run(t, bench, { driver: bench.createDriver(), program: 'hang' });
    await console.waitForBytes(1);
    await Promise.all([session.stop(), session.stop()]);
    assert.deepEqual(await session.exit, { kind: 'stopped' });
    const { length } = console.bytes;
    await session.stop();
    assert.equal(console.bytes.length, length);
  });

  test(`${name}: a session in the middle of a flood can be stopped`, async (t) => {
    const { session, console } = await run(t, bench, { driver: bench.createDriver(), program: 'flood' });
    await console.waitForBytes(1);
    await session.stop();
    assertEndedWell(await session.exit);
    const flood = floodText(bench.floodLines);
    assert.ok(flood.startsWith(console.text.slice(0, flood.length)));
  });
}

function testAbort(name: string, bench: BoardBench): void {
  test(`${name}: an aborted signal stops the session`, async (t) => {
    const aborting = new AbortController();
    const options = { driver: bench.createDriver(), program: 'hang', signal: aborting.signal } as const;
    const { session, console } = await run(t, bench, options);
    await console.waitForBytes(1);
    aborting.abort();
    assert.deepEqual(await session.exit, { kind: 'stopped' });
  });

  test(`${name}: a signal aborted before the start leaves the board alone`, async (t) => {
    const options = { driver: bench.createDriver(), program: 'hello', signal: AbortSignal.abort() } as const;
    const { session, console } = await run(t, bench, options);
    assert.deepEqual(await session.exit, { kind: 'stopped' });
    assert.equal(console.text, '');
  });

  test(`${name}: a signal aborted during the start stops the session, whenever it is`, async (t) => {
    const folder = await testFolder(t);
    const driver = bench.createDriver();
    const job = boardJob(await bench.load('hang', folder), folder);
    for (let turns = 0; turns < 12; turns += 1) {
      const aborting = new AbortController();
      const starting = driver.start(job, { onConsole() {} }, { signal: aborting.signal });
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      aborting.abort();
      const session = await starting;
      t.after(() => session.stop());
      assert.deepEqual(await session.exit, { kind: 'stopped' });
    }
  });

  test(`${name}: what the lab has to provide and does not is a fault, and its message says what`, async (t) => {
    const folder = await testFolder(t);
    const { driver, job } = bench.missing(boardJob(await bench.load('hello', folder), folder));
    const session = await driver.start(job, { onConsole() {} }, { signal: neverAborted() });
    const exit = await session.exit;
    assert.ok(exit.kind === 'fault');
    assert.match(exit.message, /ENOENT.*no-such-thing|no-such-thing.*ENOENT/);
    await session.stop();
  });
}

function testPowerOff(name: string, bench: BoardBench): void {
  test(`${name}: a board can be powered off before any job, and twice`, async () => {
    const driver = bench.createDriver();
    await driver.powerOff({}, { signal: neverAborted() });
    await driver.powerOff({}, { signal: neverAborted() });
  });

  test(`${name}: power off ends the job that was left on the board`, async (t) => {
    const driver = bench.createDriver();
    const { session, console } = await run(t, bench, { driver, program: 'hang' });
    await console.waitForBytes(1);
    await driver.powerOff({}, { signal: neverAborted() });
    assert.deepEqual(await session.exit, { kind: 'stopped' });
  });

  test(`${name}: a new job ends the one that was left on the board`, async (t) => {
    const driver = bench.createDriver();
    const left = await run(t, bench, { driver, program: 'hang' });
    await left.console.waitForBytes(1);
    const next = await run(t, bench, { driver, program: 'hello' });
    assert.deepEqual(await left.session.exit, { kind: 'stopped' });
    await next.console.waitFor('universe\n');
  });
}

/** Writes one file of a job. */
export async function writeBoardFile(
  folder: string,
  name: string,
  bytes: Uint8Array | string,
): Promise<BoardFile> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return { path, name };
}
