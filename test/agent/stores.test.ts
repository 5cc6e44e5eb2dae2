// What the agent keeps in small files: the highest tokens, and the children it made.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ChildLedger } from '../../src/agent/child-ledger.ts';
import { TokenStore } from '../../src/agent/token-store.ts';
import { hasProcessTable } from '../../src/platform/process-table.ts';
import { makeFolder } from './lab.ts';

async function folderOf(t: TestContext): Promise<string> {
  const folder = await makeFolder();
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a token counts at once, and is in the file when its write is answered', async (t) => {
  const path = join(await folderOf(t), 'tokens.json');
  const store = new TokenStore(path);
  const raised = store.raise('pc1', '1.10');
  assert.equal(store.highestOf('pc1'), '1.10');
  await raised;
  assert.equal(new TokenStore(path).highestOf('pc1'), '1.10');
  await store.raise('pc1', '1.9');
  assert.equal(new TokenStore(path).highestOf('pc1'), '1.10', 'a lower one changes nothing');
  await store.raise('pc2', '2.0');
  assert.equal(store.highestOfAll(), '2.0', 'the generation comes first');
  assert.equal(new TokenStore(path).highestOf('pc3'), '0.0');
});

test('tokens of many boards at once are all in the file', async (t) => {
  const path = join(await folderOf(t), 'tokens.json');
  const store = new TokenStore(path);
  const boards = Array.from({ length: 200 }, (_, index) => `pc${index}`);
  await Promise.all(
    boards.map(async (board, index) => {
      await store.raise(board, `1.${index + 1}`);
      assert.equal(new TokenStore(path).highestOf(board), `1.${index + 1}`);
    }),
  );
});

test('a token that the disk refused is not taken for stored when it comes again', async (t) => {
  const folder = await folderOf(t);
  const inside = join(folder, 'inside');
  const path = join(inside, 'tokens.json');
  const store = new TokenStore(path);
  await assert.rejects(store.raise('pc1', '1.1'), { code: 'ENOENT' });
  assert.equal(store.highestOf('pc1'), '1.1');
  await assert.rejects(store.raise('pc1', '1.1'), { code: 'ENOENT' });
  await mkdir(inside);
  await store.raise('pc1', '1.1');
  assert.equal(new TokenStore(path).highestOf('pc1'), '1.1');
});

test('a damaged file of tokens is an error that says what to do', async (t) => {
  const path = join(await folderOf(t), 'tokens.json');
  for (const text of ['', '{', '[1]', '{"pc1":"x"}', '{"pc1":1}', 'null']) {
    await writeFile(path, text);
    assert.throws(() => new TokenStore(path), /damaged.*remove the file/, text);
  }
});

const onlyWithTable = {
  skip: hasProcessTable() ? false : 'only Linux has a process table that knows when a process began',
};

test(
  'the next agent reads the children that an earlier one noted, torn lines left out',
  onlyWithTable,
  async (t) => {
    const folder = await folderOf(t);
    const first = new ChildLedger(folder, 'first');
    assert.deepEqual(first.readEarlier(), []);
    first.note(process.pid);
    // There is no such process.
    first.note(2 ** 22 + 1);
    await appendFile(join(folder, 'first'), '{"pid":1,"sta');
    const second = new ChildLedger(folder, 'second');
    assert.deepEqual(
      second.readEarlier().map(({ pid }) => pid),
      [process.pid],
    );
    second.note(process.ppid);
    second.forgetEarlier();
    assert.deepEqual(
      new ChildLedger(folder, 'third').readEarlier().map(({ pid }) => pid),
      [process.ppid],
    );
  },
);

test('the list of children does not grow with those that have ended', onlyWithTable, async (t) => {
  const folder = await folderOf(t);
  const ledger = new ChildLedger(folder, 'mine');
  ledger.note(process.pid);
  const child = spawn('sleep', ['1000']);
  assert.ok(child.pid);
  for (let count = 0; count < 990; count += 1) ledger.note(child.pid);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  for (let count = 0; count < 20; count += 1) ledger.note(process.pid);
  const lines = (await readFile(join(folder, 'mine'), 'utf8')).trim().split('\n');
  assert.ok(lines.length < 40, `${lines.length} lines`);
  assert.ok(lines.every((line) => line.includes(`"pid":${process.pid}`)));
});
