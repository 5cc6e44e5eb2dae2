// How long a file and a function may be. Pure.

import { type Finding, lineAt, type SourceFile } from './finding.ts';
import { isNode, type ParsedFile, type TreeNode, walk } from './syntax-tree.ts';

const fileLinesMax = 400;
const functionLinesMax = 59;

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Code and scripts only: prose has its own measure. */
export function checkFileLength({ path, text }: SourceFile): Finding[] {
  if (/\.md$/.test(path)) return [];
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines <= fileLinesMax) return [];
  return [
    { file: path, line: fileLinesMax + 1, message: `${lines} lines; ${fileLinesMax} at most, split it` },
  ];
}

/** Counts from the first line of a function to its last. A describe() in a test is a heading, not a function. */
export function checkFunctionLength(file: ParsedFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.program, (node, parents) => {
    const parent = parents.at(-1);
    if (!functionTypes.has(node.type) || (parent !== undefined && isSuite(parent))) return;
    const lines = lineAt(file.text, node.end) - file.lineOf(node) + 1;
    if (lines <= functionLinesMax) return;
    const message = `${nameOf(node, parent)} has ${lines} lines; ${functionLinesMax} at most, split it`;
    findings.push({ file: file.path, line: file.lineOf(node), message });
  });
  return findings;
}

function isSuite(node: TreeNode): boolean {
  return (
    node.type === 'CallExpression' &&
    isNode(node.callee) &&
    /^(describe|suite)$/.test(String(node.callee.name))
  );
}

function nameOf(node: TreeNode, parent: TreeNode | undefined): string {
  for (const name of [node.id, parent?.id, parent?.key]) if (isNode(name)) return `'${String(name.name)}'`;
  return 'a function without a name';
}
