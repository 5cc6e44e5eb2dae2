// Who may import what within src. The table is the one of docs/ARCHITECTURE.md. Pure.

import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Finding } from './finding.ts';
import { isNode, type ParsedFile, stringValue, type TreeNode, walk } from './syntax-tree.ts';

type Rule = {
  /** Folders of src it may use, beside itself. */
  folders: readonly string[];
  /** From outside src: nothing, npm packages only, or those and Node's own modules. */
  outside: 'nothing' | 'npm' | 'npm and node';
};

const everyFolder = [
  'domain',
  'protocol',
  'store',
  'server',
  'http',
  'agent',
  'drivers',
  'client',
  'cli',
  'platform',
  'testing',
];

const rules: Readonly<Record<string, Rule>> = {
  domain: { folders: [], outside: 'nothing' },
  platform: { folders: [], outside: 'npm and node' },
  // The dashboard in a browser uses these two, so they can't lean on Node.
  protocol: { folders: ['domain'], outside: 'npm' },
  client: { folders: ['protocol', 'domain'], outside: 'npm' },
  store: { folders: ['domain'], outside: 'npm and node' },
  drivers: { folders: ['platform'], outside: 'npm and node' },
  agent: { folders: ['client', 'domain', 'protocol', 'drivers', 'platform'], outside: 'npm and node' },
  server: { folders: ['domain', 'protocol', 'store', 'platform'], outside: 'npm and node' },
  http: { folders: ['server', 'protocol', 'domain', 'platform'], outside: 'npm and node' },
  cli: { folders: everyFolder, outside: 'npm and node' },
  testing: { folders: everyFolder, outside: 'npm and node' },
};

type Import = { specifier: string | undefined; node: TreeNode };

/** Breaches of the table by one file of src; a file elsewhere may import anything. */
export function checkImports(file: ParsedFile): Finding[] {
  const folder = folderOf(file.path);
  if (folder === undefined) return [];
  const rule = rules[folder];
  if (rule === undefined) {
    const known = Object.keys(rules).join(', ');
    return [{ file: file.path, line: 1, message: `src/${folder} is not a folder of the map: ${known}` }];
  }
  return importsOf(file).flatMap((found) => {
    const problem = problemOf(file.path, folder, rule, found.specifier);
    return problem === undefined
      ? []
      : [{ file: file.path, line: file.lineOf(found.node), message: problem }];
  });
}

/** Every import of a file: static, of types, re-exported, dynamic, `import('x').T`, require. */
function importsOf(file: ParsedFile): Import[] {
  const found: Import[] = [];
  walk(file.program, (node) => {
    if (!isImport(node)) return;
    const from = node.type === 'CallExpression' ? (node.arguments as unknown[])[0] : sourceOf(node);
    if (from !== null && from !== undefined) found.push({ specifier: stringValue(from), node });
  });
  return found;
}

const importTypes = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
  'TSExternalModuleReference',
]);

function isImport(node: TreeNode): boolean {
  if (importTypes.has(node.type)) return true;
  return node.type === 'CallExpression' && isNode(node.callee) && node.callee.name === 'require';
}

function sourceOf(node: TreeNode): unknown {
  return node.type === 'TSExternalModuleReference' ? node.expression : node.source;
}

function problemOf(
  path: string,
  folder: string,
  rule: Rule,
  specifier: string | undefined,
): string | undefined {
  if (specifier === undefined) return 'an import needs a literal name, so that build and rules can see it';
  if (!specifier.startsWith('.')) {
    const allowed = rule.outside === 'npm and node' || (rule.outside === 'npm' && !isBuiltin(specifier));
    return allowed
      ? undefined
      : `${folder} may use from outside src: ${rule.outside}; this is '${specifier}'`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  const targetFolder = folderOf(target);
  if (targetFolder === undefined) {
    return target === 'package.json' && folder === 'cli' ? undefined : `'${specifier}' lies outside src`;
  }
  if (targetFolder !== folder && !rule.folders.includes(targetFolder)) {
    const allowed = rule.folders.length > 0 ? rule.folders.join(', ') : 'nothing';
    return `${folder} may not import ${targetFolder} ('${specifier}'); it may import: ${allowed}`;
  }
  return concreteProblem(folder, target);
}

/** Only cli and testing pick a store or a driver; all others know the contract and what stands beside it. */
function concreteProblem(folder: string, target: string): string | undefined {
  if (folder === 'server' && /^src\/store\/[^/]+\//.test(target)) {
    return `server may not name a concrete store (${target}); cli picks it and passes it in`;
  }
  if (folder === 'agent' && /^src\/drivers\/[^/]+\/(?!contract\.ts$)/.test(target)) {
    return `agent may not name a concrete driver (${target}); cli picks it and passes it in`;
  }
  return undefined;
}

/** `domain` for src/domain/order.ts; undefined for all that is not in a folder of src. */
function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}
