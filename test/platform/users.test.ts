// User names: asked of the real system, and remembered for a bounded time in a bounded table.

import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { test } from 'node:test';
import { PlatformError } from '../../src/platform/platform-error.ts';
import { getGroupId, ownUserName, UserNames } from '../../src/platform/users.ts';

/** A name service that counts its questions and can be taken down. */
function scriptedNames(names: Record<number, string>) {
  const service = {
    asked: [] as number[],
    isDown: false,
    names,
    lookUp: async (uid: number): Promise<string | undefined> => {
      service.asked.push(uid);
      if (service.isDown) throw new PlatformError('NAME_LOOKUP_FAILED', 'down');
      return service.names[uid];
    },
  };
  return service;
}

test('the system names its users', async () => {
  const names = new UserNames();
  assert.equal(await names.findName(0), 'root');
  assert.equal(await names.findName(userInfo().uid), userInfo().username);
});

test('a number without a user has no name', async () => {
  assert.equal(await new UserNames().findName(3_999_999_998), undefined);
});

test('this process knows its own name', () => {
  assert.equal(ownUserName(), userInfo().username);
});

test('groups have numbers', () => {
  assert.equal(getGroupId(process.platform === 'darwin' ? 'wheel' : 'root'), 0);
});

test('a group that does not exist is an error that names it', () => {
  assert.throws(
    () => getGroupId('no-such-group'),
    (error) =>
      error instanceof PlatformError && error.code === 'GROUP_UNKNOWN' && /no-such-group/.test(error.message),
  );
});

test('a name is asked for once while it is fresh, and again when it is old', async () => {
  const service = scriptedNames({ 7: 'ana' });
  let nowMs = 0;
  const names = new UserNames({ ...service, freshMs: 1000, nowMs: () => nowMs });
  assert.equal(names.cachedName(7), undefined);
  assert.deepEqual(await Promise.all([names.findName(7), names.findName(7)]), ['ana', 'ana']);
  nowMs = 999;
  service.names[7] = 'eva';
  assert.equal(await names.findName(7), 'ana');
  assert.equal(names.cachedName(7), 'ana');
  assert.deepEqual(service.asked, [7]);
  nowMs = 1000;
  assert.equal(names.cachedName(7), undefined);
  assert.equal(await names.findName(7), 'eva');
  assert.deepEqual(service.asked, [7, 7]);
});

test('an unknown user is asked for again, so that a new account works at once', async () => {
  const service = scriptedNames({});
  const names = new UserNames(service);
  assert.equal(await names.findName(7), undefined);
  service.names[7] = 'ana';
  assert.equal(await names.findName(7), 'ana');
});

test('the table keeps to its limit by forgetting the oldest', async () => {
  const service = scriptedNames({ 1: 'a', 2: 'b', 3: 'c' });
  const names = new UserNames({ ...service, entriesMax: 2 });
  for (const uid of [1, 2, 3]) await names.findName(uid);
  assert.deepEqual(
    [1, 2, 3].map((uid) => names.cachedName(uid)),
    [undefined, 'b', 'c'],
  );
});

test('an outage does not lock out users that were named before', async () => {
  const service = scriptedNames({ 7: 'ana' });
  let nowMs = 0;
  const names = new UserNames({ ...service, freshMs: 1000, nowMs: () => nowMs });
  await names.findName(7);
  nowMs = 100_000;
  service.isDown = true;
  assert.equal(await names.findName(7), 'ana');
});

test('an outage is an error for a user that was never named, and is over when the service is back', async () => {
  const service = scriptedNames({ 8: 'bo' });
  const names = new UserNames(service);
  service.isDown = true;
  await assert.rejects(names.findName(8), { code: 'NAME_LOOKUP_FAILED' });
  service.isDown = false;
  assert.equal(await names.findName(8), 'bo');
});
