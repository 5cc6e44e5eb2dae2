// What is special to the SQLite store: its file in every bad state, a full disk, a second process, kill -9.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { entryUrl } from '../../src/platform/entry-url.ts';
import { migrations } from '../../src/store/sqlite/migrations.ts';
import { openDatabase } from '../../src/store/sqlite/open.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { countStored, numberedBatch } from './batches.ts';

function newPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'mq.db');
}

const openStore = (path: string) => openSqliteStore({ path, threadUrl: entryUrl('store/sqlite/thread.ts') });

async function fill(path: string, batches: number): Promise<void> {
  const store = await openStore(path);
  for (let number = 1; number <= batches; number += 1) {
    assert.equal((await store.commit(numberedBatch(number, 2_000))).kind, 'committed');
  }
  await store.close();
}

function versionOf(path: string): unknown {
  const db = new DatabaseSync(path);
  try {
    return Object.values(db.prepare('PRAGMA user_version').get() ?? {})[0];
  } finally {
    db.close();
  }
}

const scriptPath = (name: string) => fileURLToPath(new URL(name, import.meta.url));

test('a database of an older schema is brought up to date, with a whole copy of it as it was', async (t) => {
  const path = newPath(t);
  await fill(path, 3);
  const steps = [
    ...migrations,
    'ALTER TABLE board ADD COLUMN colour TEXT',
    'CREATE TABLE extra (one INTEGER) STRICT',
  ];
  // What a copy that was cut short left behind.
  writeFileSync(`${path}.before-${migrations.length + 1}.unfinished`, 'half');
  openDatabase(path, steps).close();
  assert.equal(versionOf(path), migrations.length + 2);
  const copy = `${path}.before-${migrations.length + 1}`;
  assert.equal(versionOf(copy), migrations.length);
  const store = await openStore(copy);
  assert.equal(await countStored(store), 3);
  await store.close();
  assert.ok(!existsSync(`${copy}.unfinished`));
});

test('jobs of the first schema keep their consoles, in the order in which they ended', async (t) => {
  const path = newPath(t);
  const old = openDatabase(path, migrations.slice(0, 1));
  const insert = old.prepare('INSERT INTO job (id, live, board, user, body) VALUES (?, ?, ?, ?, ?)');
  for (const [id, endedWallAt] of [
    [1, 30],
    [2, 20],
    [3, undefined],
  ] as const) {
    insert.run(id, endedWallAt === undefined ? 1 : 0, 'a', 'ada', JSON.stringify({ id, endedWallAt }));
  }
  old.close();
  const store = await openStore(path);
  t.after(() => store.close());
  assert.deepEqual(await store.listLogs({ endedBefore: 1_000, limit: 10 }), [
    { job: 2, endedWallAt: 20 },
    { job: 1, endedWallAt: 30 },
  ]);
  assert.deepEqual((await store.findLogs([1, 2, 3])).sort(), [1, 2, 3]);
});

test('a copy from an earlier time does not stand for the one to be made now', async (t) => {
  const path = newPath(t);
  await fill(path, 2);
  const copy = `${path}.before-${migrations.length + 1}`;
  writeFileSync(copy, 'from last year');
  openDatabase(path, [...migrations, 'CREATE TABLE extra (one INTEGER) STRICT']).close();
  assert.equal(versionOf(copy), migrations.length);
});

test('a migration that fails leaves the database as it was', async (t) => {
  const path = newPath(t);
  await fill(path, 2);
  assert.throws(() => openDatabase(path, [...migrations, 'CREATE TABLE extra (one INTEGER); NONSENSE']), {
    code: 'STORE_UNUSABLE',
  });
  const store = await openStore(path);
  assert.equal(await countStored(store), 2);
  await store.close();
});

test('a database of a newer schema is refused, with what to do, and left alone', async (t) => {
  const path = newPath(t);
  openDatabase(path, [...migrations, 'CREATE TABLE extra (one INTEGER) STRICT']).close();
  const before = readFileSync(path);
  await assert.rejects(openStore(path), {
    code: 'STORE_NEWER',
    message: new RegExp(`schema ${migrations.length + 1}.*before-${migrations.length + 1}`),
  });
  assert.ok(readFileSync(path).equals(before));
});

test('a database of another program is refused and not written to, whatever its version', async (t) => {
  for (const pragma of ['', 'PRAGMA user_version = 1', 'PRAGMA application_id = 7']) {
    const path = newPath(t);
    const db = new DatabaseSync(path);
    db.exec(`CREATE TABLE theirs (one INTEGER); ${pragma}`);
    db.close();
    const before = readFileSync(path);
    await assert.rejects(openStore(path), { code: 'STORE_UNUSABLE', message: /some other program/ });
    assert.ok(readFileSync(path).equals(before), pragma);
  }
});

test('a file that is no database is refused and left alone; an empty one is a new store', async (t) => {
  const path = newPath(t);
  const noise = Buffer.from(Array.from({ length: 9_000 }, (_, at) => (at * 7919) % 251));
  writeFileSync(path, noise);
  await assert.rejects(openStore(path), { code: 'STORE_DAMAGED', message: /is damaged.*Restore a copy/ });
  assert.ok(readFileSync(path).equals(noise));
  writeFileSync(path, '');
  await fill(path, 1);
});

test('a damaged page is found at the start', async (t) => {
  const path = newPath(t);
  await fill(path, 40);
  const pages = Math.floor(statSync(path).size / 4096);
  let found = 0;
  for (let page = 1; page < pages; page += 5) {
    const copy = `${path}-${page}`;
    writeFileSync(copy, readFileSync(path));
    const file = openSync(copy, 'r+');
    writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    closeSync(file);
    const store = await openStore(copy).catch((error: { code: string }) => error);
    if ('code' in store) {
      assert.equal(store.code, 'STORE_DAMAGED');
      found += 1;
    } else await store.close();
  }
  // Pages of nothing but one long text have no structure to check.
  assert.ok(found >= 5, `${found} of ${pages} pages`);
});

test('a folder that does not exist is an error that names the path', async (t) => {
  const path = `${newPath(t)}-folder/mq.db`;
  await assert.rejects(openStore(path), { code: 'STORE_UNUSABLE', message: /mq\.db can't be opened/ });
});

test('a second process is refused while one has the store, and not after it was killed', {
  timeout: 60_000,
}, async (t) => {
  const path = newPath(t);
  const child = spawn(process.execPath, [scriptPath('sqlite-scribe.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  assert.equal(child.exitCode, null);
  await assert.rejects(openStore(path), { code: 'STORE_IN_USE', message: /another mq server/ });
  child.stdout.resume();
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  const store = await openStore(path);
  await assert.rejects(openStore(path), { code: 'STORE_IN_USE' });
  assert.ok((await countStored(store)) > 0);
  await store.close();
});

test('kill -9 at any moment: every acknowledged batch is there, and nothing half', {
  timeout: 120_000,
}, async (t) => {
  const path = newPath(t);
  for (let round = 0; round < 8; round += 1) {
    const acknowledged = await commitUntilKilled(t, path, randomInt(1, 60));
    const store = await openStore(path);
    const stored = await countStored(store);
    assert.ok(stored === acknowledged || stored === acknowledged + 1, `${stored} of ${acknowledged}`);
    await store.close();
  }
});

/** Runs the scribe for some batches, kills it within the next one, and returns the last number it printed. */
async function commitUntilKilled(t: TestContext, path: string, batches: number): Promise<number> {
  const child = spawn(process.execPath, [scriptPath('sqlite-scribe.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface(child.stdout);
  let count = 0;
  let last = 0;
  lines.on('line', (line) => {
    last = Number(line);
    count += 1;
    if (count === batches) setTimeout(() => child.kill('SIGKILL'), randomInt(0, 4));
  });
  await once(lines, 'close');
  assert.ok(count >= batches, 'the scribe ended only because it was killed');
  return last;
}

test('a full disk refuses the batch whole, and the store goes on when there is room', {
  timeout: 60_000,
}, (t) => {
  const disk = `${newPath(t)}-disk`;
  mkdirSync(disk);
  // The small disk is mounted for these processes only, and goes with them.
  const script = 'mount -t tmpfs -o size=2m none "$1" || exit 99; exec "$2" "$3" "$1"';
  const arguments_ = ['sh', '-c', script, 'sh', disk, process.execPath, scriptPath('sqlite-disk-full.ts')];
  const mayMount = process.geteuid?.() === 0 ? ['-m'] : ['-rm'];
  const run = spawnSync('unshare', [...mayMount, ...arguments_], { encoding: 'utf8' });
  if (run.error !== undefined || run.status === 99 || run.stderr.startsWith('unshare:')) {
    t.skip(`a small disk cannot be mounted here: ${run.error?.message ?? run.stderr}; run this test as root`);
    return;
  }
  assert.equal(run.status, 0, run.stderr);
});

test('a batch that can not be stored as it is, is rejected; one whose thread has ended is unknown', async (t) => {
  const store = await openStore(newPath(t));
  const batch = numberedBatch(1);
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const bad = { ...batch, changes: batch.changes.map((change) => ({ ...change, after: cyclic })) };
  assert.equal((await store.commit(bad as never)).kind, 'rejected');
  assert.equal((await store.commit({ ...batch, wallAt: undefined } as never)).kind, 'rejected');
  assert.equal(await countStored(store), 0);
  assert.equal((await store.commit(batch)).kind, 'committed');
  await store.close();
  assert.equal((await store.commit(numberedBatch(2))).kind, 'unknown');
  await assert.rejects(store.load());
});

test('old answers and tickets go piece by piece, and each piece says whether more may be left', async (t) => {
  const store = await openStore(newPath(t));
  t.after(() => store.close());
  for (let number = 1; number <= 700; number += 1) await store.commit(numberedBatch(number));
  const before = { answersAt: 651, ticketsAt: 651, jobsAt: 0, auditAt: 0 };
  assert.equal(await store.prune(before), true);
  assert.equal((await store.findTicket(501))?.id, 501, 'one piece is 500 rows');
  assert.equal(await store.prune(before), false);
  assert.equal(await store.findTicket(650), undefined);
  assert.equal(await store.findAnswer('request-650'), undefined);
  assert.equal((await store.findTicket(651))?.id, 651, 'it is new');
  assert.equal((await store.findAnswer('request-651'))?.answer, '651');
});
