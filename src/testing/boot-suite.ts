// What every boot driver must do, as tests: run them over a driver by giving it a place that can be looked at.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BootDriver } from '../drivers/boot/contract.ts';
import { boardJob, neverAborted, testFolder, writeBoardFile } from './board-suite.ts';

export interface BootBench {
  /** Has a place for two images and none for a device tree. */
  readonly boot: BootDriver;
  /** What the board would load now; undefined where there is nothing. */
  readonly findImages: () => Promise<readonly (string | undefined)[]>;
}

export interface BootBenches {
  readonly working: (t: TestContext) => Promise<BootBench>;
  readonly broken: { readonly boot: BootDriver; readonly words: RegExp };
}

async function jobOf(t: TestContext, contents: readonly string[]) {
  const folder = await testFolder(t);
  const files = contents.map((content, index) => writeBoardFile(folder, `file${index}`, content));
  return boardJob(await Promise.all(files), folder);
}

/** Registers the tests under this name. */
export function testBootDriver(name: string, benches: BootBenches): void {
  test(`${name}: a job's images are in place, and what the one before left is not`, async (t) => {
    const { boot, findImages } = await benches.working(t);
    await boot.place(await jobOf(t, ['one', 'two']), { signal: neverAborted() });
    assert.deepEqual(await findImages(), ['one', 'two']);
    await boot.place(await jobOf(t, ['three']), { signal: neverAborted() });
    assert.deepEqual(await findImages(), ['three', undefined]);
  });

  test(`${name}: a job with more than there is a place for does not fit, another does`, async (t) => {
    const { boot } = await benches.working(t);
    const job = await jobOf(t, ['one', 'two']);
    assert.equal(boot.findUnfit(job), undefined);
    assert.match(boot.findUnfit({ ...job, dtbPath: '/d.dtb' }) ?? '', /no place for a device tree/);
    assert.match(boot.findUnfit(await jobOf(t, ['one', 'two', 'three'])) ?? '', /at most 2 images, not 3/);
  });

  test(`${name}: a place that can't be had is an error that names it`, async (t) => {
    const { boot, words } = benches.broken;
    await assert.rejects(boot.place(await jobOf(t, ['one']), { signal: neverAborted() }), words);
  });

  test(`${name}: an image that went away leaves the one that is in place whole`, async (t) => {
    const { boot, findImages } = await benches.working(t);
    await boot.place(await jobOf(t, ['one']), { signal: neverAborted() });
    const gone = boardJob([{ path: '/no-such-thing', name: 'image' }], '/');
    await assert.rejects(boot.place(gone, { signal: neverAborted() }), /no-such-thing/);
    assert.deepEqual(await findImages(), ['one', undefined]);
  });

  test(`${name}: a signal that is aborted already leaves the place alone`, async (t) => {
    const { boot, findImages } = await benches.working(t);
    await assert.rejects(boot.place(await jobOf(t, ['one']), { signal: AbortSignal.abort() }));
    assert.deepEqual(await findImages(), [undefined, undefined]);
  });
}
