// What every console driver must do, as tests: run them over a driver by giving it the other end of a line.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ConsoleDriver } from '../drivers/console/contract.ts';
import { neverAborted } from './board-suite.ts';
import { ConsoleRecord } from './console-record.ts';

export interface ConsoleBench {
  /** A line whose other end prints all bytes from 0 to 255, and then what it is sent. */
  readonly createDriver: (t: TestContext) => Promise<ConsoleDriver>;
  /** A line whose other end prints 'gone' and drops it. */
  readonly createDropping: (t: TestContext) => Promise<ConsoleDriver>;
  /** A line that can't be had. */
  readonly missing: { readonly driver: ConsoleDriver; readonly words: RegExp };
}

const allBytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);

async function connect(t: TestContext, driver: ConsoleDriver, signal = neverAborted()) {
  const console = new ConsoleRecord();
  const line = await driver.connect(console, { signal });
  t.after(() => line.close());
  return { line, console };
}

/** Registers the tests under this name. */
export function testConsoleDriver(name: string, bench: ConsoleBench): void {
  test(`${name}: every byte goes both ways as it is`, async (t) => {
    const { line, console } = await connect(t, await bench.createDriver(t));
    await console.waitForBytes(256);
    line.write(allBytes);
    await console.waitForBytes(512);
    assert.deepEqual(console.bytes, Buffer.concat([allBytes, allBytes]));
  });

  test(`${name}: a line that the other end drops is down, after its last byte`, async (t) => {
    const { line, console } = await connect(t, await bench.createDropping(t));
    assert.notEqual(await line.down, '');
    assert.equal(console.text, 'gone');
  });

  test(`${name}: a line can be closed, twice, and an aborted signal closes it`, async (t) => {
    const driver = await bench.createDriver(t);
    const first = await connect(t, driver);
    await first.console.waitForBytes(256);
    await Promise.all([first.line.close(), first.line.close()]);
    first.line.write(allBytes);
    const aborting = new AbortController();
    const second = await connect(t, driver, aborting.signal);
    aborting.abort();
    await second.line.down;
  });

  test(`${name}: a line that can't be had is an error that says why`, async () => {
    const { driver, words } = bench.missing;
    await assert.rejects(driver.connect(new ConsoleRecord(), { signal: neverAborted() }), words);
  });

  test(`${name}: a signal that is aborted already is no line`, async (t) => {
    const driver = await bench.createDriver(t);
    await assert.rejects(driver.connect(new ConsoleRecord(), { signal: AbortSignal.abort() }));
  });
}
