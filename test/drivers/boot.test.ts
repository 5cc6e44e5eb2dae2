// Boot by copy, into a real folder.

import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCopyBoot } from '../../src/drivers/boot/copy.ts';
import { boardJob, neverAborted, testFolder, writeBoardFile } from '../../src/testing/board-suite.ts';
import { testBootDriver } from '../../src/testing/boot-suite.ts';

testBootDriver('copy', {
  working: async (t) => {
    const folder = await testFolder(t);
    const [to, secondTo] = [join(folder, 'kernel'), join(folder, 'root')];
    const read = (path: string) => readFile(path, 'utf8').catch(() => undefined);
    return {
      boot: createCopyBoot({ to, secondTo }),
      findImages: () => Promise.all([read(to), read(secondTo)]),
    };
  },
  broken: {
    boot: createCopyBoot({ to: '/no-such-folder/kernel' }),
    words: /'\/no-such-folder\/kernel' can't be written: .*ENOENT.*Is there a folder \/no-such-folder\?/,
  },
});

test('a copy can be read by all users, and nothing else is left in the folder', async (t) => {
  const folder = await testFolder(t);
  const work = await testFolder(t);
  const boot = createCopyBoot({ to: join(folder, 'kernel') });
  // What a crash in the middle of a copy left.
  await writeBoardFile(folder, 'kernel.part', 'half');
  const mask = process.umask(0o077);
  t.after(async () => void process.umask(mask));
  await boot.place(boardJob([await writeBoardFile(work, 'image', 'whole')], work), {
    signal: neverAborted(),
  });
  assert.deepEqual(await readdir(folder), ['kernel']);
  assert.equal((await stat(join(folder, 'kernel'))).mode & 0o777, 0o644);
});

test('who reads the old image while the new one comes keeps the old one', async (t) => {
  const folder = await testFolder(t);
  const work = await testFolder(t);
  const to = join(folder, 'kernel');
  const boot = createCopyBoot({ to });
  const place = async (content: string) => {
    await boot.place(boardJob([await writeBoardFile(work, 'image', content)], work), {
      signal: neverAborted(),
    });
    return (await stat(to)).ino;
  };
  const before = await place('old');
  assert.notEqual(await place('new'), before);
});
