// Driver script: whatever a lab's program started is gone when its session has ended.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasProcessTable } from '../../src/platform/process-table.ts';
import type { ConsoleRecord } from '../../src/testing/console-record.ts';
import { processRuns, runShell } from './lab-program.ts';

/** Reads 'NAME=pid' from the console. */
function pidOf(console: ConsoleRecord, name: string): number {
  const pid = Number(console.text.match(new RegExp(`${name}=(\\d+)`))?.[1]);
  assert.ok(pid > 1, `no ${name} in: ${console.text}`);
  return pid;
}

function assertGone(pid: number): void {
  assert.equal(processRuns(pid), false);
}

function assertRuns(pid: number): void {
  assert.equal(processRuns(pid), true);
}

test('stop ends the program and its children', async (t) => {
  const { session, console } = await runShell(t, 'sleep 1000 & echo "child=$! self=$$ ready"; wait');
  await console.waitFor('ready');
  assertRuns(pidOf(console, 'child'));
  await session.stop();
  assertGone(pidOf(console, 'self'));
  assertGone(pidOf(console, 'child'));
});

test('a program that ends at SIGTERM gets the time to clean up', async (t) => {
  const text = 'trap "echo cleaning; exit 0" TERM; echo ready; while :; do sleep 0.01; done';
  const { session, console } = await runShell(t, text, { options: { graceMilliseconds: 20_000 } });
  await console.waitFor('ready');
  await session.stop();
  assert.match(console.text, /cleaning\n$/);
});

test('a program that ignores SIGTERM is killed after the delay', async (t) => {
  const text = 'trap "" TERM; echo "self=$$ ready"; while :; do sleep 0.01; done';
  const { session, console } = await runShell(t, text, { options: { graceMilliseconds: 50 } });
  await console.waitFor('ready');
  await session.stop();
  assert.deepEqual(await session.exit, { kind: 'stopped' });
  assertGone(pidOf(console, 'self'));
});

test('a child that holds the console when the program has exited does not hold up the exit', async (t) => {
  const { session, console } = await runShell(t, 'sleep 1000 & echo "child=$!"; exit 5');
  assert.deepEqual(await session.exit, { kind: 'exited', code: 5 });
  assertGone(pidOf(console, 'child'));
});

test('what a child still says shortly after the program has exited is on the console', async (t) => {
  const { session, console } = await runShell(t, '{ sleep 0.1; echo last words; } & exit 0');
  assert.deepEqual(await session.exit, { kind: 'exited', code: 0 });
  assert.equal(console.text, 'last words\n');
});

test('stop ends a grandchild that made a session of its own and lost its parent', {
  skip: hasProcessTable() ? false : 'only Linux has a process table to find it in',
}, async (t) => {
  const text = 'setsid sh -c \'sleep 1000 & echo "grandchild=$!"\' & wait; echo ready; sleep 1000';
  const { session, console } = await runShell(t, text);
  await console.waitFor('ready');
  assertRuns(pidOf(console, 'grandchild'));
  await session.stop();
  assertGone(pidOf(console, 'grandchild'));
});

test('a daemon that closed the console is ended with the program that started it', {
  skip: hasProcessTable() ? false : 'only Linux has a process table to find it in',
}, async (t) => {
  const text = 'setsid sleep 1000 < /dev/null > /dev/null 2>&1 & echo "daemon=$!"; exit 0';
  const { session, console } = await runShell(t, text);
  assert.deepEqual(await session.exit, { kind: 'exited', code: 0 });
  assertGone(pidOf(console, 'daemon'));
});

test('the end of one run leaves the run of another board alone', async (t) => {
  const text = 'sleep 1000 & echo "child=$! ready"; wait';
  const env = { MQ_AGENT: 'same for both' };
  const [first, second] = [await runShell(t, text, { env }), await runShell(t, text, { env })];
  await Promise.all([first.console.waitFor('ready'), second.console.waitFor('ready')]);
  await first.session.stop();
  assertGone(pidOf(first.console, 'child'));
  assertRuns(pidOf(second.console, 'child'));
});
