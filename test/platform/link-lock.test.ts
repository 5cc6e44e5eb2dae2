// Lock files by links: one holder, ours known from another's whatever happened meanwhile, and nothing read or removed
// that was not meant.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LinkLock, readPlainFile, replaceFile } from '../../src/platform/link-lock.ts';

interface Place {
  readonly path: string;
  readonly pinPath: string;
  readonly pins: string;
  readonly folder: string;
  readonly lock: LinkLock;
}

function newPlace(t: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), 'link-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const pins = join(folder, 'pins');
  mkdirSync(pins);
  const [path, pinPath] = [join(folder, 'b.lock'), join(pins, 'b.pin')];
  return { path, pinPath, pins, folder, lock: new LinkLock({ path, pinPath }) };
}

/** As somebody else would make it. */
function makeOther({ path }: Place, content = '0'): void {
  writeFileSync(path, content, { flag: 'wx' });
}

test('a lock file is made whole, readable for everybody, and only where there is none', (t) => {
  const place = newPlace(t);
  assert.equal(place.lock.make({ content: '300' }), true);
  assert.equal(readFileSync(place.path, 'utf8'), '300');
  assert.equal(statSync(place.path).mode & 0o777, 0o444);
  const other = new LinkLock({ path: place.path, pinPath: join(place.pins, 'other.pin') });
  assert.equal(other.make({ content: '1' }), false);
  assert.equal(readFileSync(place.path, 'utf8'), '300');
  assert.deepEqual(readdirSync(place.pins), ['b.pin']);
  assert.deepEqual([place.lock.look()?.isOurs, other.look()?.isOurs], [true, false]);
});

test('lockfile(1) is refused where ours is, and ours where its is', (t) => {
  const place = newPlace(t);
  const lockfile = () => spawnSync('lockfile', ['-1', '-r', '0', place.path]);
  if (lockfile().error) return t.skip('there is no lockfile(1); npm run setup:debian');
  assert.equal(place.lock.make({ content: '0' }), false);
  rmSync(place.path);
  assert.equal(place.lock.make({ content: '0' }), true);
  assert.notEqual(lockfile().status, 0);
  place.lock.remove();
  assert.equal(lockfile().status, 0);
});

test('ours is gone and not mistaken for another that took its place at once, nor that one removed', (t) => {
  const place = newPlace(t);
  place.lock.make({ content: '0' });
  const { mtime } = statSync(place.path);
  rmSync(place.path);
  makeOther(place);
  utimesSync(place.path, mtime, mtime);
  assert.equal(place.lock.look()?.isOurs, false);
  place.lock.remove();
  assert.equal(existsSync(place.path), true);
  assert.deepEqual(readdirSync(place.pins), []);
});

test('another’s is removed by its id alone, and has another id when it was made anew', (t) => {
  const place = newPlace(t);
  makeOther(place);
  const first = place.lock.look()?.id ?? '';
  rmSync(place.path);
  // Where an inode's number comes round again only the time of the file's birth differs.
  makeOther(place);
  const second = place.lock.look()?.id ?? '';
  if (first !== second) assert.equal(place.lock.removeOther(first), false);
  assert.equal(existsSync(place.path), true);
  // Its id stays while its owner writes what it holds it for.
  chmodSync(place.path, 0o644);
  writeFileSync(place.path, '77');
  assert.equal(place.lock.look()?.id, second);
  assert.equal(place.lock.removeOther(second), true);
  assert.equal(place.lock.removeOther(second), false);
  assert.deepEqual([existsSync(place.path), readdirSync(place.pins)], [false, []]);
});

test('a kill at any point of a removal or of the making leaves what the next call makes good', (t) => {
  const place = newPlace(t);
  // Killed with ours out of the way.
  place.lock.make({ content: '0' });
  renameSync(place.path, `${place.pinPath}.going`);
  place.lock.remove();
  assert.deepEqual([existsSync(place.path), readdirSync(place.pins)], [false, []]);
  // Killed with another's out of the way, which was not the one that was meant.
  makeOther(place, 'theirs');
  renameSync(place.path, `${place.pinPath}.going`);
  place.lock.recover();
  assert.equal(readFileSync(place.path, 'utf8'), 'theirs');
  assert.deepEqual(readdirSync(place.pins), []);
  rmSync(place.path);
  // Killed before the link, and behind it.
  writeFileSync(place.pinPath, 'torn');
  assert.equal(place.lock.make({ content: '1' }), true);
  assert.equal(place.lock.make({ content: '2' }), true);
  assert.equal(readFileSync(place.path, 'utf8'), '2');
});

test('what ours says is changed in place: it stays the same file, of the same time', (t) => {
  const place = newPlace(t);
  place.lock.make({ content: '86400' });
  utimesSync(place.path, 1_700_000_000, 1_700_000_000.25);
  const before = statSync(place.path);
  place.lock.rewrite({ content: '5' });
  const after = statSync(place.path);
  assert.equal(readFileSync(place.path, 'utf8'), '5');
  assert.deepEqual([after.ino, after.mtimeMs, after.mode], [before.ino, before.mtimeMs, before.mode]);
  assert.equal(place.lock.look()?.isOurs, true);
});

test('a lock file belongs to its holder where we may give files away', {
  skip: process.getuid?.() === 0 ? false : 'only root can give files away; run the tests as root for this',
}, (t) => {
  const place = newPlace(t);
  place.lock.make({ content: '0', uid: 65_534 });
  assert.equal(place.lock.look()?.uid, 65_534);
  place.lock.rewrite({ content: '0', uid: 1 });
  assert.equal(statSync(place.path).uid, 1);
  place.lock.rewrite({ content: '0' });
  assert.equal(statSync(place.path).uid, 0);
});

test('only plain files are read, and only their beginning', (t) => {
  const { folder } = newPlace(t);
  const path = (name: string) => join(folder, name);
  writeFileSync(path('plain'), 'x'.repeat(10_000));
  assert.equal(readPlainFile(path('plain'))?.length, 4096);
  symlinkSync('/etc/passwd', path('link'));
  spawnSync('mkfifo', [path('pipe')]);
  mkdirSync(path('folder'));
  for (const name of ['link', 'pipe', 'folder', 'missing'])
    assert.equal(readPlainFile(path(name)), undefined, name);
  // A link in the place of a file that is replaced goes itself, not what it leads to.
  writeFileSync(path('target'), 'kept');
  symlinkSync(path('target'), path('key'));
  replaceFile(path('key'), path('new'), { content: 'mine' });
  assert.deepEqual(
    [readFileSync(path('key'), 'utf8'), readFileSync(path('target'), 'utf8')],
    ['mine', 'kept'],
  );
});

test('a folder in the place of a lock file is said to be one, and left', (t) => {
  const place = newPlace(t);
  mkdirSync(place.path);
  assert.equal(place.lock.make({ content: '0' }), false);
  const id = place.lock.look()?.id ?? '';
  assert.throws(() => place.lock.removeOther(id), /remove it by hand/);
  assert.equal(statSync(place.path).isDirectory(), true);
});
