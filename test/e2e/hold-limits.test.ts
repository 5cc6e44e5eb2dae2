// How long a lock may last, as the configuration says it, in a real server.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Lab } from './harness/lab.ts';
import { me } from './harness/users.ts';

const machine = { driver: 'v86' };
const quiet = { exit: 0, stdout: '' };
const lab = await Lab.start(
  { after },
  {
    types: { short: { idle_max: '1s', machine } },
    boards: { idle: { type: 'short' }, held: { machine, hold_max: '1s' }, free: { machine } },
  },
);

test('a lock without a job ends after idle_max, and one on a board without it does not', async () => {
  for (const board of ['idle', 'free']) await lab.expect(['sem', '-wait', board], quiet);
  await lab.until('the idle lock has ended', ({ boards }) =>
    boards.some(({ board, state }) => board === 'idle' && state === 'free'),
  );
  assert.equal(await lab.holder('free'), `free LOCKED ${me.name}`);
  await lab.expect(['sem', '-signal', 'free'], quiet);
});

test('a lock past hold_max goes to who waits, and one on a board without it does not', async () => {
  for (const board of ['held', 'free']) await lab.expect(['sem', '-wait', board, '-k', 'first'], quiet);
  await lab.expect(['sem', '-wait', 'held', '-k', 'second', '-w', '1', '-t', '20'], quiet);
  assert.equal(await lab.holder('held'), `held LOCKED ${me.name} second`);
  const refused = await lab.run(['sem', '-wait', 'free', '-k', 'second', '-w', '1', '-t', '1']);
  assert.equal(refused.code, 2);
});
