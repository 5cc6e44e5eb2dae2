// A test that does not run must say why, and none may be kept for later. Pure.

import type { Finding } from './finding.ts';
import { dottedName, isNode, type ParsedFile, stringValue, type TreeNode, walk } from './syntax-tree.ts';

/** In test files: `skip` only with a reason; no `todo`, no `only`. */
export function checkSkips(file: ParsedFile): Finding[] {
  if (!file.path.startsWith('test/')) return [];
  const findings: Finding[] = [];
  walk(file.program, (node, parents) => {
    const message = problemOf(node, parents);
    if (message !== undefined) findings.push({ file: file.path, line: file.lineOf(node), message });
  });
  return findings;
}

function problemOf(node: TreeNode, parents: readonly TreeNode[]): string | undefined {
  if (node.type === 'CallExpression') return callProblem(node);
  if (node.type === 'Property' && isOptionOfTest(node, parents)) return optionProblem(node);
  return undefined;
}

// test.skip('name', …) has no place for a reason; t.skip('reason') inside a test has.
function callProblem(node: TreeNode): string | undefined {
  const called = /^(t|context|test|it|describe|suite)\.(skip|todo|only)$/.exec(dottedName(node.callee) ?? '');
  if (called === null) return undefined;
  const [name, object = '', verb] = called;
  if (verb !== 'skip') return `'${name}' must not stay`;
  if (/^(test|it|describe|suite)$/.test(object)) return `'${name}' gives no reason; use { skip: 'reason' }`;
  const [reason] = node.arguments as unknown[];
  return isReason(reason) ? undefined : `'${name}' needs a reason`;
}

function isOptionOfTest(node: TreeNode, parents: readonly TreeNode[]): boolean {
  const call = parents.at(-2);
  return (
    isNode(node.key) && call?.type === 'CallExpression' && /^(test|it|describe|suite)\b/.test(calleeOf(call))
  );
}

function calleeOf(call: TreeNode): string {
  return dottedName(call.callee) ?? '';
}

function optionProblem(node: TreeNode): string | undefined {
  const key = String((node.key as TreeNode).name);
  if (key === 'todo' || key === 'only') return `'${key}' must not stay`;
  if (key !== 'skip') return undefined;
  return isReason(node.value) ? undefined : "'skip' needs a reason: a text, or what gives one";
}

// An expression is taken as giving a text where it applies; a bare true, or none at all, is not.
function isReason(node: unknown): boolean {
  if (!isNode(node)) return false;
  return node.type === 'Literal' ? (stringValue(node) ?? '').trim() !== '' : true;
}
