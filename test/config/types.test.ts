// Settings that boards share: types, and how long a lock may last.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseConfig } from '../../src/cli/config/load.ts';
import type { BoardConfig } from '../../src/protocol/lab.ts';

function boardsOf(text: string): BoardConfig[] {
  const result = parseConfig(text, 'lab.yaml');
  assert.ok(result.ok, JSON.stringify(result));
  return result.config.boards;
}

function problemsOf(text: string): string[] {
  const result = parseConfig(text, 'lab.yaml');
  assert.ok(!result.ok, 'the file was taken');
  return result.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const pc =
  'types: { pc: { arch: x86, ram: 1.0, files: 2, linux: true, tags: { desk: a, row: 1 }, machine: { driver: v86 } } }';

test('a board has the settings of its type', () => {
  const [board] = boardsOf(`lab: L\n${pc}\nboards: { b: { type: pc } }\n`);
  assert.deepEqual(board, {
    name: 'b',
    aliases: [],
    attributes: { arch: 'x86', ram: '1.0', desk: 'a', row: '1' },
    files: { plain: { min: 2, max: 2 }, linux: { min: 2, max: 2 } },
    takesLinux: true,
    takesDtb: false,
    machine: { driver: 'v86', memoryMb: 32 },
  });
});

test('what a board says itself takes the place of what its type says, and tags are put together', () => {
  const own =
    'type: pc, arch: arm, files: 1, linux: false, tags: { row: 2 }, machine: { driver: script, path: /p }';
  const [board] = boardsOf(`lab: L\n${pc}\nboards: { b: { ${own} } }\n`);
  assert.deepEqual(board?.attributes, { arch: 'arm', ram: '1.0', desk: 'a', row: '2' });
  assert.deepEqual(board?.files.plain, { min: 1, max: 1 });
  assert.equal(board?.takesLinux, false);
  assert.deepEqual(board?.machine, { driver: 'script', path: '/p' });
});

test('a board without that type has none of its settings', () => {
  const [board] = boardsOf(`lab: L\n${pc}\nboards: { b: { machine: { driver: v86 } } }\n`);
  assert.deepEqual(board?.attributes, {});
});

test('selectors find boards by what their types say', () => {
  const result = parseConfig(
    `lab: L\n${pc}\nboards: { b: { type: pc } }\npools: { p: { where: { desk: a } } }\n`,
    'f',
  );
  assert.ok(result.ok);
  assert.deepEqual(result.config.pools[0]?.boards, ['b']);
});

test('a type that is not there is told with the one that was meant, and nothing else of that board', () => {
  assert.deepEqual(problemsOf(`lab: L\n${pc}\nboards: { b: { type: pcc } }\n`), [
    "3:22 unknown type 'pcc' in board 'b'. Did you mean 'pc'?",
  ]);
  assert.deepEqual(problemsOf('lab: L\nboards: { b: { type: pc } }\n'), [
    "2:22 unknown type 'pc' in board 'b'",
  ]);
});

test('a machine must be there, in the board or in its type', () => {
  const types = 'types: { t: { arch: x86 } }';
  assert.deepEqual(problemsOf(`lab: L\n${types}\nboards: { b: { type: t } }\n`), [
    "3:11 missing key 'machine' in board 'b'",
  ]);
  assert.deepEqual(problemsOf('lab: L\nboards: { b: { arch: x86 } }\n'), [
    "2:11 missing key 'machine' in board 'b'",
  ]);
});

test('what is wrong in a type is told there', () => {
  const types =
    'types: { t: { achr: x86, tags: { soc: s }, files: { min: 2, max: 1 }, machine: { driver: v86 } } }';
  assert.deepEqual(problemsOf(`lab: L\n${types}\nboards: { b: { type: t } }\n`), [
    "2:15 unknown key 'achr' in type 't'. Did you mean 'arch'?",
    "2:34 tag 'soc' in type 't' has the name of an attribute. Write soc beside tags",
    "2:44 min is above max in files of type 't'",
  ]);
});

test('types have no aliases and no types of their own', () => {
  const types = 'types: { t: { aliases: [x], type: t, machine: { driver: v86 } } }';
  const problems = problemsOf(`lab: L\n${types}\nboards: { b: { type: t } }\n`);
  assert.deepEqual(
    problems.map((problem) => problem.slice(0, problem.indexOf(' in type'))),
    ["2:15 unknown key 'aliases'", "2:29 unknown key 'type'"],
  );
});

const machine = 'machine: { driver: v86 }';

test('the nearest word on how long a lock may last counts: board, type, pools, lab', () => {
  const boards = boardsOf(`
lab: L
hold_max: 1d
idle_max: 1h30m
types: { t: { hold_max: 2h, ${machine} } }
boards:
  own: { type: t, hold_max: 1h, ${machine} }
  typed: { type: t }
  pooled: { ${machine} }
  plain: { ${machine} }
pools:
  all: { boards: [own, typed, pooled], hold_max: 4h, idle_max: 20m }
  one: { where: { desk: x }, hold_max: 1m }
  two: { boards: [pooled], hold_max: 3h }
  list: [plain]
`);
  assert.deepEqual(
    boards.map(({ name, holdMaxSeconds, idleMaxSeconds }) => [name, holdMaxSeconds, idleMaxSeconds]),
    [
      ['own', 3_600, 1_200],
      ['typed', 7_200, 1_200],
      ['pooled', 10_800, 1_200],
      ['plain', 86_400, 5_400],
    ],
  );
});

test('without a word a lock may last, and a time that is none is refused', () => {
  const [board] = boardsOf(`lab: L\nboards: { b: { ${machine} } }\n`);
  assert.ok(board && !('holdMaxSeconds' in board) && !('idleMaxSeconds' in board));
  const [problem] = problemsOf(`lab: L\nidle_max: 20\nboards: { b: { ${machine} } }\n`);
  assert.match(problem ?? '', /^2:11 idle_max must be a duration such as 30m/);
});

test('the example of types in the reference is right, and says what the text beside it says', () => {
  const reference = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const [, example = ''] = /## Types[\s\S]*?```yaml\n([\s\S]*?)```/.exec(reference) ?? [];
  const pc2 = boardsOf(example)[1];
  assert.deepEqual([pc2?.attributes.desk, pc2?.attributes.row], ['north', '3']);
});

test('the end of a lock switches a board off, unless the board or its type leaves it', () => {
  const types = `types: { pc: { between_holders: leave, ${machine} } }`;
  const boards = `boards: { a: { type: pc }, b: { type: pc, between_holders: off }, c: { ${machine} } }`;
  assert.deepEqual(
    boardsOf(`lab: L\n${types}\n${boards}\n`).map(({ betweenHolders }) => betweenHolders),
    ['leave', undefined, undefined],
  );
  assert.deepEqual(problemsOf(`lab: L\nboards: { b: { between_holders: on, ${machine} } }\n`), [
    "2:33 between_holders of board 'b' must be off or leave, not 'on'",
  ]);
});
