// Driver parts: the order in which power, console and image come, faults of each of them, and the board without a job.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { BoardDriver } from '../../src/drivers/board/contract.ts';
import { createCopyBoot } from '../../src/drivers/boot/copy.ts';
import { createExecConsole } from '../../src/drivers/console/exec.ts';
import { createTcpConsole } from '../../src/drivers/console/tcp.ts';
import {
  type BoardProgram,
  boardJob,
  floodText,
  helloText,
  neverAborted,
  testBoardDriver,
  testFolder,
  writeBoardFile,
} from '../../src/testing/board-suite.ts';
import { ConsoleRecord } from '../../src/testing/console-record.ts';
import { echoImage } from '../../src/testing/emulated-board.ts';
import { openBench } from './parts-bench.ts';

const images: Readonly<Record<BoardProgram, string | Uint8Array>> = {
  hello: helloText,
  raw: Uint8Array.from({ length: 256 }, (_, byte) => byte),
  flood: floodText(),
  hang: 'ready',
  echo: echoImage,
};

const suite = await openBench({ after });
testBoardDriver('parts', {
  createDriver: () => suite.createDriver(),
  missing: (job) => ({
    driver: suite.createDriver({ boot: createCopyBoot({ to: '/no-such-thing/kernel' }) }),
    job,
  }),
  load: async (program, folder) => [await writeBoardFile(folder, program, images[program])],
});

async function start(t: TestContext, driver: BoardDriver, image: string | Uint8Array) {
  const folder = await testFolder(t);
  const console = new ConsoleRecord();
  const job = boardJob([await writeBoardFile(folder, 'image', image)], folder);
  const session = await driver.start(job, console, { signal: neverAborted() });
  t.after(() => session.stop());
  return { session, console };
}

test('a console that drops in the middle goes on, and no byte is lost, doubled or added', async (t) => {
  const { createDriver } = await openBench(t, { dropAfterBytes: 700_001 });
  const { session, console } = await start(t, createDriver(), floodText());
  await console.waitForBytes(floodText().length);
  await session.stop();
  assert.ok(console.text === floodText());
});

test('a console that drops and does not come back within its limit is a fault that names it', async (t) => {
  const { board, createDriver, consolePort } = await openBench(t);
  const driver = createDriver({ consoleLimits: { connectSeconds: 20, reconnectSeconds: 0.3 } });
  const { session, console } = await start(t, driver, 'ready');
  await console.waitFor('ready');
  await board.close();
  const exit = await session.exit;
  assert.ok(exit.kind === 'fault', exit.kind);
  assert.match(
    exit.message,
    new RegExp(`the console at 127.0.0.1:${consolePort} dropped.*0.3 s.*ECONNREFUSED`),
  );
});

test('what is typed while the console is away reaches the board when it is back', async (t) => {
  const { createDriver } = await openBench(t, { dropAfterBytes: 2 });
  const { session, console } = await start(t, createDriver(), echoImage);
  await console.waitFor('> ');
  session.write(Buffer.from('good morning\n'));
  await console.waitFor('you said: good morning');
});

test('without a console the power stays off', async (t) => {
  const { board, createDriver } = await openBench(t);
  const { session } = await start(
    t,
    createDriver({
      console: createTcpConsole({ host: '127.0.0.1', port: 1 }),
      consoleLimits: { connectSeconds: 0.3, reconnectSeconds: 20 },
    }),
    'ready',
  );
  const exit = await session.exit;
  assert.ok(exit.kind === 'fault', exit.kind);
  assert.match(
    exit.message,
    /the console at 127\.0\.0\.1:1 can't be reached, tried for 0\.3 s: .*ECONNREFUSED/,
  );
  assert.deepEqual(board.asked, ['off']);
});

test('a power switch that hangs once is tried again, and the job goes on', async (t) => {
  const { board, createDriver } = await openBench(t, { hangingPowers: 1 });
  const driver = createDriver({ powerLimits: { seconds: 3, retries: 1 } });
  const { console } = await start(t, driver, helloText);
  await console.waitFor('universe\n');
  assert.deepEqual(board.asked, ['off', 'off', 'on']);
});

test('a power switch that always hangs is a fault after its tries', async (t) => {
  const { board, createDriver } = await openBench(t, { hangingPowers: Number.POSITIVE_INFINITY });
  const driver = createDriver({ powerLimits: { seconds: 1, retries: 2 } });
  const { session } = await start(t, driver, helloText);
  const exit = await session.exit;
  assert.ok(exit.kind === 'fault', exit.kind);
  assert.match(exit.message, /^power off failed 3 times: 'bash .*' was not done in time \(limit 1 s\)$/);
  assert.deepEqual(board.asked, ['off', 'off', 'off']);
});

test('a job after a power off does not switch off once more, and one without does', async (t) => {
  const { board, createDriver } = await openBench(t);
  const driver = createDriver();
  await driver.powerOff({}, { signal: neverAborted() });
  for (let boot = 0; boot < 2; boot += 1) {
    const { session, console } = await start(t, driver, helloText);
    await console.waitFor('universe\n');
    await session.stop();
  }
  assert.deepEqual(board.asked, ['off', 'on', 'off', 'on']);
});

test('a job with more than there is a place for is the fault of its user, and nothing is touched', async (t) => {
  const { board, createDriver } = await openBench(t);
  const folder = await testFolder(t);
  const image = await writeBoardFile(folder, 'image', helloText);
  const job = boardJob([image, image], folder);
  const session = await createDriver().start(job, new ConsoleRecord(), { signal: neverAborted() });
  const message = 'This board has no place for a second image.';
  assert.deepEqual(await session.exit, { kind: 'boot-failed', message });
  assert.deepEqual(board.asked, []);
});

test('power and console work without a job, and the console stays over a power cycle', async (t) => {
  const { board, createDriver, imagePath } = await openBench(t);
  const driver = createDriver();
  await writeFile(imagePath, helloText);
  const console = new ConsoleRecord();
  const session = await driver.openConsole?.(console, { signal: neverAborted() });
  assert.ok(session);
  for (const times of [1, 2]) {
    await driver.powerOn?.({}, { signal: neverAborted() });
    assert.equal(await driver.powerStatus?.({}, { signal: neverAborted() }), 'on');
    await console.waitForBytes(times * helloText.length);
    await driver.powerOff({}, { signal: neverAborted() });
    assert.equal(await driver.powerStatus?.({}, { signal: neverAborted() }), 'off');
  }
  assert.equal(console.text, helloText + helloText);
  await session.stop();
  assert.deepEqual(await session.exit, { kind: 'stopped' });
  assert.equal(board.isOn, false);
});

test('a job keeps its console while its holder switches the power', async (t) => {
  const driver = (await openBench(t)).createDriver();
  const { session, console } = await start(t, driver, helloText);
  await console.waitForBytes(helloText.length);
  await driver.powerOff({}, { signal: neverAborted(), besideJob: true });
  await driver.powerOn?.({}, { signal: neverAborted() });
  await console.waitForBytes(2 * helloText.length);
  assert.equal(console.text, helloText + helloText);
  await session.stop();
});

test('a job takes the console from one that was open without a job', async (t) => {
  const driver = (await openBench(t)).createDriver();
  const alone = await driver.openConsole?.(new ConsoleRecord(), { signal: neverAborted() });
  const { console } = await start(t, driver, helloText);
  assert.deepEqual(await alone?.exit, { kind: 'stopped' });
  await console.waitFor('universe\n');
});

test('a console program is a console too, and is run again when it ends', async (t) => {
  const { createDriver, consolePort } = await openBench(t, { dropAfterBytes: 100_001 });
  const command = ['bash', '-c', 'exec 3<>"/dev/tcp/127.0.0.1/$0" && exec cat <&3', String(consolePort)];
  const { session, console } = await start(
    t,
    createDriver({ console: createExecConsole({ command }) }),
    floodText(),
  );
  await console.waitForBytes(floodText().length);
  assert.ok(console.text === floodText());
  await session.stop();
  assert.deepEqual(await session.exit, { kind: 'stopped' });
});

test('the image is in place before the power comes on', async (t) => {
  const { createDriver, imagePath } = await openBench(t);
  const { console } = await start(t, createDriver(), helloText);
  await console.waitFor('universe\n');
  assert.equal(await readFile(join(imagePath), 'utf8'), helloText);
});
