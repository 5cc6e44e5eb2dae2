// What `mq lock`, `mq unlock` and `mq extend` make of their options and of the server's answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lockWish, secondsOf, wishOptions } from '../../src/cli/commands/lock-wish.ts';
import { judgeAll, judgeRelease } from '../../src/cli/commands/unlock.ts';
import { parseOptions } from '../../src/cli/options.ts';

const wish = (argv: string[], env: Record<string, string> = {}) =>
  lockWish('lock', parseOptions('lock', argv, wishOptions), { key: '0', env });

test('without options it waits for ever, with the key that is meant, for no end', () => {
  assert.deepEqual(wish([]), { key: '0', members: false });
});

test('each option finds its place in the wish', () => {
  const argv = [
    '--key',
    'k',
    '--wait',
    '10m',
    '--hold=1h30m',
    '--note',
    'n',
    '--set',
    's',
    '--priority',
    'low',
  ];
  const wanted = { key: 'k', waitSeconds: 600, holdSeconds: 5400, note: 'n', set: 's', priority: 'low' };
  assert.deepEqual(wish(argv), { ...wanted, members: false });
  assert.equal(wish(['--no-wait']).waitSeconds, 0);
  assert.equal(wish(['--wait', '0']).waitSeconds, 0);
});

test('the run of a CI is the set, unless one is given', () => {
  assert.equal(wish([], { GITHUB_RUN_ID: '81' }).set, '81');
  assert.equal(wish(['--set', 'mine'], { GITHUB_RUN_ID: '81' }).set, 'mine');
});

test('what is no time, no priority or two things at once is refused', () => {
  for (const argv of [
    ['--wait', '10'],
    ['--wait', ''],
    ['--hold', '-1m'],
    ['--hold', '1m2h'],
    ['--priority', 'urgent'],
    ['--wait', '1m', '--no-wait'],
  ]) {
    assert.throws(() => wish(argv), { code: 'BAD_REQUEST' }, argv.join(' '));
  }
  assert.equal(secondsOf('lock', '--hold', '9999d'), 31_536_000);
});

const outcome = (board: string, outcome: 'released' | 'ending' | 'not-held' | 'wrong-key') => ({
  board,
  outcome,
});
const normal = { force: false };

test('of a pool one board will do, and what was not mine there is not worth a word', () => {
  const some = [outcome('a', 'not-held'), outcome('b', 'released')];
  assert.deepEqual(judgeRelease('pool', some, normal), { exit: 0, problems: [] });
  const none = [outcome('a', 'not-held'), outcome('b', 'not-held')];
  assert.deepEqual(judgeRelease('pool', none, normal), { exit: 2, problems: ['No board of pool is yours.'] });
});

test('a board that was named must be released', () => {
  const some = [outcome('a', 'ending'), outcome('b', 'not-held')];
  assert.deepEqual(judgeRelease('a,b', some, normal), { exit: 2, problems: ['b is not yours.'] });
  const alias = [outcome('a', 'not-held')];
  assert.deepEqual(judgeRelease('alias', alias, normal), { exit: 2, problems: ['a is not yours.'] });
});

test('of several targets each is judged by its own boards, and what is said of a board in two of them is said once', () => {
  const outcomes = [
    { ...outcome('a', 'not-held'), targets: ['a', 'pool'] },
    { ...outcome('b', 'released'), targets: ['pool'] },
  ];
  assert.deepEqual(judgeAll(['pool', 'a'], outcomes, normal), { exit: 2, problems: ['a is not yours.'] });
  assert.deepEqual(judgeAll(['pool'], outcomes, normal), { exit: 0, problems: [] });
  const none = [{ ...outcome('a', 'wrong-key'), targets: ['a', 'pool'] }];
  assert.deepEqual(judgeAll(['pool', 'a'], none, normal).problems, ['a is yours with another key.']);
});

test('another key is always told, and a forced release of a free board is none too bad', () => {
  const mixed = [outcome('a', 'wrong-key'), outcome('b', 'released')];
  assert.deepEqual(judgeRelease('pool', mixed, normal), {
    exit: 0,
    problems: ['a is yours with another key.'],
  });
  assert.deepEqual(judgeRelease('a', [outcome('a', 'not-held')], { force: true }), { exit: 0, problems: [] });
});
