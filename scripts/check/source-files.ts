// Finds and reads the project's own files. Reads the checkout, writes nothing.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceFile } from './finding.ts';

const notOurs = new Set(['node_modules', 'dist', '.git', '.node', '.demo', '.tmp', '.tools']);

// What people write by hand; lock files, pictures and data are not held to the rules of prose and code.
const handWritten = /(\.(ts|sh|md|yaml|yml|css|html)|^bin\/[^/]+|^\.ci\/[^/]+)$/;

/** Every hand-written file below root, sorted by path. Links are left out: they name a file twice. */
export function readSourceFiles(root: string): SourceFile[] {
  return listFiles(root, '')
    .filter((path) => handWritten.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

function listFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : listFiles(root, path);
    return entry.isFile() ? [path] : [];
  });
}
