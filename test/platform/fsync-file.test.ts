// A file that is replaced as a whole: readers and a kill see the old or the new, nothing between.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { writeFileDurably } from '../../src/platform/fsync-file.ts';

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'durable-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('the content is replaced, for the owner alone, and nothing else is left', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'number');
  writeFileSync(path, 'a longer content than the new one', { mode: 0o644 });
  await writeFileDurably(path, '17');
  assert.equal(readFileSync(path, 'utf8'), '17');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await writeFileDurably(path, Buffer.from('18'), { mode: 0o644 });
  assert.equal(statSync(path).mode & 0o777, 0o644);
  assert.deepEqual(readdirSync(folder), ['number']);
});

test('writes at the same time go one after the other, and the last one stays', async (t) => {
  const path = join(newFolder(t), 'number');
  await Promise.all(['1', '22', '333'].map((content) => writeFileDurably(path, content)));
  assert.equal(readFileSync(path, 'utf8'), '333');
});

test('a write that fails leaves the old content, and the next one works', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'number');
  await writeFileDurably(path, 'old');
  mkdirSync(`${path}.new`);
  writeFileSync(join(`${path}.new`, 'in-the-way'), '');
  await assert.rejects(writeFileDurably(path, 'new'));
  assert.equal(readFileSync(path, 'utf8'), 'old');
  rmSync(`${path}.new`, { recursive: true });
  await writeFileDurably(path, 'new');
  assert.equal(readFileSync(path, 'utf8'), 'new');
});

test('a folder that is missing is an error of the system', async (t) => {
  await assert.rejects(writeFileDurably(join(newFolder(t), 'none', 'number'), '1'), { code: 'ENOENT' });
});

test('kill -9 at any moment leaves a whole content, at least as new as the last answer', {
  timeout: 60_000,
}, async (t) => {
  const path = join(newFolder(t), 'number');
  const url = new URL('../../src/platform/fsync-file.ts', import.meta.url).href;
  const source = `const { writeFileDurably } = await import(${JSON.stringify(url)});
    for (let number = Number(process.argv[1]); ; number += 1) {
      await writeFileDurably(process.argv[2], String(number).repeat(1000));
      process.stdout.write(number + '\\n');
    }`;
  let last = 1000;
  for (let round = 0; round < 5; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', source, String(last + 1), path]);
    t.after(() => child.kill('SIGKILL'));
    const killAt = last + 1 + 3 * round;
    const lines = createInterface(child.stdout);
    lines.on('line', (line) => {
      last = Number(line);
      if (last >= killAt) child.kill('SIGKILL');
    });
    await once(lines, 'close');
    assert.ok(last >= killAt);
    const content = readFileSync(path, 'utf8');
    const number = Number(content.slice(0, 4));
    assert.equal(content, String(number).repeat(1000));
    assert.ok(number === last || number === last + 1);
    last = number;
  }
});
