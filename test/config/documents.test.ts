// The examples, the reference and the editors' schema say what the program does.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { schemaFileText } from '../../scripts/schema/schema-file.ts';
import { loadConfig, parseConfig } from '../../src/cli/config/load.ts';
import { labSchema } from '../../src/cli/config/schema/lab.ts';
import { defaultLimits, defaultRetention } from '../../src/protocol/lab.ts';

const root = new URL('../../', import.meta.url);
const reference = readFileSync(new URL('docs/configuration.md', root), 'utf8');

interface Node {
  properties?: Record<string, Node>;
  patternProperties?: Record<string, Node>;
  items?: Node;
  oneOf?: Node[];
  default?: unknown;
}

/** Every key that a file may have, with its schema. */
function keysOf(node: Node): [string, Node][] {
  const properties = Object.entries(node.properties ?? {});
  const inner = [...Object.values(node.patternProperties ?? {}), ...(node.oneOf ?? [])];
  if (node.items !== undefined) inner.push(node.items);
  return [...properties, ...[...properties.map(([, value]) => value), ...inner].flatMap(keysOf)];
}

for (const name of readdirSync(new URL('examples', root)).filter((file) => file.endsWith('.yaml'))) {
  test(`examples/${name} is right, and without a warning`, async () => {
    const result = await loadConfig(new URL(`examples/${name}`, root).pathname);
    assert.ok(result.ok, JSON.stringify(result));
    assert.deepEqual(result.warnings, []);
  });
}

test('the two pools of the example for overlapping pools share a board', async () => {
  const result = await loadConfig(new URL('examples/overlapping-pools.yaml', root).pathname);
  assert.ok(result.ok);
  const [north, south] = result.config.pools;
  assert.deepEqual(
    north?.boards.filter((board) => south?.boards.includes(board)),
    ['pc2'],
  );
});

test('docs/lab.schema.json is the schema of the program (node scripts/config-schema.ts writes it)', () => {
  assert.equal(readFileSync(new URL('docs/lab.schema.json', root), 'utf8'), schemaFileText());
});

test('the schema for editors accepts the examples, and refuses a wrong key wherever it is', () => {
  const accepts = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(schemaFileText()));
  const example = readFileSync(new URL('examples/lab.yaml', root), 'utf8');
  assert.ok(accepts(parse(example)), JSON.stringify(accepts.errors));
  for (const key of ['lab:', 'arch:', 'driver:', 'path:', 'default:', 'where:', 'high:', 'job_max:']) {
    assert.ok(!accepts(parse(example.replaceAll(key, `x${key}`))), key);
  }
});

test('the reference has every key of the schema, and the keys it shows are accepted', () => {
  const missing = keysOf(labSchema as Node).filter(
    ([key]) => !reference.includes(`\`${key}\``) && !new RegExp(`\\b${key}: `).test(reference),
  );
  assert.deepEqual(
    missing.map(([key]) => key),
    [],
  );
  const examples = [...reference.matchAll(/```yaml\n(lab: [\s\S]*?)```/g)];
  assert.equal(examples.length, 3);
  for (const [, example] of examples) {
    const result = parseConfig(example ?? '', 'configuration.md');
    assert.ok(result.ok, JSON.stringify(result));
    assert.deepEqual(result.warnings, []);
  }
});

test('limits and retention in the reference, in the schema and in the program are the same', () => {
  const inProgram = { limits: defaultLimits, retention: defaultRetention };
  for (const section of ['limits', 'retention'] as const) {
    const keys = Object.entries((labSchema as Node).properties?.[section]?.properties ?? {});
    const written = keys.map(([key, { default: byDefault }]) => {
      const row = new RegExp(`^\\| \`${key}\` \\|.*?\\| \`([^\`]*)\` \\|`, 'm').exec(reference);
      assert.equal(row?.[1], String(byDefault), key);
      return `${key}: ${byDefault}`;
    });
    const boards = 'boards: { b: { machine: { driver: v86 } } }';
    const result = parseConfig(`lab: L\n${boards}\n${section}: { ${written.join(', ')} }\n`, 'lab.yaml');
    assert.ok(result.ok, JSON.stringify(result));
    assert.deepEqual(result.config[section], inProgram[section]);
    assert.equal(keys.length, Object.keys(inProgram[section]).length);
  }
});
