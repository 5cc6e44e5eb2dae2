// A lab in several files: what they have comes together, and errors name the file that they are in.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../src/cli/config/load.ts';
import { formatProblem } from '../../src/cli/config/problem.ts';

const root = await mkdtemp(join(tmpdir(), 'mq-include-'));
after(() => rm(root, { recursive: true, force: true }));
let count = 0;

/** Loads lab.yaml of a folder with these files. */
async function load(files: Record<string, string>) {
  count += 1;
  const folder = join(root, String(count));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const result = await loadConfig(join(folder, 'lab.yaml'));
  const told = (result.ok ? result.warnings : result.problems).map(formatProblem);
  return {
    config: result.ok ? result.config : undefined,
    told: told.map((text) => text.replaceAll(`${folder}/`, '')),
  };
}

const machine = 'machine: { driver: v86 }';
const board = (name: string, more = '') => `boards:\n  ${name}: { ${machine}${more} }\n`;
const main = 'lab: L\ninclude: boards.d/*.yaml\n';

test('boards, types and pools of all files come together, the own file first, then by name', async () => {
  const { config, told } = await load({
    'lab.yaml': `${main}${board('z')}pools: { p: [a, z] }\n`,
    'boards.d/b.yaml':
      'types: { pc: { arch: x86, machine: { driver: v86 } } }\npools: { q: { where: { arch: x86 } } }\n',
    'boards.d/a.yaml': 'boards:\n  b: { type: pc, ram: 1.0 }\n  a: { type: pc }\n',
  });
  assert.deepEqual(told, []);
  assert.deepEqual(
    config?.boards.map(({ name }) => name),
    ['z', 'b', 'a'],
  );
  assert.deepEqual(config?.boards[1]?.attributes, { arch: 'x86', ram: '1.0' });
  assert.deepEqual(
    config?.pools.map(({ name, boards }) => [name, ...boards]),
    [
      ['p', 'a', 'z'],
      ['q', 'b', 'a'],
    ],
  );
});

test('files that do not match, hidden ones and folders are left out', async () => {
  const wrong = 'wrong: 1\n';
  const { config, told } = await load({
    'lab.yaml': `${main}${board('z')}`,
    'boards.d/.a.yaml': wrong,
    'boards.d/a.yaml.old': wrong,
    'boards.d/sub.yaml/a.yaml': wrong,
    'boards.d/empty.yaml': '# nothing yet\n',
  });
  assert.deepEqual(told, []);
  assert.equal(config?.boards.length, 1);
});

test('errors name the file that they are in', async () => {
  const { told } = await load({
    'lab.yaml': `${main}pools: { p: [aa] }\n`,
    'boards.d/a.yaml': board('ab', ', achr: x86'),
    'boards.d/b.yaml': 'boards: { c: { type: t',
  });
  assert.deepEqual(told.slice(0, 2), [
    "lab.yaml:3:14: unknown board 'aa' in pool 'p'. Did you mean 'ab'?",
    "boards.d/a.yaml:2:35: unknown key 'achr' in board 'ab'. Did you mean 'arch'?",
  ]);
  assert.match(told[2] ?? '', /^boards\.d\/b\.yaml:1:\d+: not valid YAML/);
});

test('a name that is there in two files is told with both places', async () => {
  const { told } = await load({
    'lab.yaml': `${main}${board('a')}`,
    'boards.d/1.yaml': board('a'),
    'boards.d/2.yaml': `${board('b', ', aliases: [a]')}`,
  });
  assert.deepEqual(told, [
    "boards.d/1.yaml:2:3: board 'a' is there already, in line 4 of lab.yaml",
    "boards.d/2.yaml:2:44: alias 'a' of board 'b' has the name of board 'a' in line 4 of lab.yaml",
  ]);
});

test('an included file has boards, types and pools and nothing else', async () => {
  const { told } = await load({
    'lab.yaml': `${main}${board('a')}`,
    'boards.d/1.yaml': 'force: admin\ninclude: x\n',
    'boards.d/2.yaml': '- a\n',
    'boards.d/3.yaml': 'boards: [a]\n',
  });
  assert.deepEqual(told, [
    "boards.d/1.yaml:1:1: 'force' can't be in an included file. There are: boards, types, power_units, pools",
    "boards.d/1.yaml:2:1: 'include' can't be in an included file. There are: boards, types, power_units, pools",
    'boards.d/2.yaml:1:1: an included file must be a mapping of boards, types, power_units and pools, not a list',
    'boards.d/3.yaml:1:9: boards must be a mapping of boards, not a list',
  ]);
});

test('what is not there is told at its entry; a list of files is taken in its order', async () => {
  const files = { 'b.yaml': board('b'), 'a.yaml': board('a') };
  const right = await load({ ...files, 'lab.yaml': 'lab: L\ninclude: [b.yaml, a.yaml]\n' });
  assert.deepEqual(
    right.config?.boards.map(({ name }) => name),
    ['b', 'a'],
  );
  const { told } = await load({
    ...files,
    'lab.yaml': 'lab: L\ninclude: [b.yaml, c.yaml, d/*.yaml, "*/x.yaml"]\n',
  });
  assert.match(told[0] ?? '', /^lab\.yaml:2:27: 'd\/\*\.yaml' can't be included: ENOENT/);
  assert.match(told[1] ?? '', /^lab\.yaml:2:37: .*only the name of a file may have a \*/);
  assert.match(told[2] ?? '', /^c\.yaml: can't be read: ENOENT/);
  const shape = await load({ 'lab.yaml': `lab: L\ninclude: 7\n${board('a')}` });
  assert.match(shape.told[0] ?? '', /^lab\.yaml:2:10: include must be the path of a file/);
});
