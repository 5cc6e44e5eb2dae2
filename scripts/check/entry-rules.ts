// Threads and child processes start with files that the build must know. Pure.

import type { Finding } from './finding.ts';
import { dottedName, type ParsedFile, stringValue, walk } from './syntax-tree.ts';

/** Each entryUrl() in src names, as a literal, an entry of the build. */
export function checkEntryUrls(file: ParsedFile, entries: readonly string[]): Finding[] {
  if (!file.path.startsWith('src/')) return [];
  const findings: Finding[] = [];
  walk(file.program, (node) => {
    if (node.type !== 'CallExpression' || dottedName(node.callee) !== 'entryUrl') return;
    const entry = stringValue((node.arguments as unknown[])[0]);
    if (entry !== undefined && entries.includes(entry)) return;
    const message = `entryUrl(${entry === undefined ? 'not a literal' : `'${entry}'`}) is not in scripts/build.ts`;
    findings.push({ file: file.path, line: file.lineOf(node), message });
  });
  return findings;
}
