// Keeps the scheduler deterministic: nothing in src/domain may know time, chance or the machine. Pure.

import type { Finding } from './finding.ts';
import { dottedName, isNode, type ParsedFile, type TreeNode, walk } from './syntax-tree.ts';

const banned = new Set([
  'performance',
  'process',
  'console',
  'crypto',
  'fetch',
  'globalThis',
  'global',
  'Buffer',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Temporal',
  'Intl',
]);

/** Time and chance come into the domain as arguments, so that a seed and a log replay it exactly. */
export function checkPurity(file: ParsedFile): Finding[] {
  if (!file.path.startsWith('src/domain/')) return [];
  const findings: Finding[] = [];
  walk(file.program, (node, parents) => {
    const used = impureUse(node, parents.at(-1));
    if (used === undefined) return;
    const message = `the domain is deterministic: pass in what '${used}' would tell`;
    findings.push({ file: file.path, line: file.lineOf(node), message });
  });
  return findings;
}

function impureUse(node: TreeNode, parent: TreeNode | undefined): string | undefined {
  const dotted = dottedName(node);
  if (dotted === 'Date.now' || dotted === 'Math.random') return dotted;
  if (/^(New|Call)Expression$/.test(node.type) && dottedName(node.callee) === 'Date') {
    return (node.arguments as unknown[]).length === 0 ? 'new Date()' : undefined;
  }
  if (node.type === 'MemberExpression' && /^toLocale/.test(String((node.property as TreeNode).name))) {
    return String((node.property as TreeNode).name);
  }
  const name = String(node.name);
  return node.type === 'Identifier' && banned.has(name) && isReference(node, parent) ? name : undefined;
}

/** A field or a label of that name is not the global. */
function isReference(node: TreeNode, parent: TreeNode | undefined): boolean {
  if (parent === undefined) return true;
  if (parent.type === 'MemberExpression' && parent.property === node) return parent.computed === true;
  return !(
    isNode(parent.key) &&
    parent.key === node &&
    parent.computed !== true &&
    parent.shorthand !== true
  );
}
