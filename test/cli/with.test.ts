// What `mq with` makes of its words, of the environment and of how its command ended.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandEnvironment, exitOf, splitCommand } from '../../src/cli/commands/with.ts';
import { exitCode, startFailure } from '../../src/cli/with/command-process.ts';

test('only the first -- parts our words from those of the command', () => {
  const argv = ['pair', '--wait', '1m', '--', 'sh', '-c', 'x', '--', '--key'];
  assert.deepEqual(splitCommand(argv), {
    own: ['pair', '--wait', '1m'],
    words: ['sh', '-c', 'x', '--', '--key'],
  });
  assert.deepEqual(splitCommand(['pair', 'make']), { own: ['pair', 'make'], words: [] });
});

test('the command gets the lock in its environment, and the server that was asked for', () => {
  const lock = { locks: [{ board: 'one', token: '1.2', key: 'k' }], mark: 'm' };
  const found = {
    MQ_BOARD: 'one',
    MQ_LOCK: '1.2',
    MQ_TOKEN: '1.2',
    MQ_KEY: 'k',
    MQ_BOARDS: 'one',
    MQ_TOKENS: '1.2',
    MQ_WITH: 'm',
  };
  const env = { PATH: '/bin', MQ_BOARD: 'old', MQ_SERVER: 'unix:/a', MQ_ARGV0: 'mq' };
  assert.deepEqual(commandEnvironment(env, { ...lock, server: undefined }), {
    PATH: '/bin',
    MQ_SERVER: 'unix:/a',
    ...found,
  });
  assert.deepEqual(commandEnvironment(env, { ...lock, server: 'unix:/b' }), {
    PATH: '/bin',
    MQ_SERVER: 'unix:/b',
    ...found,
  });
});

test('of several locks the command gets all boards and tokens, and the first as its own', () => {
  const locks = [
    { board: 'one', token: '1.2', key: 'k' },
    { board: 'two', token: '1.3', key: 'k' },
  ];
  const env = commandEnvironment({}, { locks, mark: 'm', server: undefined });
  assert.deepEqual([env.MQ_BOARD, env.MQ_BOARDS, env.MQ_TOKENS], ['one', 'one two', '1.2 1.3']);
});

test('the exit code is what a shell would say', () => {
  assert.equal(exitCode(0, null), 0);
  assert.equal(exitCode(255, null), 255);
  assert.equal(exitCode(null, 'SIGKILL'), 137);
  assert.equal(exitCode(null, 'SIGINT'), 130);
  const failure = (code: string) => startFailure('x', Object.assign(new Error('y'), { code })).exit;
  assert.deepEqual([failure('ENOENT'), failure('EACCES'), failure('ENOEXEC')], [127, 126, 126]);
});

test('a success without its board to the end is none, and a failure stays what it was', () => {
  assert.deepEqual([exitOf(0, 'released'), exitOf(0, 'lost'), exitOf(0, 'unknown')], [0, 2, 1]);
  assert.deepEqual([exitOf(7, 'released'), exitOf(7, 'lost'), exitOf(7, 'unknown')], [7, 7, 7]);
});
