// Bundles the program into dist/: one small file that each command starts with, and beside it the parts that
// it loads when needed. May write dist/ only. Layout and reasons: docs/decisions/bundle-and-entry-points.md.

import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { entryFileName } from '../src/platform/entry-url.ts';

/** The file that every command starts with, within src. */
export const mainEntry = 'cli/main.ts';

/** What a thread or a child process starts with, within src; code asks for them with entryUrl(). */
export const threadEntries: readonly string[] = [
  'store/sqlite/thread.ts',
  'drivers/board/v86-thread.ts',
  'cli/with/guard.ts',
  'server/lock-files/keeper-process.ts',
];

// Packages that stay in node_modules, because they load a binary from beside their own files.
const external = ['koffi', 'v86'];

// What every command that talks to the server loads goes into one file: each further one costs a short command
// up to half a millisecond.
const clientModules =
  /src.(client|cli.(connect(?!.open-(ssh|tcp))|terminal)|platform.(frames|clock|platform-error)|protocol.(errors|channel))\b/;

// Builds that are kept, so that a program which still runs on an older one finds its files.
const buildsKept = 4;

type BuildOptions = {
  /** Absolute path of the folder that holds the sources, as entries name them. */
  sourceDir: string;
  /** Absolute path of the folder to write to; made if missing. */
  outDir: string;
  entries: readonly string[];
};

/**
 * Bundles the entries. Beside the chunks of each entry in outDir comes whatever they share; the file of an entry
 * is entryFileName(entry).
 *
 * @returns the chunks that were written
 */
export async function bundle({ sourceDir, outDir, entries }: BuildOptions): Promise<OutputChunk[]> {
  const input = Object.fromEntries(
    entries.map((entry) => [entryFileName(entry).replace(/\.js$/, ''), join(sourceDir, entry)]),
  );
  const build = await rolldown({
    input,
    external,
    platform: 'node',
    transform: { target: 'node24' },
    logLevel: 'warn',
  });
  try {
    const { output } = await build.write({
      dir: outDir,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'part-[name]-[hash].js',
      codeSplitting: { groups: [{ name: 'client', test: clientModules }] },
    });
    return output.filter((file) => file.type === 'chunk');
  } finally {
    await build.close();
  }
}

/**
 * Builds all of root/src into root/dist. dist/mq.js is a link into a folder of this build's own, replaced in one
 * step: a program that runs keeps the files it began with, and two builds at once don't mix.
 */
export async function buildAll(root: string): Promise<void> {
  const startedAt = new Date();
  const sourceDir = join(root, 'src');
  const dist = join(root, 'dist');
  const name = `build-${startedAt.toISOString().replace(/[^0-9]/g, '')}-${process.pid}`;
  const outDir = join(dist, name);
  mkdirSync(outDir, { recursive: true });
  // A folder without a package.json of its own takes the type of the nearest one above; say it here instead.
  writeFileSync(join(outDir, 'package.json'), '{ "type": "module" }\n');
  try {
    await bundle({ sourceDir, outDir, entries: [mainEntry, ...threadEntries] });
  } catch (error) {
    rmSync(outDir, { recursive: true, force: true });
    throw error;
  }
  publish(dist, name);
  const stamp = join(dist, 'built-at');
  writeFileSync(stamp, `${startedAt.toISOString()}\n`);
  utimesSync(stamp, startedAt, startedAt);
}

function publish(dist: string, name: string): void {
  const link = join(dist, `mq.js.${process.pid}`);
  symlinkSync(join(name, entryFileName(mainEntry)), link);
  renameSync(link, join(dist, 'mq.js'));
  const builds = readdirSync(dist).filter((file) => file.startsWith('build-'));
  for (const old of builds.sort().slice(0, -buildsKept))
    rmSync(join(dist, old), { recursive: true, force: true });
}

if (import.meta.main) {
  const begin = performance.now();
  await buildAll(resolve(import.meta.dirname, '..'));
  console.log(`build: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}
