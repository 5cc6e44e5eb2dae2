// docs/dependencies.md and the lock file: what would be reported, on samples.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { checkDependencyList, checkLockFile, type LockFile } from '../../scripts/check/dependency-rules.ts';

describe('docs/dependencies.md', () => {
  const list = '| package | version |\n|---|---|\n| `yaml` | 2.0.0 | ISC |\n| `@a/b` | 1.0.0 | MIT |\n';
  const messages = (manifest: object, text = list): string[] =>
    checkDependencyList(manifest, text).map(({ message }) => message);

  test('passes when each dependency has a row with its version', () => {
    assert.deepEqual(messages({ dependencies: { yaml: '2.0.0' }, devDependencies: { '@a/b': '1.0.0' } }), []);
  });

  test('a package without a row, a row without a package, and another version are reported', () => {
    const found = messages({ dependencies: { yaml: '2.0.1', ws: '1.0.0' } });
    assert.deepEqual(found, ['yaml is 2.0.1, not 2.0.0', 'no row for ws', '@a/b is no dependency']);
  });

  test('a version that is a range is reported', () => {
    assert.deepEqual(
      messages({ dependencies: { yaml: '^2.0.0' } }, list.replace('2.0.0', '^2.0.0')).slice(0, 1),
      ['yaml is not pinned'],
    );
  });
});

describe('package-lock.json', () => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as LockFile;
  const messages = (change: (packages: LockFile['packages']) => void): string[] => {
    const packages = structuredClone(lock.packages);
    change(packages);
    return checkLockFile({ packages }).map(({ message }) => message);
  };

  test('passes as it is', () => {
    assert.deepEqual(
      messages(() => {}),
      [],
    );
  });

  test('a registry, an install script and a missing platform are reported', () => {
    const found = messages((packages) => {
      packages['node_modules/yaml'] = {
        resolved: 'https://registry.example/yaml.tgz',
        hasInstallScript: true,
      };
      delete packages['node_modules/@biomejs/cli-darwin-arm64'];
    });
    assert.deepEqual(found, [
      'node_modules/yaml names a registry: https://registry.example/yaml.tgz',
      'node_modules/yaml has an install script',
      '@biomejs/cli-darwin-arm64 is missing',
    ]);
  });
});
