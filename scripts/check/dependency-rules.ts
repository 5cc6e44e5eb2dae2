// docs/dependencies.md tells what each package is for; this compares it with what is installed. Pure.

import type { Finding } from './finding.ts';

export type Manifest = {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
};

export type LockFile = {
  packages: Record<
    string,
    { hasInstallScript?: boolean; resolved?: string; optional?: boolean; os?: string[] }
  >;
};

const listPath = 'docs/dependencies.md';

/** Each direct dependency has one row, with the pinned version, and each row is a dependency. */
export function checkDependencyList(manifest: Manifest, list: string): Finding[] {
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
  const rows = new Map<string, { version: string; line: number }>();
  const findings: Finding[] = [];
  list.split('\n').forEach((text, index) => {
    const [, name, version] = /^\| `([^`]+)` \| ([^ |]+) \|/.exec(text) ?? [];
    if (name !== undefined && version !== undefined) rows.set(name, { version, line: index + 1 });
  });
  for (const [name, version] of Object.entries(wanted)) {
    const row = rows.get(name);
    if (row === undefined) findings.push({ file: listPath, line: 1, message: `no row for ${name}` });
    else if (row.version !== version) {
      findings.push({ file: listPath, line: row.line, message: `${name} is ${version}, not ${row.version}` });
    }
    if (!/^\d/.test(version))
      findings.push({ file: 'package.json', line: 1, message: `${name} is not pinned` });
  }
  for (const [name, { line }] of rows) {
    if (!(name in wanted)) findings.push({ file: listPath, line, message: `${name} is no dependency` });
  }
  return findings;
}

// Whoever has a package that is useless without its install script can't install this project.
const scriptNotNeeded = new Set(['node_modules/koffi']);

// One of these must be there for each platform, or npm on another machine leaves the tool without its binary.
const platformPackages = [
  '@biomejs/cli-PLATFORM',
  '@rolldown/binding-PLATFORM-gnu',
  '@typescript/typescript-PLATFORM',
  '@oxc-parser/binding-PLATFORM-gnu',
  '@oxc-resolver/binding-PLATFORM-gnu',
  '@koromix/koffi-PLATFORM',
];
const platforms = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64'];

/** No registry's name, no install script that is needed, and the binaries of every platform. */
export function checkLockFile({ packages }: LockFile): Finding[] {
  const problems: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (entry.resolved !== undefined) problems.push(`${path} names a registry: ${entry.resolved}`);
    if (entry.hasInstallScript === true && !scriptNotNeeded.has(path))
      problems.push(`${path} has an install script`);
  }
  for (const pattern of platformPackages) {
    for (const platform of platforms) {
      const name = pattern.replace('PLATFORM', platform).replace(/^(.*darwin.*)-gnu$/, '$1');
      if (!(`node_modules/${name}` in packages)) problems.push(`${name} is missing`);
    }
  }
  return problems.map((message) => ({ file: 'package-lock.json', line: 1, message }));
}
