// Power by command: real programs, their words, their secrets, and what becomes of those that hang.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CommandPowerOptions, createCommandPower } from '../../src/drivers/power/command.ts';
import { withTries } from '../../src/drivers/power/tries.ts';
import type { endTree } from '../../src/platform/process-tree.ts';
import { neverAborted, testFolder } from '../../src/testing/board-suite.ts';
import { powerCommand } from '../../src/testing/emulated-board.ts';
import { testPowerDriver } from '../../src/testing/power-suite.ts';
import { processRuns } from './lab-program.ts';
import { openBench } from './parts-bench.ts';

const signal = neverAborted();

/** Power by shell text, the same for on and off. */
function shellPower(text: string, more: Partial<CommandPowerOptions> = {}) {
  const command = ['sh', '-c', text];
  return createCommandPower({ powerOn: command, powerOff: command, status: command, ...more });
}

async function benchOf(t: TestContext, hangingPowers: number) {
  const { board, powerPort } = await openBench(t, { hangingPowers });
  const power = createCommandPower({
    powerOn: powerCommand(powerPort, 'on'),
    powerOff: powerCommand(powerPort, 'off'),
    status: powerCommand(powerPort, 'status'),
  });
  return { power, isOn: () => board.isOn };
}

testPowerDriver('command', {
  working: (t) => benchOf(t, 0),
  hanging: (t) => benchOf(t, Number.POSITIVE_INFINITY),
  refusing: async () => ({
    power: shellPower('echo "outlet 4: no answer" >&2; exit 3'),
    isOn: () => false,
    words: /^Error: 'sh -c .*' exited with code 3: outlet 4: no answer$/,
  }),
});

test('the words of a command are passed as they are, each whole, and no shell sees them', async () => {
  const power = createCommandPower({
    powerOn: [],
    powerOff: [],
    status: ['printf', '[%s]', 'a b', '$(id) *', '', 'on'],
  });
  assert.equal(await power.status?.({}, { signal }), 'on');
  const failing = createCommandPower({
    powerOn: ['sh', '-c', 'printf "[%s]" "$@"; exit 1', 'x', 'a b', '$(id) *', ''],
    powerOff: [],
  });
  await assert.rejects(failing.powerOn({}, { signal }), /code 1: \[a b\]\[\$\(id\) \*\]\[\]$/);
});

test('the last on or off of a status counts, as a word, and without one nobody knows', async () => {
  for (const [said, status] of [
    ['Outlet 3 (off at boot): ON', 'on'],
    ['on then Off', 'off'],
    ['offline, upon', 'unknown'],
    ['', 'unknown'],
  ] as const) {
    assert.equal(await shellPower(`echo '${said}'`).status?.({}, { signal }), status, said);
  }
});

test('a secret reaches the command by its environment, and no error shows it', async (t) => {
  const file = join(await testFolder(t), 'secret');
  await writeFile(file, 'hunter2 from a file\n');
  process.env.TEST_PDU_PASSWORD = 'hunter2';
  t.after(() => delete process.env.TEST_PDU_PASSWORD);
  const env = { USER_NAME: 'admin', PASSWORD: { env: 'TEST_PDU_PASSWORD' }, TOKEN: { file } };
  const test = '[ "$PASSWORD" = hunter2 ] && [ "$TOKEN" = "hunter2 from a file" ] && echo on';
  assert.equal(await shellPower(test, { env }).status?.({}, { signal }), 'on');
  const telling = shellPower('echo "$USER_NAME: $PASSWORD, $TOKEN"; exit 1', { env });
  await assert.rejects(telling.powerOn({}, { signal }), /code 1: admin: \*\*\*, \*\*\*$/);
});

test('a secret that is not there is an error that says where it should be, and nothing is run', async (t) => {
  const file = join(await testFolder(t), 'secret');
  const tries = [
    [
      { env: 'NO_SUCH_VARIABLE' },
      /^Error: no value for P: the environment variable NO_SUCH_VARIABLE is not set$/,
    ],
    [{ file }, /^Error: no value for P: the secret's file can't be read: ENOENT.*secret'$/],
  ] as const;
  for (const [place, words] of tries) {
    const children: number[] = [];
    const power = shellPower('true', { env: { P: place } });
    const hooks = { onChild: ({ pid }: { pid: number }) => children.push(pid) };
    await assert.rejects(power.powerOn(hooks, { signal }), words);
    assert.deepEqual(children, []);
  }
});

test('a command that hangs is ended with its children and tried again, then it is an error', async () => {
  const children: number[] = [];
  const hooks = { onChild: ({ pid }: { pid: number }) => children.push(pid) };
  const power = withTries(shellPower('sleep 1000 & sleep 1000'), { seconds: 0.2, retries: 2 });
  const words = /^Error: power on failed 3 times: 'sh -c .*' was not done in time \(limit 0\.2 s\)$/;
  await assert.rejects(power.powerOn(hooks, { signal }), words);
  assert.equal(children.length, 3);
  assert.deepEqual(children.filter(processRuns), []);
});

test('a command that fails once is done at the second try, and without retries is an error', async (t) => {
  const mark = join(await testFolder(t), 'mark');
  const text = `[ -e '${mark}' ] || { touch '${mark}'; exit 1; }`;
  await assert.rejects(
    withTries(shellPower(text), { seconds: 20, retries: 0 }).powerOn({}, { signal }),
    /^Error: power on failed: 'sh -c .*' exited with code 1$/,
  );
  const again = `[ -e '${mark}2' ] || { touch '${mark}2'; exit 1; }`;
  await withTries(shellPower(again), { seconds: 20, retries: 1 }).powerOn({}, { signal });
});

test('an aborted signal ends the tries', async () => {
  const aborting = new AbortController();
  let count = 0;
  const hooks = {
    onChild: () => {
      count += 1;
      aborting.abort(new Error('enough'));
    },
  };
  const power = withTries(shellPower('sleep 1000'), { seconds: 20, retries: 5 });
  await assert.rejects(power.powerOn(hooks, { signal: aborting.signal }), /power on was given up/);
  assert.equal(count, 1);
});

test('while a command can not be ended no other one is run', async () => {
  const ending: typeof endTree = async (tree) => ({ ended: 0, remaining: [...tree.leaders] });
  const children: number[] = [];
  const hooks = { onChild: ({ pid }: { pid: number }) => children.push(pid) };
  const power = shellPower('exec sleep 1000', { endTree: ending });
  await assert.rejects(power.powerOn(hooks, { signal: AbortSignal.timeout(200) }), /can't be ended: \d+$/);
  await assert.rejects(power.powerOff(hooks, { signal }), /an earlier power command can't be ended: \d+$/);
  assert.equal(children.length, 1);
  const [leader = 0] = children;
  process.kill(-leader, 'SIGKILL');
});
