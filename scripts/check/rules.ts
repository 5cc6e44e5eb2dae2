// All rules of the project that its tools don't know, applied to the checkout. Reads, writes nothing.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mainEntry, threadEntries } from '../build.ts';
import { checkDependencyList, checkLockFile, type LockFile, type Manifest } from './dependency-rules.ts';
import { checkEntryUrls } from './entry-rules.ts';
import type { Finding, SourceFile } from './finding.ts';
import { checkImports } from './import-rules.ts';
import { checkFileName, checkTestPlace, checkTestSupport, checkWords } from './name-rules.ts';
import { checkPurity } from './purity-rules.ts';
import { checkFileLength, checkFunctionLength } from './size-rules.ts';
import { checkSkips } from './skip-rules.ts';
import { readSourceFiles } from './source-files.ts';
import { type ParsedFile, parseFile } from './syntax-tree.ts';

type FileRule = (file: SourceFile) => Finding[];
type TreeRule = (file: ParsedFile) => Finding[];

const fileRules: readonly FileRule[] = [checkFileLength, checkFileName, checkTestPlace];

const treeRules: readonly TreeRule[] = [
  checkImports,
  checkFunctionLength,
  checkWords,
  checkPurity,
  checkSkips,
  (file) => checkEntryUrls(file, [mainEntry, ...threadEntries]),
];

/** Every breach in the checkout at root, file by file. */
export function checkRules(root: string): Finding[] {
  const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const dependencyList = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
  const files = readSourceFiles(root);
  return [
    ...files.flatMap(checkFile),
    ...checkTestSupport(files),
    ...checkDependencyList(readJson('package.json') as Manifest, dependencyList),
    ...checkLockFile(readJson('package-lock.json') as LockFile),
  ];
}

function checkFile(file: SourceFile): Finding[] {
  const findings = fileRules.flatMap((rule) => rule(file));
  if (!file.path.endsWith('.ts')) return findings;
  const parsed = parseFile(file);
  return [...findings, ...treeRules.flatMap((rule) => rule(parsed))];
}
