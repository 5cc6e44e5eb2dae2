// Locks that change hands: `mq give` and `mq steal` against a real server, and what the old holder hears of it.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import { me, nobody, noOtherUsers } from './harness/users.ts';

const pc = { machine: { driver: 'v86' } };
const lab = await Lab.start({ after }, { boards: { one: { ...pc, aliases: ['uno'] }, two: pc } });
const quiet = { exit: 0, stdout: '' };

afterEach(async () => {
  await lab.run(['unlock', 'one,two', '--force']);
  await lab.untilQuiet();
});

async function refused(words: string[], exit: number, stderr: RegExp): Promise<void> {
  const ended = await lab.run(words);
  assert.deepEqual([ended.code, ended.stdout], [exit, ''], ended.stderr);
  assert.match(ended.stderr, stderr);
}

test('give makes another the holder, past whoever waits, and the old holder can do nothing with it any more', async () => {
  await lab.expect(['lock', 'one', '--key', 'k', '--note', 'mine'], { exit: 0, stdout: 'one\n' });
  const waiting = lab.mq(['lock', 'one', '--key', 'w']);
  await lab.untilWaiting('w');
  await lab.expect(['give', 'uno', '--to', 'zoe', '--key', 'k', '--new-key', 'hers'], quiet);
  assert.equal(await lab.holder('one'), 'one LOCKED zoe hers');
  await refused(['extend', 'one', '--key', 'hers', '--hold', '5m'], 2, /You do not hold one/);
  await refused(['unlock', 'one', '--key', 'k'], 2, /one is not yours/);
  assert.equal(waiting.hasEnded, false);
  await lab.expect(['unlock', 'one', '--force'], quiet);
  assert.equal((await waiting.ended).code, 0);
});

test('give with the wrong key, of a free board, to nobody or to a name that is none is refused', async () => {
  await lab.expect(['lock', 'one', '--key', 'k'], { exit: 0, stdout: 'one\n' });
  await refused(['give', 'one', '--to', 'zoe'], 2, /another key/);
  await refused(['give', 'two', '--to', 'zoe'], 2, /You do not hold two/);
  await refused(['give', 'one', '--key', 'k'], 2, /To whom\?/);
  await refused(['give', 'one', '--key', 'k', '--to', 'z\u001b[2J e'], 2, /user/);
  await refused(['give', 'nosuch', '--to', 'zoe'], 1, /no board or pool 'nosuch'/);
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name} k`);
});

test('steal takes over, with a new token and the note for others to see', {
  skip: noOtherUsers,
}, async () => {
  const locked = await lab.run(['lock', 'one', '--note', 'theirs', '--json'], { as: nobody });
  const stolen = await lab.run(['steal', 'one', '--key', 'k', '--note', 'demo at noon', '--json']);
  assert.equal(stolen.code, 0, stolen.stderr);
  const { board, user, key, token } = JSON.parse(stolen.stdout);
  assert.deepEqual({ board, user, key }, { board: 'one', user: me.name, key: 'k' });
  assert.notEqual(token, JSON.parse(locked.stdout).token);
  assert.match((await lab.run(['status'])).stdout, /^one +held .*demo at noon/m);
  assert.equal((await lab.run(['unlock', 'one'], { as: nobody })).code, 2);
});

test('a board that is free or on which a job runs is not to be stolen', async () => {
  await refused(['steal', 'one'], 2, /Nobody holds one.*mq lock one/);
  const image = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
  const run = lab.mq(['run', '-s', 'one', '-c', 'never', '-f', image]);
  await run.printed('hang: booted');
  await refused(['steal', 'one'], 1, /Job \d+ runs on one\. Cancel it first/);
  run.kill('SIGINT');
  await run.ended;
});

test('a command that runs under the lock is told at once who has it now, and why', async () => {
  const mq = lab.mq([
    'with',
    'one',
    '--',
    'sh',
    '-c',
    'trap "exit 0" TERM; echo go; while :; do sleep 0.05; done',
  ]);
  await mq.printed('go');
  await lab.expect(['steal', 'one', '--key', 'k', '--note', 'fire\u001b[2J drill'], quiet);
  await mq.printed(`mq: the lock of one was lost: ${me.name} took it over: fire\\e[2J drill.`, 'stderr');
  mq.kill('SIGTERM');
  assert.equal((await mq.ended).code, 2);
  assert.equal(await lab.holder('one'), `one LOCKED ${me.name} k`);
});
