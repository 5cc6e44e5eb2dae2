// The checkout itself keeps every rule, and the first file of the bundle stays small.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { bundle, mainEntry } from '../../scripts/build.ts';
import { describe } from '../../scripts/check/finding.ts';
import { checkRules } from '../../scripts/check/rules.ts';
import { readSourceFiles } from '../../scripts/check/source-files.ts';

const root = resolve(import.meta.dirname, '../..');

test('no file of the project breaks a rule', () => {
  assert.deepEqual(checkRules(root).map(describe), []);
});

test('the rules see all code, and nothing that was brought or built', () => {
  const paths = readSourceFiles(root).map(({ path }) => path);
  for (const path of ['src/cli/main.ts', 'bin/mq', '.ci/run', 'scripts/run.sh'])
    assert.ok(paths.includes(path), path);
  assert.deepEqual(
    paths.filter((path) => /node_modules|^dist|^\.node/.test(path)),
    [],
  );
});

// Starting is most of what a short command does: docs/decisions/bundle-and-entry-points.md.
test('what every command loads holds no package and is small', async (t) => {
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const outDir = mkdtempSync(join(root, '.tmp/bundle-'));
  t.after(() => rmSync(outDir, { recursive: true }));
  const chunks = new Map(
    (await bundle({ sourceDir: join(root, 'src'), outDir, entries: [mainEntry] })).map((chunk) => [
      chunk.fileName,
      chunk,
    ]),
  );
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const next of chunks.get(name)?.imports ?? []) load(next);
  };
  load('cli-main.js');
  const first = [...loaded].flatMap((name) => chunks.get(name) ?? []);
  const packages = first.flatMap(({ moduleIds }) => moduleIds.filter((id) => id.includes('node_modules')));
  assert.deepEqual(packages, []);
  const slow = ['node:http', 'node:https', 'node:http2', 'node:sqlite', 'koffi', 'v86'];
  assert.deepEqual(
    slow.filter((name) => loaded.has(name)),
    [],
  );
  const bytes = first.reduce((sum, { code }) => sum + code.length, 0);
  assert.ok(bytes < 150_000, `${bytes} bytes`);
});
