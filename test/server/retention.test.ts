// What goes by age and for want of room, and what never does: over a store in memory and real files, with a clock of
// the test's own.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { measureFolder } from '../../src/platform/disk-space.ts';
import { defaultLimits, defaultRetention, type Retention as Rules } from '../../src/protocol/lab.ts';
import { Consoles } from '../../src/server/consoles.ts';
import { Images } from '../../src/server/images.ts';
import { type DiskUse, Retention } from '../../src/server/retention.ts';
import { CollectingLogger } from '../../src/testing/collecting-logger.ts';
import { MemoryStore } from '../../src/testing/memory-store.ts';
import { commit, endedJob, jobRecord, put } from '../../src/testing/store-records.ts';

const dayMs = 24 * 60 * 60 * 1000;
const blockBytes = 4096;

/** A console of one byte: its folder, its bytes, its times. */
const logBytes = 3 * blockBytes;

class StubbornStore extends MemoryStore {
  refusals = 0;

  override async dropLogs(jobs: readonly number[], wallAt: number): Promise<void> {
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new Error('database or disk is full');
    }
    return super.dropLogs(jobs, wallAt);
  }
}

class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'retention-'));
  readonly store = new StubbornStore();
  readonly logger = new CollectingLogger();
  readonly needed = new Set<string>();
  readonly consoles = new Consoles(join(this.folder, 'consoles'), () => defaultLimits);
  readonly images = new Images(join(this.folder, 'images'), defaultLimits, () => this.wallMs);
  rules: Rules = { ...defaultRetention };
  wallMs = 1_000 * dayMs;
  retention = this.next();

  constructor(t: TestContext) {
    this.images.protect(async () => this.needed);
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** As the next start of a server has it. */
  next(): Retention {
    return new Retention({
      store: this.store,
      consoles: this.consoles,
      images: this.images,
      stateFolder: this.folder,
      measuredApart: ['consoles', 'images'],
      rules: () => this.rules,
      wallMs: () => this.wallMs,
      logger: this.logger,
    });
  }

  /** A job that ended so many days ago, with a console of one byte. */
  async addJob(id: number, daysAgo: number): Promise<void> {
    await commit(this.store, [
      put('job', id, { ...endedJob(id), endedWallAt: this.wallMs - daysAgo * dayMs }),
    ]);
    await this.say(id);
    await this.consoles.finish(id);
  }

  async say(id: number): Promise<void> {
    await this.consoles.append(id, { offset: 0, bytes: Buffer.from('x'), atMs: 0 });
    await this.consoles.settle(id);
  }

  /** Images that were last used so many days ago, each of one block; their names. */
  async addImages(daysAgo: readonly number[]): Promise<string[]> {
    mkdirSync(join(this.folder, 'images'), { recursive: true });
    const names = daysAgo.map((days, index) => `${index}${'0'.repeat(60)}${days % 100}`.slice(0, 64));
    for (const [index, name] of names.entries()) {
      const path = join(this.folder, 'images', name);
      writeFileSync(path, 'image');
      const usedAt = (this.wallMs - (daysAgo[index] ?? 0) * dayMs) / 1000;
      utimesSync(path, usedAt, usedAt);
    }
    await this.images.start();
    return names;
  }

  consoleNames(): string[] {
    const path = join(this.folder, 'consoles');
    return existsSync(path) ? readdirSync(path).sort() : [];
  }

  imageNames(): string[] {
    return readdirSync(join(this.folder, 'images')).sort();
  }

  async goneAt(id: number): Promise<number | undefined> {
    return (await this.store.findJob(id))?.logGoneWallAt;
  }

  warnings(): string[] {
    return this.logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }
}

test('a console goes 30 days after its job has ended, and its row says when; a younger one stays', async (t) => {
  const place = new Place(t);
  await place.addJob(1, 31);
  await place.addJob(2, 29);
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['2']);
  assert.equal(await place.goneAt(1), place.wallMs);
  assert.equal(await place.goneAt(2), undefined);
  place.wallMs += 1.5 * dayMs;
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), []);
  assert.deepEqual(place.warnings(), []);
});

test('a console goes with its job where jobs are kept for less, and the row only behind it', async (t) => {
  const place = new Place(t);
  place.rules = { ...place.rules, jobSeconds: 10 * 24 * 60 * 60 };
  await place.addJob(1, 11);
  await place.addJob(2, 9);
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['2']);
  assert.equal(await place.store.findJob(1), undefined);
  assert.equal((await place.store.findJob(2))?.id, 2);
});

test('nothing of a live job goes, however old it is and however full the disk', async (t) => {
  const place = new Place(t);
  place.rules = { ...place.rules, diskBytesMax: 1 };
  await commit(place.store, [put('job', 1, jobRecord(1))]);
  await place.say(1);
  place.wallMs += 1_000 * dayMs;
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['1']);
  await place.consoles.finish(1);
});

test('where the store refuses, the files are gone all the same, and the row says so with the next pass', async (t) => {
  const place = new Place(t);
  await place.addJob(1, 31);
  place.store.refusals = 1;
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), []);
  assert.equal(await place.goneAt(1), undefined);
  assert.deepEqual(place.warnings(), ['what is old was not removed']);
  await place.retention.pass();
  assert.equal(await place.goneAt(1), place.wallMs);
});

test('the first pass of a start removes consoles without a job and halves of removed ones, and no others', async (t) => {
  const place = new Place(t);
  await place.addJob(1, 1);
  await place.addJob(2, 1);
  await place.store.dropLogs([2], 5);
  await commit(place.store, [put('job', 3, jobRecord(3))]);
  await place.say(3);
  for (const name of ['77', '78.gone', 'notes']) mkdirSync(join(place.folder, 'consoles', name));
  await place.next().pass();
  assert.deepEqual(place.consoleNames(), ['1', '3', 'notes']);
  await place.consoles.finish(3);
});

test('an image goes 30 days after its last use; not one that a ticket or job names', async (t) => {
  const place = new Place(t);
  const [old, needed, young] = await place.addImages([31, 31, 29]);
  place.needed.add(needed ?? '');
  await place.retention.pass();
  assert.deepEqual(place.imageNames(), [needed, young].sort());
  assert.equal(await place.images.sizeOf(old ?? ''), undefined);
  assert.equal(await place.images.sizeOf(needed ?? ''), 5);
});

test('an image that somebody has just asked for stays though the disk is full: a job may follow', async (t) => {
  const place = new Place(t);
  const [asked, other] = await place.addImages([20, 19]);
  place.rules = { ...place.rules, diskBytesMax: 1 };
  assert.deepEqual(await place.images.missing([asked ?? '']), []);
  await place.retention.pass();
  assert.deepEqual(place.imageNames(), [asked]);
  assert.deepEqual(await place.images.missing([asked ?? '', other ?? '']), [other]);
  place.wallMs += 11 * 60 * 1000;
  await place.retention.pass();
  assert.deepEqual(place.imageNames(), []);
});

test('past disk_max the oldest go first, consoles and images alike, until the rest fits and no further', async (t) => {
  const place = new Place(t);
  for (const [id, daysAgo] of [
    [1, 20],
    [2, 10],
    [3, 15],
    [4, 5],
  ] as const) {
    await place.addJob(id, daysAgo);
  }
  const [older, younger] = await place.addImages([12, 7]);
  const use = await settledUse(place);
  // Three more than fit: jobs 1 and 3, then the image of 12 days.
  place.rules = { ...place.rules, diskBytesMax: use.totalBytes - 2 * logBytes - 1 };
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['2', '4']);
  assert.deepEqual(place.imageNames(), [younger]);
  assert.equal(await place.images.sizeOf(older ?? ''), undefined);
  assert.equal(await place.goneAt(1), place.wallMs);
  assert.equal(await place.goneAt(2), undefined);
});

test('at disk_max nothing goes, and one byte above it the oldest only', async (t) => {
  const place = new Place(t);
  for (const id of [1, 2, 3]) await place.addJob(id, 10 - id);
  const { totalBytes } = await settledUse(place);
  place.rules = { ...place.rules, diskBytesMax: totalBytes };
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['1', '2', '3']);
  place.rules = { ...place.rules, diskBytesMax: totalBytes - 1 };
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['2', '3']);
});

test('a console that is still open stays, whether its job has ended or nobody knows it', async (t) => {
  const place = new Place(t);
  await place.addJob(1, 31);
  await place.consoles.open(1);
  await place.say(2);
  place.rules = { ...place.rules, diskBytesMax: 1 };
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['1', '2']);
  await place.consoles.finish(1);
  await place.consoles.finish(2);
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['2'], 'the next start looks for those that nobody knows');
});

test('a console whose job ended a moment ago stays though the disk is full: its client still reads', async (t) => {
  const place = new Place(t);
  place.rules = { ...place.rules, diskBytesMax: 1 };
  await place.addJob(1, 0);
  place.wallMs += 9 * 60 * 1000;
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), ['1']);
  place.wallMs += 2 * 60 * 1000;
  await place.retention.pass();
  assert.deepEqual(place.consoleNames(), []);
});

test('a disk that is nearly full is said once, and again only after it was not', async (t) => {
  const place = new Place(t);
  await place.addJob(1, 1);
  const use = await settledUse(place);
  const said = () => place.warnings().filter((message) => message.includes('disk_max')).length;
  place.rules = { ...place.rules, diskBytesMax: Math.ceil(use.totalBytes / 0.89) };
  await place.retention.pass();
  assert.equal(said(), 0);
  place.rules = { ...place.rules, diskBytesMax: Math.floor(use.totalBytes / 0.9) };
  await place.retention.pass();
  await place.retention.pass();
  assert.equal(said(), 1);
  place.rules = { ...place.rules, diskBytesMax: use.totalBytes * 2 };
  await place.retention.pass();
  place.rules = { ...place.rules, diskBytesMax: use.totalBytes };
  await place.retention.pass();
  assert.equal(said(), 2);
});

test('what is taken is known without a look at the disk, and right after much has come and gone', async (t) => {
  const place = new Place(t);
  assert.equal(new Place(t).retention.diskUse, undefined);
  await place.addImages([1, 40, 3]);
  writeFileSync(join(place.folder, 'mq.db'), Buffer.alloc(10_000));
  await place.retention.pass();
  for (let id = 1; id <= 9; id += 1) await place.addJob(id, id % 3 === 0 ? 40 : 1);
  await place.retention.pass();
  const use = useOf(place);
  const measure = (name: string) => measureFolder(join(place.folder, name));
  // Of the folder itself one block.
  assert.equal(use.logBytes, (await measure('consoles')) - blockBytes);
  assert.equal(use.imageBytes, (await measure('images')) - blockBytes);
  assert.equal(use.otherBytes, blockBytes + 3 * blockBytes);
  assert.equal(use.totalBytes, (await measureFolder(place.folder)) - 2 * blockBytes);
  const other = new Place(t);
  await other.retention.pass();
  assert.equal(other.retention.diskUse?.logBytes, 0);
});

test('a server that leaves waits for the piece under way, not for the pass', async (t) => {
  const place = new Place(t);
  for (let id = 1; id <= 120; id += 1) await place.addJob(id, 31);
  place.retention.start();
  await place.retention.stop();
  assert.ok(place.consoleNames().length > 60);
  await place.retention.pass();
  assert.ok(place.consoleNames().length > 60, 'it is over');
});

async function settledUse(place: Place): Promise<DiskUse> {
  await place.retention.pass();
  return useOf(place);
}

function useOf({ retention }: Place): DiskUse {
  const use = retention.diskUse;
  assert.ok(use);
  return use;
}
