// Ending process trees: all that belongs is ended and nothing else, whatever the numbers say.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { hasProcessTable, isRunning, readStartTime } from '../../src/platform/process-table.ts';
import { endLeftovers, endTree, findMembers } from '../../src/platform/process-tree.ts';

const skip = hasProcessTable() ? false : 'only Linux has a process table';
const neverAborted = new AbortController().signal;

/** A sleeper in a session of its own. */
function sleeper(t: TestContext, environment: Readonly<Record<string, string>> = {}) {
  return start(t, ['sleep', '1000'], environment);
}

function start(t: TestContext, words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const [file = '', ...rest] = words;
  const env = { PATH: process.env.PATH, ...environment };
  const child = spawn(file, rest, { detached: true, stdio: ['ignore', 'pipe', 'ignore'], env });
  t.after(() => child.kill('SIGKILL'));
  const pid = child.pid ?? assert.fail(`${file} did not start`);
  return { child, identity: { pid, startTime: readStartTime(pid) ?? '' } };
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout);
  const [line] = await once(child.stdout, 'data');
  return String(line).trim();
}

test('a tree is its leader, and ending it leaves nothing', { skip }, async (t) => {
  const { identity } = sleeper(t);
  const result = await endTree({ leaders: [identity] }, { signal: neverAborted });
  assert.deepEqual(result, { ended: 1, remaining: [] });
  assert.equal(isRunning(identity), false);
});

test('a tree that has ended by itself is no error', { skip }, async (t) => {
  const { child, identity } = start(t, ['true']);
  await once(child, 'exit');
  const result = await endTree({ leaders: [identity] }, { signal: neverAborted });
  assert.deepEqual(result, { ended: 0, remaining: [] });
});

test('the start of a child can be read before it is known to have ended, and then it does not run', {
  skip,
}, async (t) => {
  const { child, identity } = start(t, ['true']);
  assert.notEqual(identity.startTime, '');
  await once(child, 'exit');
  assert.equal(isRunning(identity), false);
});

test('a process with the same number that began at another time is left alone', { skip }, async (t) => {
  const { identity } = sleeper(t);
  const other = { pid: identity.pid, startTime: 'another-boot/12345' };
  const result = await endLeftovers({ marker: { NO: 'such' }, pids: [other] }, { signal: neverAborted });
  assert.deepEqual(result, { ended: 0, remaining: [] });
  assert.equal(isRunning(identity), true);
});

test('a session without its leader is still found by the leader that began it', { skip }, async (t) => {
  const { child, identity } = start(t, ['sh', '-c', 'sleep 1000 & echo $!']);
  const orphan = Number(await firstLine(child));
  await once(child, 'exit');
  const members = await findMembers({ leaders: [identity] });
  assert.deepEqual(
    members.map(({ pid }) => pid),
    [orphan],
  );
  await endTree({ leaders: [identity] }, { signal: neverAborted });
});

test('what carries the marker is ended, what carries a part of it or a longer value is not', {
  skip,
}, async (t) => {
  const marker = { MARK_A: 'one', MARK_B: 'two' };
  const marked = sleeper(t, marker).identity;
  const others = [
    sleeper(t, { MARK_A: 'one' }).identity,
    sleeper(t, { MARK_A: 'one', MARK_B: 'two and more' }).identity,
    sleeper(t, { MARK_A: 'one', NO_MARK_B: 'two' }).identity,
  ];
  const result = await endLeftovers({ marker, pids: [] }, { signal: neverAborted });
  assert.deepEqual(result, { ended: 1, remaining: [] });
  assert.equal(isRunning(marked), false);
  assert.deepEqual(others.map(isRunning), [true, true, true]);
});

test('an empty marker marks nothing', { skip }, async (t) => {
  const { identity } = sleeper(t);
  const result = await endLeftovers({ marker: {}, pids: [] }, { signal: neverAborted });
  assert.deepEqual(result, { ended: 0, remaining: [] });
  assert.equal(isRunning(identity), true);
});

test('a child with a cleared environment in a session of its own is ended with its parent', {
  skip,
}, async (t) => {
  const { child, identity } = start(t, ['sh', '-c', 'env -i setsid sleep 1000 & echo $!; wait']);
  const pid = Number(await firstLine(child));
  const inner = { pid, startTime: readStartTime(pid) ?? '' };
  assert.equal(isRunning(inner), true);
  const result = await endTree({ leaders: [identity] }, { signal: neverAborted });
  assert.deepEqual(result, { ended: 2, remaining: [] });
  assert.equal(isRunning(inner), false);
});

test('a tree that makes processes faster than they end is ended all the same', { skip }, async (t) => {
  const text = 'trap "" TERM; echo go; while :; do sh -c "sleep 0.2" & sleep 0.005; done';
  const { child, identity } = start(t, ['sh', '-c', text]);
  await firstLine(child);
  const result = await endTree({ leaders: [identity] }, { signal: neverAborted, graceMilliseconds: 100 });
  assert.deepEqual(result.remaining, []);
  assert.deepEqual(await findMembers({ leaders: [identity] }), []);
});

test('an aborted signal ends the waiting for a tree that does not end', { skip }, async (t) => {
  const { child, identity } = start(t, ['sh', '-c', 'trap "" TERM; echo go; while :; do sleep 0.01; done']);
  await firstLine(child);
  const aborting = new AbortController();
  const ending = endTree({ leaders: [identity] }, { signal: aborting.signal, graceMilliseconds: 60_000 });
  aborting.abort(new Error('enough'));
  await assert.rejects(ending, /enough|aborted/);
  assert.equal(isRunning(identity), true);
});

test('without a process table a leader is ended as a group, and killed where it ignores SIGTERM', async (t) => {
  const quick = sleeper(t);
  const stubborn = start(t, ['sh', '-c', 'trap "" TERM; echo go; while :; do :; done']);
  const exits = [once(quick.child, 'exit'), once(stubborn.child, 'exit')];
  await firstLine(stubborn.child);
  const result = await endTree(
    { leaders: [quick.identity, stubborn.identity] },
    { signal: neverAborted, hasTable: false, graceMilliseconds: 50 },
  );
  assert.deepEqual(result, { ended: 2, remaining: [] });
  assert.deepEqual(
    (await Promise.all(exits)).map(([, signal]) => signal),
    ['SIGTERM', 'SIGKILL'],
  );
});

test('without a process table leftovers are told, and not signalled: the numbers may be others now', async (t) => {
  const { child, identity } = sleeper(t);
  const leftovers = { marker: { MARK: 'x' }, pids: [identity] };
  const result = await endLeftovers(leftovers, { signal: neverAborted, hasTable: false });
  assert.deepEqual(result, { ended: 0, remaining: [identity] });
  assert.equal(child.exitCode ?? child.signalCode, null);
});
