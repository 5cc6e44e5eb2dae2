// The table of who may import what, row by row, and the ways in which an import can be written.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkImports } from '../../scripts/check/import-rules.ts';
import { findingsOf } from './sample.ts';

// Each folder with what it may use; everything else is a breach. Written out again here on purpose.
const table: Record<string, string[]> = {
  domain: [],
  platform: [],
  protocol: ['domain'],
  store: ['domain'],
  drivers: ['platform'],
  client: ['protocol', 'domain'],
  agent: ['client', 'domain', 'protocol', 'drivers', 'platform'],
  server: ['domain', 'protocol', 'store', 'platform'],
  http: ['server', 'protocol', 'domain', 'platform'],
};
const folders = [...Object.keys(table), 'cli', 'testing'];
table.cli = folders;
table.testing = folders;

const importsOf = (path: string, text: string): string[] => findingsOf(checkImports, path, text);

describe('who may import what', () => {
  for (const from of folders) {
    const allowed = [from, ...(table[from] ?? [])];
    test(`${from} may import ${allowed.join(', ')}, and nothing else of src`, () => {
      const accepted = folders.filter(
        (to) => importsOf(`src/${from}/a.ts`, `import { x } from '../${to}/b.ts';`).length === 0,
      );
      assert.deepEqual(
        accepted,
        folders.filter((to) => allowed.includes(to)),
      );
    });
  }

  test('domain imports nothing from Node or npm; platform may', () => {
    const text = "import { readFileSync } from 'node:fs';\nimport pino from 'pino';\n";
    assert.equal(importsOf('src/domain/a.ts', text).length, 2);
    assert.deepEqual(importsOf('src/platform/a.ts', text), []);
  });

  test('protocol and client run in a browser: npm packages, but nothing of Node', () => {
    for (const folder of ['protocol', 'client']) {
      assert.deepEqual(importsOf(`src/${folder}/a.ts`, "import { Type } from 'typebox';"), []);
      for (const name of ['node:net', 'net', 'node:sqlite']) {
        assert.equal(importsOf(`src/${folder}/a.ts`, `import '${name}';`).length, 1, name);
      }
    }
  });

  test('server and agent know contracts, never a concrete store or driver; cli picks those', () => {
    const store = "import { SqliteStore } from '../store/sqlite/store.ts';";
    const driver = "import { v86 } from '../drivers/board/v86.ts';";
    assert.equal(importsOf('src/server/a.ts', store).length, 1);
    assert.equal(importsOf('src/agent/a.ts', driver).length, 1);
    assert.deepEqual(importsOf('src/cli/a.ts', `${store}\n${driver}`), []);
    assert.deepEqual(importsOf('src/server/a.ts', "import type { Store } from '../store/contract.ts';"), []);
    assert.deepEqual(
      importsOf('src/agent/a.ts', "import type { Board } from '../drivers/board/contract.ts';"),
      [],
    );
  });

  test('a folder that is not on the map is a breach', () => {
    assert.match(importsOf('src/extras/a.ts', '')[0] ?? '', /src\/extras is not a folder of the map/);
  });

  test('src imports nothing from beside it, but cli may read package.json', () => {
    assert.match(importsOf('src/server/a.ts', "import '../../test/x.ts';")[0] ?? '', /lies outside src/);
    const manifest = "import manifest from '../../package.json' with { type: 'json' };";
    assert.deepEqual(importsOf('src/cli/a.ts', manifest), []);
    assert.equal(importsOf('src/server/a.ts', manifest).length, 1);
  });

  test('tests, benchmarks and scripts may import anything', () => {
    const text = "import '../../src/store/sqlite/store.ts';";
    for (const path of ['test/store/a.test.ts', 'bench/x/a.ts']) assert.deepEqual(importsOf(path, text), []);
  });
});

describe('how an import can be written', () => {
  const ways = {
    'a static import': "import { x } from '../server/a.ts';",
    'an import of a type': "import type { X } from '../server/a.ts';",
    'an import for its effect': "import '../server/a.ts';",
    'a re-export': "export { x } from '../server/a.ts';",
    'a re-export of all': "export * from '../server/a.ts';",
    'a dynamic import': "const x = async () => await import('../server/a.ts');",
    'a dynamic import with a template': 'const x = async () => await import(`../server/a.ts`);',
    'a type by import()': "type X = import('../server/a.ts').X;",
    'an import by require': "import x = require('../server/a.ts');",
    'a call of require': "const x = require('../server/a.ts');",
  };
  for (const [way, text] of Object.entries(ways)) {
    test(`${way} is seen, at its line`, () => {
      const found = importsOf('src/domain/a.ts', `\n\n${text}`);
      assert.equal(found.length, 1);
      assert.match(found[0] ?? '', /^3: domain may not import server/);
    });
  }

  test('a name that is made at run time is a breach', () => {
    assert.match(importsOf('src/cli/a.ts', 'await import(name);')[0] ?? '', /needs a literal name/);
  });

  test('the word import in a text or a comment is none', () => {
    const text = "// import x from '../server/a.ts'\nexport const x = \"import '../server/a.ts'\";";
    assert.deepEqual(importsOf('src/domain/a.ts', text), []);
  });
});
