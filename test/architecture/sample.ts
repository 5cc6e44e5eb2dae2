// Gives the tests of the rules a file to look at, written in the test itself.

import type { Finding, SourceFile } from '../../scripts/check/finding.ts';
import { describe } from '../../scripts/check/finding.ts';
import { type ParsedFile, parseFile } from '../../scripts/check/syntax-tree.ts';

/** What a rule says about a file of that path and text, each as `line: message`. */
export function findingsOf(rule: (file: ParsedFile) => Finding[], path: string, text: string): string[] {
  return rule(parseFile({ path, text })).map(withoutPath);
}

/** The same for a rule that needs no syntax tree. */
export function textFindingsOf(rule: (file: SourceFile) => Finding[], path: string, text = ''): string[] {
  return rule({ path, text }).map(withoutPath);
}

function withoutPath(finding: Finding): string {
  return describe(finding).slice(finding.file.length + 1);
}
