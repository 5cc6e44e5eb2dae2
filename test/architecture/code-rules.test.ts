// What the rules about sizes, names, words, determinism and skipped tests report, and what they let pass.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkEntryUrls } from '../../scripts/check/entry-rules.ts';
import {
  checkFileName,
  checkTestPlace,
  checkTestSupport,
  checkWords,
} from '../../scripts/check/name-rules.ts';
import { checkPurity } from '../../scripts/check/purity-rules.ts';
import { checkFileLength, checkFunctionLength } from '../../scripts/check/size-rules.ts';
import { checkSkips } from '../../scripts/check/skip-rules.ts';
import { parseFile } from '../../scripts/check/syntax-tree.ts';
import { findingsOf, textFindingsOf } from './sample.ts';

const lines = (count: number): string => 'x;\n'.repeat(count);

describe('sizes', () => {
  test('a file of 400 lines passes, one of 401 does not, prose may be longer', () => {
    assert.deepEqual(textFindingsOf(checkFileLength, 'src/cli/a.ts', lines(400)), []);
    assert.match(textFindingsOf(checkFileLength, 'src/cli/a.ts', lines(401))[0] ?? '', /^401: 401 lines/);
    assert.deepEqual(textFindingsOf(checkFileLength, 'docs/a.md', lines(401)), []);
  });

  test('a function of 59 lines passes, one of 60 does not', () => {
    assert.deepEqual(findingsOf(checkFunctionLength, 'src/a/a.ts', `function f() {\n${lines(57)}}`), []);
    const found = findingsOf(checkFunctionLength, 'src/a/a.ts', `\nfunction f() {\n${lines(58)}}`);
    assert.match(found[0] ?? '', /^2: 'f' has 60 lines/);
  });

  test('methods and arrows count too, under their names', () => {
    const text = `class A { m() {\n${lines(60)}} }\nconst g = () => {\n${lines(60)}};`;
    const found = findingsOf(checkFunctionLength, 'src/a/a.ts', text);
    assert.deepEqual(
      found.map((line) => /'(\w)'/.exec(line)?.[1]),
      ['m', 'g'],
    );
  });

  test('a describe() may be long, the test in it may not', () => {
    const suite = (body: string): string => `describe('x', () => {\n${body}});`;
    assert.deepEqual(findingsOf(checkFunctionLength, 'test/a/a.test.ts', suite(lines(80))), []);
    const inner = suite(`test('y', () => {\n${lines(60)}});`);
    assert.equal(findingsOf(checkFunctionLength, 'test/a/a.test.ts', inner).length, 1);
  });
});

describe('names', () => {
  test('names that say nothing, that are not kebab-case, and barrels are reported', () => {
    const bad = [
      'src/a/utils.ts',
      'src/a/test-helpers.ts',
      'src/managers/a.ts',
      'src/a/jobQueue.ts',
      'src/a/index.ts',
    ];
    for (const path of bad) assert.equal(textFindingsOf(checkFileName, path).length, 1, path);
  });

  test('a name for the noun or verb inside passes', () => {
    const good = [
      'src/domain/grant-order.ts',
      'test/domain/grant-order.test.ts',
      'src/drivers/board/v86.ts',
      'bin/mq.sh',
    ];
    for (const path of good) assert.deepEqual(textFindingsOf(checkFileName, path), [], path);
  });

  test('a test stands in a folder of test', () => {
    assert.equal(textFindingsOf(checkTestPlace, 'src/domain/order.test.ts').length, 1);
    assert.equal(textFindingsOf(checkTestPlace, 'test/order.test.ts').length, 1);
    assert.deepEqual(textFindingsOf(checkTestPlace, 'test/domain/order.test.ts'), []);
  });
});

test('a file that tests share is reported when none names it', () => {
  const support = { path: 'test/a/slow-disk.ts', text: '// slow-disk.ts' };
  const user = { path: 'test/b/a.test.ts', text: "start('slow-disk.ts')" };
  assert.deepEqual(checkTestSupport([support, user]), []);
  assert.equal(checkTestSupport([support]).length, 1);
});

describe('words', () => {
  test('a declared name with a word that the glossary gives away is reported with the better one', () => {
    const declarations = [
      'const deviceCount = 1;',
      'function runTask() {}',
      'type LockMutex = 1;',
      'interface X { workers: number }',
      'class Reservation {}',
      'const f = (task: string) => task.length;',
    ];
    for (const text of declarations)
      assert.equal(findingsOf(checkWords, 'src/server/a.ts', text).length, 1, text);
    assert.match(
      findingsOf(checkWords, 'src/server/a.ts', declarations[0] ?? '')[0] ?? '',
      /'device': board/,
    );
  });

  test('names of others, parts of other words, and the words at home elsewhere pass', () => {
    const text =
      "import { Worker } from 'node:worker_threads';\nnew Worker(x, { name: 'a' });\nconst multitasking = 1;";
    assert.deepEqual(findingsOf(checkWords, 'src/store/a.ts', text), []);
    assert.deepEqual(findingsOf(checkWords, 'src/store/a.ts', 'class A { constructor() {} }'), []);
    assert.deepEqual(findingsOf(checkWords, 'src/drivers/console/a.ts', 'const devicePath = 1;'), []);
    assert.deepEqual(findingsOf(checkWords, 'src/cli/a.ts', 'const reservation = 1;'), []);
  });
});

describe('determinism', () => {
  const impure = [
    'Date.now()',
    'new Date()',
    'Math.random()',
    'performance.now()',
    'process.env',
    'console.log(1)',
    'setTimeout(f, 1)',
    'crypto.randomUUID()',
    'globalThis.x',
    'x.toLocaleString()',
    '({ process })',
  ];
  for (const code of impure) {
    test(`'${code}' is reported in domain, and nowhere else`, () => {
      assert.notDeepEqual(findingsOf(checkPurity, 'src/domain/a.ts', code), []);
      assert.deepEqual(findingsOf(checkPurity, 'src/server/a.ts', code), []);
    });
  }

  test('time that was passed in, and fields that happen to have such a name, pass', () => {
    const text = 'new Date(at); Math.floor(x); lock.process; const o = { console: 1 }; o.console;';
    assert.deepEqual(findingsOf(checkPurity, 'src/domain/a.ts', text), []);
  });
});

describe('tests that do not run', () => {
  const bad = [
    "test.skip('x', () => {});",
    "describe.skip('x', () => {});",
    "test.todo('x');",
    "test.only('x', () => {});",
    "test('x', { skip: true }, () => {});",
    "test('x', { skip: '' }, () => {});",
    "test('x', { only: true }, () => {});",
    "test('x', (t) => { t.skip(); });",
    "test('x', (t) => { t.todo('later'); });",
  ];
  for (const text of bad) {
    test(`${text} is reported`, () => {
      assert.equal(findingsOf(checkSkips, 'test/a/a.test.ts', text).length, 1);
    });
  }

  test('a reason, or what may give one, passes', () => {
    const good =
      "test('x', { skip: noQemu }, f); test('y', { skip: 'no qemu' }, f); test('z', (t) => { t.skip(why); });";
    assert.deepEqual(findingsOf(checkSkips, 'test/a/a.test.ts', good), []);
    assert.deepEqual(findingsOf(checkSkips, 'test/a/a.test.ts', 'stream.skip(4); find({ only: true });'), []);
  });
});

test('an entry point that the build does not know is reported, a known one is not', () => {
  const rule = (file: ReturnType<typeof parseFile>) => checkEntryUrls(file, ['store/thread.ts']);
  assert.deepEqual(findingsOf(rule, 'src/store/a.ts', "entryUrl('store/thread.ts')"), []);
  assert.equal(findingsOf(rule, 'src/store/a.ts', "entryUrl('store/other.ts')").length, 1);
  assert.equal(findingsOf(rule, 'src/store/a.ts', 'entryUrl(name)').length, 1);
});

test('text that is no TypeScript is an error with file and line', () => {
  assert.throws(
    () => parseFile({ path: 'src/a/a.ts', text: 'const x = 1;\nconst = ;' }),
    /^Error: src\/a\/a\.ts:2: /,
  );
});
