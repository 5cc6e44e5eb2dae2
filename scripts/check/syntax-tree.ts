// Parses TypeScript and walks the tree, for the rules that need more than text. Pure.

import { parseSync } from 'rolldown/utils';
import { lineAt, type SourceFile } from './finding.ts';

/** A node of the ESTree that the parser gives; what else it has depends on its type. */
export type TreeNode = { type: string; start: number; end: number; [field: string]: unknown };

export type ParsedFile = SourceFile & {
  program: TreeNode;
  /** The line, counted from 1, that a node begins on. */
  lineOf: (node: TreeNode) => number;
};

/**
 * @throws Error naming file, line and what the parser said, where the text is no TypeScript
 */
export function parseFile({ path, text }: SourceFile): ParsedFile {
  const { program, errors } = parseSync(path, text, { lang: 'ts', sourceType: 'module' });
  const problem = errors[0];
  if (problem !== undefined) {
    throw new Error(`${path}:${lineAt(text, problem.labels[0]?.start ?? 0)}: ${problem.message}`);
  }
  return { path, text, program: program as unknown as TreeNode, lineOf: (node) => lineAt(text, node.start) };
}

/** Calls visit for the node and everything below it, parents first, each with its parents, nearest last. */
export function walk(
  node: TreeNode,
  visit: (node: TreeNode, parents: readonly TreeNode[]) => void,
  parents: readonly TreeNode[] = [],
): void {
  visit(node, parents);
  const inner = [...parents, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit, inner);
  }
}

export function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && typeof (value as TreeNode).type === 'string';
}

/** The text of a literal that is a string, also of a template without gaps; undefined for all else. */
export function stringValue(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  const quasis = node.quasis as { value: { cooked: string } }[] | undefined;
  if (node.type === 'TemplateLiteral' && quasis?.length === 1) return quasis[0]?.value.cooked;
  return undefined;
}

/** `a.b.c` for a plain chain of names, undefined for all else. */
export function dottedName(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'Identifier') return node.name as string;
  if (node.type !== 'MemberExpression' || node.computed === true) return undefined;
  const object = dottedName(node.object);
  return object === undefined ? undefined : `${object}.${(node.property as TreeNode).name as string}`;
}
