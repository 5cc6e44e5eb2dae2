// Driver v86: real machine code on the emulated PC, what it does with files, and how guests give up.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BoardFile, BoardJob } from '../../src/drivers/board/contract.ts';
import { createV86Driver } from '../../src/drivers/board/v86.ts';
import {
  boardJob,
  neverAborted,
  testBoardDriver,
  testFolder,
  writeBoardFile,
} from '../../src/testing/board-suite.ts';
import { ConsoleRecord } from '../../src/testing/console-record.ts';
import { type ImageSpec, makeImage } from '../../src/testing/images/make-image.ts';

const memoryMb = 16;

testBoardDriver('v86', {
  createDriver: () => createV86Driver({ memoryMb }),
  missing: (job) => ({
    driver: createV86Driver({ memoryMb }),
    job: { ...job, files: [{ path: '/no-such-thing', name: 'hello' }] },
  }),
  load: async (program, folder) => {
    const spec: ImageSpec = program === 'flood' ? { kind: program, megabytes: 2 } : { kind: program };
    return [await writeBoardFile(folder, program, makeImage(spec))];
  },
});

type NamedFile = readonly [name: string, content: Uint8Array | string];

async function boot(t: TestContext, named: readonly NamedFile[], changes: Partial<BoardJob> = {}) {
  const folder = await testFolder(t);
  const files: BoardFile[] = [];
  for (const [name, content] of named) files.push(await writeBoardFile(folder, name, content));
  const console = new ConsoleRecord();
  const driver = createV86Driver({ memoryMb });
  const session = await driver.start(boardJob(files, folder, changes), console, { signal: neverAborted() });
  t.after(() => session.stop());
  return { session, console };
}

const moduleOutput = 'module: booted\nmodule of 12 bytes\nroot server\n\nAll is well in the universe\n';

test('the second file becomes the boot module of the first', async (t) => {
  const files: NamedFile[] = [
    ['kernel', makeImage({ kind: 'module' })],
    ['root', 'root server\n'],
  ];
  const { console } = await boot(t, files);
  await console.waitFor('universe\n');
  assert.equal(console.text, moduleOutput);
});

test('the kernel may be the second file', async (t) => {
  const files: NamedFile[] = [
    ['root', 'root server\n'],
    ['kernel', makeImage({ kind: 'module' })],
  ];
  const { console } = await boot(t, files);
  await console.waitFor('universe\n');
  assert.equal(console.text, moduleOutput);
});

test('a kernel without a second file gets no module', async (t) => {
  const { console } = await boot(t, [['kernel', makeImage({ kind: 'module' })]]);
  await console.waitFor('universe\n');
  assert.equal(console.text, 'module: booted\nno module\nAll is well in the universe\n');
});

for (const [kind, words] of [
  ['halt', /halted with interrupts off/],
  ['fault', /no answer to .*GP handler/],
  ['reset', /reset the machine/],
] as const) {
  test(`a guest that ends in '${kind}' has crashed, and its last words are on the console`, async (t) => {
    const { session, console } = await boot(t, [['kernel', makeImage({ kind })]]);
    const exit = await session.exit;
    assert.ok(exit.kind === 'crashed');
    assert.match(exit.message, words);
    assert.equal(console.text, `${kind}: booted\n`);
  });
}

test('a guest that idles with interrupts on has not crashed', async (t) => {
  const { session, console } = await boot(t, [['kernel', makeImage({ kind: 'fail', errorText: 'no!' })]]);
  await console.waitFor('no!\n');
  session.write(Buffer.from('are you there?'));
  await session.stop();
  assert.deepEqual(await session.exit, { kind: 'stopped' });
});

test('a guest that waits takes its time from the clock', async (t) => {
  const startedAt = performance.now();
  const { console } = await boot(t, [['kernel', makeImage({ kind: 'slow', seconds: 0.5, lines: 5 })]]);
  await console.waitFor('universe\n');
  assert.ok(performance.now() - startedAt >= 500);
  assert.match(console.text, /step 1 of 5\nstep 2 of 5\nstep 3 of 5\nstep 4 of 5\nstep 5 of 5\n/);
});

test('a paste longer than any queue of the guest arrives whole', async (t) => {
  const { session, console } = await boot(t, [['kernel', makeImage({ kind: 'echo' })]]);
  const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
  session.write(Buffer.from(`${lines.join('\n')}\nexit\n`));
  await console.waitFor('universe\n');
  const answers = [...console.text.matchAll(/you said: (.*)\r\n/g)].map((match) => match[1]);
  assert.deepEqual(answers, lines);
});

const kernel = makeImage({ kind: 'hello' });

for (const [what, files, message] of [
  ['a file that is no image', [['notes.txt', 'hello']], /^'notes.txt' is not a multiboot image\.$/],
  [
    'two files that are no image',
    [
      ['a', 'x'],
      ['b', 'y'],
    ],
    /^Neither 'a' nor 'b' is a multiboot image\.$/,
  ],
  [
    'an image that was cut off',
    [['k', kernel.slice(0, 500)]],
    /^'k' is cut off inside one of its ELF segments\.$/,
  ],
  ['an empty file', [['k', '']], /^'k' is not a multiboot image\.$/],
  [
    'a file larger than the memory',
    [['k', new Uint8Array(17 * 1024 * 1024)]],
    /^'k' has 17 MB, and the board's memory 16 MB\.$/,
  ],
  [
    'a module that leaves no room',
    [
      ['k', kernel],
      ['m', new Uint8Array(15 * 1024 * 1024)],
    ],
    /^'k' and 'm' together don't fit into 16 MB\.$/,
  ],
  [
    'three files',
    [
      ['k', kernel],
      ['m', ''],
      ['n', ''],
    ],
    /not 3 files/,
  ],
  ['no file', [], /not 0 files/],
] as const satisfies readonly (readonly [string, readonly NamedFile[], RegExp])[]) {
  test(`${what} does not boot, and the message says why`, async (t) => {
    const { session, console } = await boot(t, files);
    const exit = await session.exit;
    assert.ok(exit.kind === 'boot-failed');
    assert.match(exit.message, message);
    assert.equal(console.text, '');
  });
}

for (const [what, changes] of [
  ['Linux', { linux: true }],
  ['a device tree', { dtbPath: '/some.dtb' }],
  ['a bitstream', { bitstreamPath: '/some.bit' }],
] as const) {
  test(`${what} is refused by an emulated PC`, async (t) => {
    const { session } = await boot(t, [['k', kernel]], changes);
    assert.equal((await session.exit).kind, 'boot-failed');
  });
}

test('a memory size that can not be is refused when the driver is made', () => {
  for (const memoryMb of [0, 1, 1025, 2.5, Number.NaN]) {
    assert.throws(() => createV86Driver({ memoryMb }), RangeError);
  }
});
