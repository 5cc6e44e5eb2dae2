// The old scripts' lines about locks, byte for byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  acquiringLines,
  alreadyYoursLine,
  attemptLines,
  failedLine,
  infoLine,
  lockAcquiredLine,
  lockTime,
  memberLines,
  mrInfoLine,
  releaseLine,
  roundDoneLines,
  slotRefusedLines,
  unknownTargetLines,
} from '../../src/cli/legacy/lock-lines.ts';
import type { LockView } from '../../src/protocol/schema.ts';

const sinceAt = new Date(2026, 10, 24, 21, 2, 3, 197).getTime();
const time = lockTime(sinceAt);
const lock: LockView = { board: 'sabre', token: '1.1', user: 'ana', key: '0', state: 'held', sinceAt };
const keyed: LockView = { ...lock, key: "ci/a b-1'x'", holdSeconds: 1800 };
const pool = { kind: 'pool', target: 'sabre_pool' } as const;
const board = { kind: 'board', target: 'sabre' } as const;
const members = [{ board: 'sabre', lock }, { board: 'sabre2' }];

/** Runs in a process-wide time zone; node reads TZ at each change. */
function inZone<T>(zone: string, work: () => T): T {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    return work();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

test('a time has nanoseconds and the offset of the local zone', () => {
  const at = Date.UTC(2026, 10, 24, 21, 2, 3, 197);
  assert.equal(
    inZone('UTC', () => lockTime(at)),
    '2026-11-24 21:02:03.197000000 +0000',
  );
  assert.equal(
    inZone('Australia/Adelaide', () => lockTime(at)),
    '2026-11-25 07:32:03.197000000 +1030',
  );
  assert.equal(
    inZone('America/St_Johns', () => lockTime(at)),
    '2026-11-24 17:32:03.197000000 -0330',
  );
});

test('a fraction of a millisecond fills the digits behind it', () => {
  assert.match(lockTime(1000.25), /\.000250000 /);
  assert.match(lockTime(1999.9999), /\.9999\d{5} /);
});

test('-info says free, or who has it since when, its time-out and a key that is not 0', () => {
  assert.equal(infoLine('sabre', undefined), 'Lock for sabre currently free');
  assert.equal(infoLine('sabre', lock), `Lock for sabre held by ana since ${time}, timeout 0`);
  assert.equal(
    infoLine('sabre', keyed),
    `Lock for sabre held by ana since ${time}, timeout 1800 with key 'ci/a b-1'x''`,
  );
});

test('-mr-info has the same for programs', () => {
  assert.equal(mrInfoLine('sabre', undefined), 'sabre FREE');
  assert.equal(mrInfoLine('sabre', lock), `sabre LOCKED ana ${time}`);
  assert.equal(mrInfoLine('sabre', keyed), `sabre LOCKED ana ${time} ci/a b-1'x'`);
});

test('a key with control characters can not forge a line or move the cursor', () => {
  const hostile = { ...lock, key: 'x\nsabre2 FREE\u001b[2J\u202e' };
  assert.equal(mrInfoLine('sabre', hostile), `sabre LOCKED ana ${time} x\\nsabre2 FREE\\e[2J\\u202e`);
  assert.ok(!infoLine('sabre', { ...hostile, user: 'a\nb' }).includes('\n'));
});

test('a board keeps the name it was asked for by, members of a pool have their own', () => {
  assert.deepEqual(memberLines({ kind: 'board', target: 'old' }, [{ board: 'sabre' }], mrInfoLine), [
    'old FREE',
  ]);
  assert.deepEqual(memberLines(pool, members, mrInfoLine), [`sabre LOCKED ana ${time}`, 'sabre2 FREE']);
});

test('sem -wait names the members of a pool that were looked at, and nothing of a board', () => {
  assert.deepEqual(attemptLines(pool, members), [
    'Attempting system sabre in pool sabre_pool',
    'Attempting system sabre2 in pool sabre_pool',
  ]);
  assert.deepEqual(attemptLines(board, members), []);
});

test('a round without a free member names its last one', () => {
  assert.deepEqual(roundDoneLines(pool, members), ['Done attempting system sabre2 in pool sabre_pool']);
  assert.deepEqual(roundDoneLines(board, members), []);
  assert.deepEqual(roundDoneLines(pool, []), []);
});

test('run begins with the three lines that clients look for', () => {
  assert.deepEqual(
    [...acquiringLines(board, [{ board: 'sabre' }]), lockAcquiredLine],
    ['Acquiring lock for sabre', 'Lock for sabre currently free', 'Lock acquired, we are allowed to run'],
  );
  assert.deepEqual(acquiringLines({ kind: 'board', target: 'old' }, [{ board: 'sabre' }]), [
    'Acquiring lock for old',
    'Lock for old currently free',
  ]);
  assert.deepEqual(acquiringLines(pool, members), [
    'Attempting system sabre in pool sabre_pool',
    'Acquiring lock for sabre',
    `Lock for sabre held by ana since ${time}, timeout 0`,
    'Attempting system sabre2 in pool sabre_pool',
    'Acquiring lock for sabre2',
    'Lock for sabre2 currently free',
  ]);
});

test('a lock that was not had is told for a board and for a pool', () => {
  assert.equal(failedLine(board), 'Failed to acquire lock for system (sabre)');
  assert.equal(failedLine(pool), 'Failed to acquire lock for any system in pool (sabre_pool)');
});

test('a lock that is the caller’s already is told without a key and with one', () => {
  assert.equal(alreadyYoursLine('0'), 'Attempting to grab lock you already own. Please explicitly release');
  assert.equal(
    alreadyYoursLine('k'),
    'Attempting to grab lock you already own with the same key. Please explicitly release',
  );
});

test('-signal says why it did not release, and nothing where it did', () => {
  assert.equal(releaseLine('sabre', 'not-held'), 'Attempting to unlock system sabre that you do not hold');
  assert.equal(releaseLine('sabre', 'wrong-key'), 'Attempting to unlock system sabre with the wrong key!');
  assert.equal(releaseLine('sabre', 'released'), undefined);
  assert.equal(releaseLine('sabre', 'ending'), undefined);
});

test('run -n says whether the lock is somebody else’s or has another key', () => {
  assert.deepEqual(slotRefusedLines('sabre', lock, 'ben'), [
    "Failed to run because you said you own the lock (-n flag), but you don't!",
    `Lock for sabre held by ana since ${time}, timeout 0`,
    'Failed to acquire lock for system (sabre)',
  ]);
  assert.deepEqual(slotRefusedLines('sabre', undefined, 'ana')[1], 'Lock for sabre currently free');
  assert.deepEqual(slotRefusedLines('sabre', lock, 'ana'), [
    'Failed to run because you said you own the lock (-n flag), but you gave the wrong key!',
    'Failed to acquire lock for system (sabre)',
  ]);
});

test('an unknown name is answered with all that are known', () => {
  assert.deepEqual(unknownTargetLines('sbare', { boards: ['sabre', 'pc1'], pools: ['p', 'q'] }), [
    "System or pool 'sbare' does not exist. Valid systems are",
    'sabre',
    'pc1',
    'Valid pools are',
    'p q',
  ]);
});
