// Names of files, and words that stand for something else here. The words are those of docs/GLOSSARY.md. Pure.

import { posix } from 'node:path';
import type { Finding, SourceFile } from './finding.ts';
import { isNode, type ParsedFile, type TreeNode, walk } from './syntax-tree.ts';

const emptyNames = /^(utils?|helpers?|managers?|common|misc)$/;
const kebabCase = /^[a-z0-9]+([.-][a-z0-9]+)*$/;

/** Files are named for the noun or verb inside; a folder's index would hide that. */
export function checkFileName({ path }: SourceFile): Finding[] {
  if (!/^(src|test|bench|scripts|examples|web)\//.test(path)) return [];
  const problems = path.split('/').flatMap((part) => {
    const name = part.replace(/(\.test|\.bench)?\.[a-z]+$/, '');
    if (!kebabCase.test(name)) return [`'${part}' is not kebab-case`];
    if (name.split(/[.-]/).some((word) => emptyNames.test(word)))
      return [`'${part}' says nothing of what is inside`];
    return [];
  });
  if (/^src\/.*\/index\.ts$/.test(path))
    problems.push('no index barrels in src: import the file that has the thing');
  return problems.map((message) => ({ file: path, line: 1, message }));
}

// The word to use instead, for each that the glossary gives away.
const glossary = new Map(
  Object.entries({
    device: 'board',
    farm: 'pool',
    reservation: 'ticket',
    mutex: 'lock',
    task: 'job',
    dispatcher: 'agent',
    worker: 'agent (or thread)',
    pdu: 'power',
    helper: 'what it does',
    utils: 'what it does',
    manager: 'what it does',
  }),
);

/** Names that src declares: variables, parameters, functions, types, fields. What others named is theirs. */
export function checkWords(file: ParsedFile): Finding[] {
  if (!file.path.startsWith('src/')) return [];
  const findings: Finding[] = [];
  walk(file.program, (node, parents) => {
    const parent = parents.at(-1);
    if (node.type !== 'Identifier' || parent === undefined || !declares(parent, node)) return;
    const name = String(node.name);
    for (const word of wordsOf(name)) {
      const better = glossary.get(word) ?? glossary.get(word.replace(/s$/, ''));
      if (better === undefined || isMeantOtherwise(file.path, word)) continue;
      const message = `'${name}': docs/GLOSSARY.md has another word for '${word}': ${better}`;
      findings.push({ file: file.path, line: file.lineOf(node), message });
    }
  });
  return findings;
}

// `run -r` of the old scripts is called a reservation in the line that it prints; an emulator and a kernel have
// devices of their own.
function isMeantOtherwise(path: string, word: string): boolean {
  if (word === 'reservation') return path.startsWith('src/cli/');
  return /^devices?$/.test(word) && /^src\/(drivers|platform|testing)\//.test(path);
}

const namedById = /^(VariableDeclarator|FunctionDeclaration|FunctionExpression|Class\w+|TS\w+Declaration)$/;
const namedByKey = /^(PropertyDefinition|MethodDefinition|TSPropertySignature|TSMethodSignature)$/;

function declares(parent: TreeNode, node: TreeNode): boolean {
  if (namedById.test(parent.type)) return parent.id === node || isParameter(parent, node);
  if (namedByKey.test(parent.type)) return parent.key === node;
  return isParameter(parent, node);
}

function isParameter(parent: TreeNode, node: TreeNode): boolean {
  return (
    Array.isArray(parent.params) && parent.params.some((parameter) => isNode(parameter) && parameter === node)
  );
}

/** `hold`, `seconds` for holdSeconds; HTTPServer gives `http`, `server`. */
function wordsOf(name: string): string[] {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2');
  return spaced.toLowerCase().split(/[ _$]+/);
}

/** Each test file stands where its source does: test/<folder>/<name>.test.ts, for a folder of src or of its own. */
export function checkTestPlace({ path }: SourceFile): Finding[] {
  if (!path.endsWith('.test.ts') || /^test\/[^/]+\/.+\.test\.ts$/.test(path)) return [];
  return [{ file: path, line: 1, message: `${posix.basename(path)} belongs to test/<folder>/` }];
}

/** What tests share or start as a process must be named by one of them; the search for dead code can't tell. */
export function checkTestSupport(files: readonly SourceFile[]): Finding[] {
  const tests = files.filter(({ path }) => /^test\/.*\.ts$/.test(path));
  const support = tests.filter(({ path }) => !path.endsWith('.test.ts'));
  const unused = support.filter(({ path }) => {
    const name = posix.basename(path);
    return !tests.some((other) => other.path !== path && other.text.includes(name));
  });
  return unused.map(({ path }) => ({ file: path, line: 1, message: 'no test names this file' }));
}
