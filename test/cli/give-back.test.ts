// How `mq with` gives its locks back: all of them first, and only then it waits until boards are off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GiveBackContext, giveBackAll } from '../../src/cli/with/give-back.ts';
import type { Client } from '../../src/client/client.ts';
import { MqError } from '../../src/protocol/errors.ts';
import type { LockView } from '../../src/protocol/schema.ts';
import { capturedTerminal } from './captured-terminal.ts';

const locks = ['one', 'two'].map(
  (board): LockView => ({ board, token: '1.2', user: 'ana', key: 'k', state: 'held', sinceAt: 0 }),
);

/** A server in a few lines: what it is asked, and what it says to the release of each board. */
function scripted(release: (board: string) => { outcome: string; token?: string }) {
  const asked: string[] = [];
  const request = async (op: string, body: { target?: string; board?: string }) => {
    asked.push(`${op} ${body.target ?? body.board}`);
    if (op === 'await-free') return { free: true };
    return { outcomes: [{ board: body.target, ...release(body.target ?? '') }] };
  };
  const client = { request, newRequestId: () => 'request-1', close: () => {} } as unknown as Client;
  const { terminal, stderr } = capturedTerminal();
  const context: GiveBackContext = { client, connect: async () => client, terminal };
  return { asked, context, stderr };
}

test('every lock is given back before any board is waited for', async () => {
  const { asked, context } = scripted(() => ({ outcome: 'ending', token: '1.2' }));
  assert.deepEqual(await giveBackAll(locks, context), ['released', 'released']);
  assert.deepEqual(asked, ['release one', 'release two', 'await-free one', 'await-free two']);
});

test('a lock that can not be given back keeps none of the others, and is told', async () => {
  const { asked, context, stderr } = scripted((board) => {
    if (board === 'one') throw new MqError('UNKNOWN_TARGET', "There is no board or pool 'one'.");
    return { outcome: 'released' };
  });
  assert.deepEqual(await giveBackAll(locks, context), ['unknown', 'released']);
  assert.deepEqual(asked, ['release one', 'release two']);
  assert.match(stderr.text, /the lock of one \(1\.2, key k\) was not given back: There is no board/);
});

test('one that was gone before is told as lost', async () => {
  const { context } = scripted((board) => ({ outcome: board === 'one' ? 'not-held' : 'released' }));
  assert.deepEqual(await giveBackAll(locks, context), ['lost', 'released']);
});
