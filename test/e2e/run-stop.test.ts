// How a run is stopped: signals to the client, its death, reservations. The job goes with its children, the board is
// powered off, and a lock that the run took is gone.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import type { Running } from './harness/running.ts';
import { me } from './harness/users.ts';

const lab = await Lab.make({ after });
const board = await lab.scriptBoard('board');
const other = await lab.scriptBoard('other');
await lab.configure({
  boards: { board: { machine: board.machine }, other: { machine: other.machine } },
  pools: { both: ['board', 'other'] },
});
await lab.startServer();

// A child in the job's session, and one that has left it.
const image = await lab.file(
  'image',
  'sleep 1000 & mark $!\n( setsid sh -c \'echo $$ >> "$0"; exec sleep 1000\' "$board.marks" & )\necho ready\nsleep 1000\n',
);
const runWords = ['run', '-s', 'board', '-c', 'never', '-f', image];
const start =
  'Acquiring lock for board\nLock for board currently free\nLock acquired, we are allowed to run\n';

/** The journal since the last job began: that it began, and that all of it was gone when the power went off. */
async function lastOutcome(): Promise<string[]> {
  const journal = await board.journal();
  const begin = journal.findLastIndex((line) => line.startsWith('start '));
  return journal.slice(begin).map((line) => line.replace(/ \d+$/, ''));
}

async function ready(...words: string[]): Promise<Running> {
  const run = lab.mq([...runWords, ...words]);
  await run.printed('ready\n');
  return run;
}

afterEach(() => lab.reset());

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGPIPE'] as const) {
  test(`${signal}: the job ends with its children, the board is off, the lock is gone, exit 1`, async () => {
    const run = await ready();
    run.kill(signal);
    const { code, stdout } = await run.ended;
    assert.deepEqual([code, stdout], [1, `${start}ready\n`]);
    assert.deepEqual(
      (await lastOutcome()).filter((line) => line !== 'end'),
      ['start', 'off'],
    );
    assert.equal(await lab.holder('board'), 'board FREE');
  });
}

test('a reader of the output that goes away stops the run as SIGPIPE does', async () => {
  const path = await lab.file('talker', 'while echo line; do sleep 0.1; done');
  const run = lab.mq(['run', '-s', 'board', '-c', 'never', '-f', path]);
  await run.printed('line\n');
  run.closeStdout();
  assert.equal((await run.ended).code, 1);
  assert.deepEqual(
    (await lastOutcome()).filter((line) => line !== 'end'),
    ['start', 'off'],
  );
  assert.equal(await lab.holder('board'), 'board FREE');
});

test('a signal to a run that waits withdraws it: exit 1, no ticket', async () => {
  await lab.expect(['sem', '-wait', 'board', '-k', 'h'], { exit: 0, stdout: '' });
  const run = lab.mq([...runWords, '-k', 'w']);
  await lab.untilWaiting('w');
  run.kill('SIGINT');
  assert.equal((await run.ended).code, 1);
  await lab.until('nothing waits', ({ queue }) => queue.length === 0);
  assert.equal(await lab.holder('board'), `board LOCKED ${me.name} h`);
  await lab.expect(['sem', '-signal', 'board', '-k', 'h'], { exit: 0, stdout: '' });
});

test('a second signal leaves at once, and the server cleans up', async () => {
  const run = await ready();
  run.kill('SIGINT');
  run.kill('SIGTERM');
  assert.equal((await run.ended).code, 1);
  await lab.untilQuiet();
  assert.deepEqual(
    (await lastOutcome()).filter((line) => line !== 'end'),
    ['start', 'off'],
  );
});

test('SIGKILL of the client: a -signal right after finds the lock gone or releases it', async () => {
  for (const force of [[], ['-f']]) {
    const run = await ready('-k', 'x');
    run.kill('SIGKILL');
    await run.ended;
    const { code, stdout } = await lab.run(['sem', '-signal', 'board', '-k', 'x', ...force]);
    assert.equal(code, 0);
    assert.ok(['', 'Attempting to unlock system board that you do not hold\n'].includes(stdout), stdout);
    await lab.expect(['sem', '-wait', 'board', '-k', 'y', '-t', '10', '-w', '1'], { exit: 0, stdout: '' });
    assert.deepEqual(
      (await lastOutcome()).filter((line) => line !== 'end'),
      ['start', 'off'],
    );
    await lab.expect(['sem', '-signal', 'board', '-k', 'y'], { exit: 0, stdout: '' });
  }
});

test('SIGKILL of the client alone frees the board at once, without any other command', async () => {
  const run = await ready();
  run.kill('SIGKILL');
  await run.ended;
  const begin = performance.now();
  await lab.untilQuiet();
  assert.ok(performance.now() - begin < 10_000, 'well before the grace of 15 s');
});

test('releasing a lock stops the job under it, and its client says who did', async () => {
  const run = await ready('-k', 'x');
  await lab.expect(['sem', '-signal', 'board', '-f'], { exit: 0, stdout: '' });
  assert.deepEqual(
    (await lastOutcome()).filter((line) => line !== 'end'),
    ['start', 'off'],
  );
  const { code, stdout, stderr } = await run.ended;
  assert.deepEqual([code, stdout], [1, `${start}ready\n`]);
  assert.match(stderr, new RegExp(me.name));
});

const reserved =
  'This is a reservation. You now own board and\ncan do what you want. Press ctrl+d or enter here when done\n';

test('-r on a pool names the board', async () => {
  const run = lab.mq(['run', '-s', 'both', '-r'], { stdin: 'open' });
  await run.printed(reserved);
  run.endInput();
  assert.equal((await run.ended).code, 0);
});

test('-r with a signal: released, exit 1', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const run = lab.mq(['run', '-s', 'board', '-r'], { stdin: 'open' });
    await run.printed('when done\n');
    run.kill(signal);
    assert.equal((await run.ended).code, 1, signal);
    assert.equal(await lab.holder('board'), 'board FREE', signal);
  }
});

test('-n -r: the reservation ends, the lock stays', async () => {
  await lab.expect(['sem', '-wait', 'board', '-k', 'x'], { exit: 0, stdout: '' });
  const run = lab.mq(['run', '-s', 'board', '-r', '-n', '-k', 'x'], { stdin: 'open' });
  await run.printed('when done\n');
  run.endInput();
  assert.equal((await run.ended).code, 0);
  assert.equal(await lab.holder('board'), `board LOCKED ${me.name} x`);
  await lab.expect(['sem', '-signal', 'board', '-k', 'x'], { exit: 0, stdout: '' });
});
