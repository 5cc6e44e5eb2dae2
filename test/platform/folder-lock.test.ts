// One owner of a folder at a time, with real processes and kill -9.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { lockFolder } from '../../src/platform/folder-lock.ts';
import { PlatformError } from '../../src/platform/platform-error.ts';
import { killRival, startRivals } from './rivals.ts';

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function errorOf(action: () => unknown): PlatformError {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error));
    return error;
  }
  assert.fail('it was allowed');
}

test('a folder has one owner, and the second is told who it is', (t) => {
  const folder = newFolder(t);
  const lock = lockFolder(folder);
  const error = errorOf(() => lockFolder(folder));
  assert.equal(error.code, 'FOLDER_LOCKED');
  assert.equal(error.details.pid, process.pid);
  assert.match(error.message, new RegExp(`${folder} is in use by process ${process.pid}`));
  lock.release();
  lockFolder(folder).release();
});

test('a release that is repeated does not take the folder from the next owner', (t) => {
  const folder = newFolder(t);
  const first = lockFolder(folder);
  first.release();
  const second = lockFolder(folder);
  first.release();
  assert.equal(errorOf(() => lockFolder(folder)).code, 'FOLDER_LOCKED');
  second.release();
});

test('a lock file that names a live process locks nothing by itself', (t) => {
  const folder = newFolder(t);
  // As after a crash whose process number came round again.
  writeFileSync(join(folder, 'lock'), `${process.ppid}\n`);
  lockFolder(folder).release();
});

test('of processes that start at once exactly one gets the folder; kill -9 frees it', {
  timeout: 60_000,
}, async (t) => {
  const folder = newFolder(t);
  for (let round = 0; round < 4; round += 1) {
    const rivals = await startRivals(t, 'folder', folder, 4);
    const owners = rivals.filter((rival) => rival.outcome === 'taken');
    const [owner] = owners;
    assert.ok(owner !== undefined && owners.length === 1, rivals.map((rival) => rival.outcome).join(', '));
    const error = errorOf(() => lockFolder(folder));
    assert.deepEqual(error.details, { folder, pid: owner.pid });
    for (const rival of rivals) {
      if (rival !== owner)
        assert.match(rival.outcome, new RegExp(`^FOLDER_LOCKED (${owner.pid}|undefined)$`));
      await killRival(rival);
    }
  }
});

test('a folder that is not there is an error of the system', (t) => {
  assert.throws(() => lockFolder(join(newFolder(t), 'none')), { code: 'ENOENT' });
});
