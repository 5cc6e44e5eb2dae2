// A thread and a child process start from the source tree and from a bundle alike.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { bundle } from '../../scripts/build.ts';
import { entryFileName, entryUrl } from '../../src/platform/entry-url.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

describe('the URL of an entry point', () => {
  test('from source it is the file itself', () => {
    const url = entryUrl('store/sqlite/thread.ts', 'file:///lab/src/platform/entry-url.ts');
    assert.equal(url.href, 'file:///lab/src/store/sqlite/thread.ts');
  });

  test('in the bundle it is the flat name beside whichever file asks', () => {
    const url = entryUrl('store/sqlite/thread.ts', 'file:///lab/dist/build-1/part-x.js');
    assert.equal(url.href, 'file:///lab/dist/build-1/store-sqlite-thread.js');
    assert.equal(entryFileName('cli/main.ts'), 'cli-main.js');
  });
});

/** A little program whose main file starts a thread and a child, and prints what both say. */
function writeProgram(t: TestContext): { sourceDir: string; outDir: string } {
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(root, '.tmp/entry-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const sourceDir = join(folder, 'src');
  for (const name of ['platform', 'cli', 'store']) mkdirSync(join(sourceDir, name), { recursive: true });
  writeFileSync(
    join(sourceDir, 'platform/entry-url.ts'),
    `export { entryFileName } from '${root}/src/platform/entry-url.ts';
     import { entryUrl as url } from '${root}/src/platform/entry-url.ts';
     export const entryUrl = (entry: string) => url(entry, import.meta.url);`,
  );
  writeFileSync(
    join(sourceDir, 'store/thread.ts'),
    `import { parentPort } from 'node:worker_threads';
     const answer: string = 'thread';
     if (parentPort) parentPort.postMessage(answer); else console.log('child');`,
  );
  writeFileSync(
    join(sourceDir, 'cli/main.ts'),
    `import { execFileSync } from 'node:child_process';
     import { Worker } from 'node:worker_threads';
     import { fileURLToPath } from 'node:url';
     import { entryUrl } from '../platform/entry-url.ts';
     const url = entryUrl('store/thread.ts');
     new Worker(url).on('message', (said) => {
       console.log(said, execFileSync(process.execPath, [fileURLToPath(url)], { encoding: 'utf8' }).trim());
     });`,
  );
  return { sourceDir, outDir: join(folder, 'dist') };
}

test('thread and child start from source', async (t) => {
  const { sourceDir } = writeProgram(t);
  const { stdout } = await run(process.execPath, [join(sourceDir, 'cli/main.ts')], { timeout: 20_000 });
  assert.equal(stdout, 'thread child\n');
});

test('thread and child start from the bundle', async (t) => {
  const { sourceDir, outDir } = writeProgram(t);
  await bundle({ sourceDir, outDir, entries: ['cli/main.ts', 'store/thread.ts'] });
  rmSync(sourceDir, { recursive: true });
  writeFileSync(join(outDir, 'package.json'), '{ "type": "module" }');
  const { stdout } = await run(process.execPath, [join(outDir, 'cli-main.js')], { timeout: 20_000 });
  assert.equal(stdout, 'thread child\n');
});

test('an entry point that the bundle lacks is an error, not silence', async (t) => {
  const { sourceDir, outDir } = writeProgram(t);
  await bundle({ sourceDir, outDir, entries: ['cli/main.ts'] });
  await assert.rejects(
    run(process.execPath, [join(outDir, 'cli-main.js')], { timeout: 20_000 }),
    /store-thread\.js/,
  );
});
