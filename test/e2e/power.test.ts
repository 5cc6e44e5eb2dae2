// `mq power` and `between_holders`, with a real agent and boards whose power is a shell script.
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import { makePartsBoard } from './harness/parts-board.ts';
import { me } from './harness/users.ts';

const lab = await Lab.make({ after });
const [sabre, left] = [await makePartsBoard(lab.folder, 'sabre'), await makePartsBoard(lab.folder, 'left')];
await lab.configure({
  boards: {
    sabre: sabre.settings,
    left: { ...left.settings, between_holders: 'leave' },
    pc: { machine: { driver: 'v86' } },
  },
});
await lab.startServer();
const hang = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
const quiet = { exit: 0, stdout: '' };

afterEach(() => lab.reset());

/** What was done to the board's power since. */
async function since(board: { switched: () => Promise<string[]> }): Promise<() => Promise<string[]>> {
  const before = (await board.switched()).length;
  return async () => (await board.switched()).slice(before);
}

test('the holder switches a board on, asks, and it is off again when the lock has ended', async () => {
  const switched = await since(sabre);
  await lab.run(['lock', 'sabre']);
  await lab.expect(['power', 'sabre', 'on'], quiet);
  await lab.expect(['power', 'sabre', 'status'], { exit: 0, stdout: 'on\n' });
  const { stdout } = await lab.run(['power', 'sabre', 'status', '--json']);
  assert.deepEqual(JSON.parse(stdout), { board: 'sabre', power: 'on', mayBeOn: true });
  assert.match((await lab.run(['status'])).stdout, /^sabre +held.* may be on/m);
  assert.deepEqual(await switched(), ['on']);
  await lab.expect(['unlock', 'sabre'], quiet);
  assert.deepEqual(await switched(), ['on', 'off']);
});

test('a board that is cycled was off, and one that was switched off is not switched off again', async () => {
  const switched = await since(sabre);
  await lab.run(['lock', 'sabre', '--key', 'k']);
  await lab.expect(['power', 'sabre', 'cycle', '--key', 'k'], quiet);
  const { stdout } = await lab.run(['power', 'sabre', 'off', '--key', 'k', '--json']);
  assert.deepEqual(JSON.parse(stdout), { board: 'sabre', mayBeOn: false });
  await lab.expect(['unlock', 'sabre', '--key', 'k'], quiet);
  assert.deepEqual(await switched(), ['off', 'on', 'off']);
});

describe('refused, with what to do, is', () => {
  test('whoever does not hold the board', async () => {
    const switched = await since(sabre);
    const free = await lab.run(['power', 'sabre', 'on']);
    assert.deepEqual([free.code, free.stdout], [2, '']);
    assert.match(free.stderr, /Nobody holds sabre\. Lock it first: mq lock sabre\./);
    await lab.run(['lock', 'sabre', '--key', 'mine']);
    const other = await lab.run(['power', 'sabre', 'off']);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /You hold sabre with the key 'mine': give it by --key/);
    assert.deepEqual(await switched(), []);
  });

  test('a board that only a job switches on; off it goes', async () => {
    await lab.run(['lock', 'pc']);
    const { code, stderr } = await lab.run(['power', 'pc', 'on']);
    assert.equal(code, 1);
    assert.match(stderr, /pc is switched on only by a job/);
    await lab.expect(['power', 'pc', 'off'], quiet);
    await lab.expect(['power', 'pc', 'status'], { exit: 0, stdout: 'unknown\n' });
    await lab.expect(['unlock', 'pc'], quiet);
  });

  test('what makes no sense', async () => {
    const { code, stderr } = await lab.run(['power', 'sabre', 'ofn']);
    assert.equal(code, 2);
    assert.match(stderr, /'ofn' is not on, off, cycle or status\. Did you mean o/);
  });
});

test('power that does not answer is the lab’s fault, in its own words, and the board is broken at the release', async () => {
  const broken = await makePartsBoard(lab.folder, 'broken');
  await lab.configure({
    boards: {
      sabre: sabre.settings,
      left: { ...left.settings, between_holders: 'leave' },
      pc: { machine: { driver: 'v86' } },
      broken: broken.settings,
    },
  });
  assert.equal((await lab.run(['reload'])).code, 0);
  await lab.until('the board is there', ({ boards }) =>
    boards.some(({ board, state }) => board === 'broken' && state === 'free'),
  );
  await lab.run(['lock', 'broken']);
  await broken.breakPower();
  const { code, stderr } = await lab.run(['power', 'broken', 'on']);
  assert.equal(code, 3);
  assert.match(stderr, /The power of broken could not be switched: .*no answer from the outlet/);
  await lab.run(['unlock', 'broken']);
  await lab.until('it is broken', ({ boards }) =>
    boards.some(({ board, state }) => board === 'broken' && state === 'broken'),
  );
});

test('a job of the holder goes on while the board is cycled under it', async () => {
  await lab.run(['lock', 'sabre']);
  const job = lab.mq(['run', 'sabre', hang, '--own-lock', '--until', 'you said .*']);
  await job.printed('sabre boots');
  let cycled = await lab.run(['power', 'sabre', 'cycle']);
  // It boots already when the program that switched it on is about to end.
  while (cycled.stderr.includes('is being started')) cycled = await lab.run(['power', 'sabre', 'cycle']);
  assert.deepEqual([cycled.code, cycled.stderr], [0, '']);
  await job.printed('sabre boots\nsabre boots');
  job.kill('SIGINT');
  await job.ended;
});

describe('a board of between_holders: leave', () => {
  test('stays on for the next holder, and is off when that one has switched it off', async () => {
    const switched = await since(left);
    await lab.run(['lock', 'left', '--key', 'one']);
    await lab.expect(['power', 'left', 'on', '--key', 'one'], quiet);
    await lab.expect(['unlock', 'left', '--key', 'one'], quiet);
    const { boards } = await lab.until('it is free', ({ boards }) =>
      boards.some(({ board, state }) => board === 'left' && state === 'free'),
    );
    assert.equal(boards.find(({ board }) => board === 'left')?.mayBeOn, true);
    await lab.run(['lock', 'left', '--key', 'two']);
    await lab.expect(['power', 'left', 'status', '--key', 'two'], { exit: 0, stdout: 'on\n' });
    await lab.expect(['power', 'left', 'off', '--key', 'two'], quiet);
    await lab.expect(['unlock', 'left', '--key', 'two'], quiet);
    assert.deepEqual(await switched(), ['on', 'off']);
  });

  test('is off after a job, which switches it off itself', async () => {
    const switched = await since(left);
    const { code } = await lab.run(['run', 'left', hang, '--until', 'left boots']);
    assert.deepEqual([code, await switched()], [0, ['off', 'on', 'off']]);
  });
});

test('a server that is killed while a board is switched on switches it off at the release', async () => {
  const switched = await since(sabre);
  await lab.run(['lock', 'sabre']);
  const on = lab.mq(['power', 'sabre', 'cycle']);
  await lab.until('it counts as on', ({ boards }) =>
    boards.some(({ board, mayBeOn }) => board === 'sabre' && mayBeOn === true),
  );
  // And the agent has been told, which comes after: a server that dies in between says so.
  while ((await switched()).length === 0) await lab.holder('sabre');
  await lab.killServer();
  await lab.startServer();
  // Its agent has gone on with it, and says what became of it.
  const { code, stderr } = await on.ended;
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal((await lab.holder('sabre')).includes(me.name), true);
  await lab.expect(['unlock', 'sabre'], quiet);
  assert.deepEqual(await switched(), ['off', 'on', 'off']);
});
