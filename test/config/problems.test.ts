// What is said of a wrong file: every fault, at its place, with the nearest right word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/cli/config/load.ts';
import { formatProblem } from '../../src/cli/config/problem.ts';

const machine = 'machine: { driver: v86 }';

/** The problems of a file, or its warnings where there are none, each as it is printed. */
function said(text: string): string[] {
  const result = parseConfig(text, 'lab.yaml');
  return (result.ok ? result.warnings : result.problems).map(formatProblem);
}

/** The same for a board's settings, which begin at line 3, column 8. */
function saidOfBoard(settings: string): string[] {
  return said(`lab: L\nboards:\n  b: { ${settings} }\n`);
}

test('an unknown key is named with its line, its column and the nearest known one', () => {
  assert.deepEqual(said(`lab: L\nboards:\n  sabre:\n    ${machine}\n    achr: arm\n`), [
    "lab.yaml:5:5: unknown key 'achr' in board 'sabre'. Did you mean 'arch'?",
  ]);
  assert.deepEqual(said(`lab: L\nbords: {}\nboards: { b: { ${machine} } }\n`), [
    "lab.yaml:2:1: unknown key 'bords'. Did you mean 'boards'?",
  ]);
});

test('an unknown key that is near none is answered with those there are', () => {
  assert.deepEqual(saidOfBoard('machine: { driver: v86, colour: red }'), [
    "lab.yaml:3:32: unknown key 'colour' in machine of board 'b'. There are: driver, memory_mb",
  ]);
});

test('a key that is only misspelt is not said to be missing too, and one that is missing is', () => {
  assert.deepEqual(saidOfBoard('machin: { driver: v86 }'), [
    "lab.yaml:3:8: unknown key 'machin' in board 'b'. Did you mean 'machine'?",
  ]);
  assert.deepEqual(saidOfBoard('arch: arm'), ["lab.yaml:3:3: missing key 'machine' in board 'b'"]);
  assert.deepEqual(saidOfBoard('machine: { path: /x }'), [
    "lab.yaml:3:8: missing key 'driver' in machine of board 'b'",
  ]);
});

test('an unknown driver is answered with the nearest one', () => {
  assert.deepEqual(saidOfBoard('machine: { driver: scrpt, path: /x }'), [
    "lab.yaml:3:27: unknown driver 'scrpt' in machine of board 'b'. Did you mean 'script'?",
  ]);
  assert.deepEqual(saidOfBoard('machine: { driver: bochs }'), [
    "lab.yaml:3:27: unknown driver 'bochs' in machine of board 'b'. There are: script, v86, qemu",
  ]);
});

const wrongValues: [settings: string, message: string][] = [
  [
    `${machine}, arch: [arm]`,
    "arch of board 'b' must be text on one line (200 characters at most), not a list",
  ],
  [`${machine}, arch: `, "arch of board 'b' must be text on one line (200 characters at most), not empty"],
  [`${machine}, linux: yes`, "linux of board 'b' must be true or false, not 'yes'. Write true"],
  [`${machine}, dtb: Off`, "dtb of board 'b' must be true or false, not 'Off'. Write false"],
  [`${machine}, linux: "true"`, "linux of board 'b' must be true or false, not 'true'"],
  [
    `${machine}, files: 3`,
    "files of board 'b' must be a number of images (1 or 2), { min, max } or { default, linux }, not '3'",
  ],
  [`${machine}, files: { min: 2, max: 1 }`, "min is above max in files of board 'b'"],
  [`${machine}, files: { default: { min: 2, max: 1 } }`, "min is above max in default of files of board 'b'"],
  [`${machine}, files: {}`, "files of board 'b' is empty. Write a number, such as 1"],
  [
    `${machine}, files: { min: 1, linux: 2 }`,
    "files of board 'b' has both { min, max } and { default, linux }. Keep one",
  ],
  [
    'machine: { driver: v86, memory_mb: 4 }',
    "memory_mb of machine of board 'b' must be a whole number from 8 to 512, not '4'",
  ],
  [
    'machine: { driver: script, path: reboot }',
    "path of machine of board 'b' must be an absolute path, not 'reboot'",
  ],
  [
    'machine: v86',
    "machine of board 'b' must be the settings of a driver, such as { driver: v86 }, not 'v86'",
  ],
  [
    `${machine}, tags: { arch: x }`,
    "tag 'arch' in board 'b' has the name of an attribute. Write arch beside tags",
  ],
  [
    `${machine}, tags: { "a=b": x }`,
    "'a=b' in tags of board 'b' must be a name of letters, digits, _ . + and -, that begins with a letter or digit (64 at most)",
  ],
  [
    `${machine}, aliases: [12]`,
    "entry 1 of aliases of board 'b' must be a name of letters, digits, _ . + and -, that begins with a letter or digit (64 at most), not '12'. Quote it",
  ],
  [`${machine}, aliases: [x, y, x]`, "'x' is in aliases of board 'b' twice, first as entry 1"],
];

for (const [settings, message] of wrongValues) {
  test(`a board with { ${settings} } is refused`, () => {
    assert.deepEqual(
      saidOfBoard(settings).map((line) => line.replace(/^lab\.yaml:3:\d+: /, '')),
      [message],
    );
  });
}

test('the same settings without the fault are accepted in silence', () => {
  assert.deepEqual(
    saidOfBoard(`${machine}, arch: arm, linux: true, dtb: false, files: { min: 1, max: 2 }`),
    [],
  );
  assert.deepEqual(
    saidOfBoard('machine: { driver: v86, memory_mb: 8 }, tags: { a: x }, aliases: ["12"]'),
    [],
  );
  assert.deepEqual(saidOfBoard('machine: { driver: script, path: /reboot }, files: { default: 1 }'), []);
});

const badNames = [
  '-b',
  '_b',
  'a,b',
  'a=b',
  'a b',
  'a/b',
  'ä',
  `"${'x'.repeat(65)}"`,
  '"a\\nb"',
  '__proto__',
  '""',
];
for (const name of badNames) {
  test(`${name} is no name of a board or pool`, () => {
    const lines = said(
      `lab: L\nboards:\n  b: { ${machine} }\n  ${name}: { ${machine} }\npools:\n  ${name}: [b]\n`,
    );
    assert.equal(
      lines.filter((line) => / in (boards|pools) must be a name of letters/.test(line)).length,
      2,
      lines.join('\n'),
    );
  });
}

test('names clash between boards, aliases and pools, and the later in the file is told of the earlier', () => {
  const text = `lab: L
boards:
  a: { ${machine}, aliases: [old, b, a] }
  b: { ${machine}, aliases: [old, p] }
pools:
  p: [a]
  a: [b]
`;
  const at = (line: number, word: string) =>
    `${line}:${(text.split('\n')[line - 1] ?? '').indexOf(word) + 1}`;
  assert.deepEqual(said(text), [
    `lab.yaml:${at(3, 'b, a]')}: alias 'b' of board 'a' has the name of board 'b' in line 4`,
    `lab.yaml:${at(3, 'a] }')}: alias 'a' of board 'a' has the name of board 'a' in line 3`,
    `lab.yaml:${at(4, 'old')}: alias 'old' of board 'b' has the name of alias 'old' of board 'a' in line 3`,
    `lab.yaml:${at(4, 'p] }')}: alias 'p' of board 'b' has the name of pool 'p' in line 6`,
    "lab.yaml:7:3: pool 'a' has the name of board 'a' in line 3",
  ]);
});

test('a board that is there twice is said to be, though YAML readers keep the last', () => {
  assert.deepEqual(said(`lab: L\nboards:\n  a: { ${machine} }\n  a: { ${machine} }\n`), [
    "lab.yaml:4:3: 'a' is there twice, first in line 3",
  ]);
});

test('a pool of unknown boards is answered with the nearest names, aliases included', () => {
  const text = `lab: L\nboards:\n  sabre: { ${machine}, aliases: [wandboard] }\npools:\n  p: [sabre, sabr, wandbord, qqq]\n`;
  assert.deepEqual(said(text), [
    "lab.yaml:5:14: unknown board 'sabr' in pool 'p'. Did you mean 'sabre'?",
    "lab.yaml:5:20: unknown board 'wandbord' in pool 'p'. Did you mean 'wandboard'?",
    "lab.yaml:5:30: unknown board 'qqq' in pool 'p'",
  ]);
});

test('an entry that is no name at all is not said to be an unknown board too', () => {
  const lines = said(`lab: L\nboards: { a: { ${machine} } }\npools: { p: [a, "-x", [a]] }\n`);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /^lab\.yaml:3:17: entry 2 of pool 'p' must be a name .*, not '-x'$/);
  assert.match(lines[1] ?? '', /^lab\.yaml:3:23: entry 3 of pool 'p' must be a name .*, not a list$/);
});

test('a board is once in a pool, by whichever name', () => {
  const text = `lab: L\nboards:\n  a: { ${machine}, aliases: [old] }\npools:\n  p: [a, old]\n  q: [a, a]\n`;
  assert.deepEqual(said(text), [
    "lab.yaml:5:10: 'old' in pool 'p' is the board 'a' again",
    "lab.yaml:6:10: 'a' is in pool 'q' twice, first as entry 1",
  ]);
});

test('a pool is a list or a selector, not both and not neither', () => {
  const text = `lab: L\nboards: { a: { ${machine}, soc: s } }\npools:\n  p: { boards: [a], where: { soc: s } }\n  q: { spread: true }\n  r: a\n  s: { where: {} }\n`;
  assert.deepEqual(said(text), [
    "lab.yaml:4:3: pool 'p' has both boards and where. Keep one",
    "lab.yaml:5:3: pool 'q' has no boards. Write boards or where",
    "lab.yaml:6:6: pool 'r' must be a list of boards, { boards } or { where }, not 'a'",
    "lab.yaml:7:15: where of pool 's' must be a mapping of attributes, such as { soc: imx6 }, not empty",
  ]);
});

test('all faults come at once and in the order of the file', () => {
  const text = `lab: L
force: admn
boards:
  a: { ${machine}, ram: [] }
  a b: { ${machine} }
pools:
  p: [aa]
limits: { job_max: 7200, log_bytes_max: 256Mb, queue_length: 0, queue_lenght: 1 }
`;
  assert.deepEqual(said(text), [
    "lab.yaml:2:8: force must be anyone or admin, not 'admn'. Did you mean 'admin'?",
    "lab.yaml:4:39: ram of board 'a' must be text on one line (200 characters at most), not a list",
    "lab.yaml:5:3: 'a b' in boards must be a name of letters, digits, _ . + and -, that begins with a letter or digit (64 at most)",
    "lab.yaml:7:7: unknown board 'aa' in pool 'p'. Did you mean 'a'?",
    "lab.yaml:8:20: job_max of limits must be a duration such as 2h or 1h30m (units d, h, m, s), not '7200'",
    "lab.yaml:8:41: log_bytes_max of limits must be a size such as 256MB (units B, KB, MB, GB), not '256Mb'",
    "lab.yaml:8:62: queue_length of limits must be a whole number from 1 to 1000000, not '0'",
    "lab.yaml:8:65: unknown key 'queue_lenght' in limits. Did you mean 'queue_length'?",
  ]);
});

test('a pool whose selector finds nothing is a warning, with the nearest attribute where it names none', () => {
  const text = `lab: L\nboards: { a: { ${machine}, tags: { desk: north } } }\npools:\n  p: { where: { desk: south } }\n  q: { where: { desk: north, soc: x } }\n  r: { where: { dsk: north } }\n  s: []\n  t: { where: { desk: north } }\n`;
  assert.deepEqual(said(text), [
    "lab.yaml:4:3: pool 'p' has no boards: none matches",
    "lab.yaml:5:3: pool 'q' has no boards: none matches",
    "lab.yaml:6:17: pool 'r' has no boards: none has 'dsk'. Did you mean 'desk'?",
    "lab.yaml:7:3: pool 's' has no boards",
  ]);
});

test('settings that have no effect are warned of', () => {
  assert.deepEqual(saidOfBoard(`${machine}, dtb: true, files: { linux: 2 }`), [
    "lab.yaml:3:34: board 'b' takes a dtb but does not boot Linux, and a dtb comes only with Linux",
    "lab.yaml:3:54: board 'b' does not boot Linux, so linux of its files is never used",
  ]);
  assert.deepEqual(said(`lab: L\nboards: { b: { ${machine} } }\nforce: admin\n`), [
    'lab.yaml:3:1: force is for admins, and there are none: nobody may release the lock of another',
  ]);
  assert.deepEqual(said(`lab: L\nboards: { b: { ${machine} } }\nforce: admin\nadmins: [root]\n`), []);
});

test('a board called on is warned of, and one called "on" is not', () => {
  assert.deepEqual(said(`lab: L\nboards:\n  on: { ${machine} }\n`), [
    "lab.yaml:3:3: board 'on' has a name that many YAML readers take for a value. Quote it",
  ]);
  assert.deepEqual(said(`lab: L\nboards:\n  "on": { ${machine} }\n`), []);
});

test('two boards have two lock files, and a name for one is warned of where there are none', () => {
  const lab = (lockFiles: string, other: string) =>
    `lab: L\n${lockFiles}boards:\n  a: { lock_file: old, ${machine} }\n  b: { ${other}${machine} }\n`;
  const folder = 'lock_files: /var/cache/locks\n';
  assert.deepEqual(said(lab(folder, '')), []);
  assert.deepEqual(said(lab(folder, 'lock_file: old, ')), [
    "lab.yaml:5:19: lock_file 'old' of board 'b' is that of board 'a'",
  ]);
  assert.deepEqual(said(lab(folder, '').replace('old', 'b')), [
    "lab.yaml:4:19: lock_file 'b' of board 'a' is that of board 'b'",
  ]);
  assert.deepEqual(said(lab(folder, 'lock_file: a, ')), []);
  assert.deepEqual(said(lab('lock_files: locks\n', '')), [
    "lab.yaml:2:13: lock_files must be an absolute path, not 'locks'",
  ]);
  assert.deepEqual(said(lab('', '')), [
    "lab.yaml:3:8: lock_file of board 'a' has no effect: the lab has no lock_files",
  ]);
});
