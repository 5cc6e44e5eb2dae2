// Reading YAML with places: what is not YAML, what is YAML and still can't be a lab, and any text at all.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../src/cli/config/load.ts';
import { formatProblem } from '../../src/cli/config/problem.ts';
import { readSource } from '../../src/cli/config/source.ts';

function problemsOf(text: string): string[] {
  return readSource(text, 'lab.yaml').problems.map(formatProblem);
}

test('text that is not YAML is refused at its place', () => {
  assert.deepEqual(problemsOf('lab: [a\nboards: 1\n').length, 1);
  assert.match(problemsOf('lab: a\nboards: {\n')[0] ?? '', /^lab\.yaml:3:1: not valid YAML: /);
  assert.match(problemsOf('a: 1\n---\nb: 2\n')[0] ?? '', /^lab\.yaml:2:1: a second document begins here$/);
  assert.match(problemsOf('a: !secret x\n')[0] ?? '', /^lab\.yaml:1:4: not valid YAML: /);
});

test('an empty file, a list and a word are no lab', () => {
  for (const [text, found] of [
    ['', 'empty'],
    ['# nothing\n', 'empty'],
    ['- a\n', 'a list'],
    ['lab\n', "'lab'"],
  ]) {
    const result = parseConfig(text ?? '', 'lab.yaml');
    assert.ok(!result.ok);
    assert.deepEqual(
      result.problems.map(({ message }) => message),
      [`the file must be a mapping that begins with lab and boards, not ${found}`],
    );
  }
});

test('keys are taken as they are written', () => {
  const source = readSource('on: 1\n0x10: 2\n1.0: 3\ntrue: 4\n~: 5\n"a b": 6\n', 'lab.yaml');
  assert.deepEqual(source.problems, []);
  assert.deepEqual(source.keys([]), ['on', '0x10', '1.0', 'true', '~', 'a b']);
});

test('a key that is no word is refused', () => {
  assert.deepEqual(problemsOf('? [a, b]\n: 1\n'), ['lab.yaml:1:3: a key must be a name']);
});

test('an alias stands for the last anchor before it', () => {
  const source = readSource('a: &x 1\nb: *x\nc: &x { d: 2.0 }\ne: *x\n', 'lab.yaml');
  assert.deepEqual(source.problems, []);
  assert.equal(source.text(['b']), '1');
  assert.equal(source.text(['e', 'd']), '2.0');
});

test('an alias of nothing, or of what it is in, is refused', () => {
  assert.deepEqual(problemsOf('a: *x\nb: &x 1\n'), ["lab.yaml:1:4: '*x' has no '&x' before it"]);
  assert.deepEqual(problemsOf('a: &a { b: *a }\n'), ["lab.yaml:1:12: '*a' would contain itself"]);
});

test('a file that is too deep, or grows too large by aliases of aliases, is refused', () => {
  assert.match(problemsOf(`a: ${'['.repeat(60)}${']'.repeat(60)}\n`).join(), /nested more than 50 deep$/);
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level++) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  assert.match(problemsOf(lines.join('\n')).join(), /more than 1000000 values$/);
});

test('a value stands in its own line, and an empty one in that of its key', () => {
  const source = readSource('a:\n\n\nb: 1\nc:\n  d: 2\n', 'lab.yaml');
  assert.equal(source.valuePlace(['a']).line, 1);
  assert.deepEqual(source.valuePlace(['b']), { file: 'lab.yaml', line: 4, column: 4 });
  assert.deepEqual(source.keyPlace(['c', 'd']), { file: 'lab.yaml', line: 6, column: 3 });
  assert.deepEqual(source.keyPlace(['c', 'missing']), { file: 'lab.yaml', line: 5, column: 1 });
});

test('whatever is done to a file, the answer is a lab or problems that lie in the file', () => {
  const text = readFileSync(new URL('../fixtures/lab/lab.yaml', import.meta.url), 'utf8')
    .split('\n')
    .filter((_, index) => index < 6 || index > 53)
    .join('\n');
  const edit = fc.record({
    at: fc.nat(text.length),
    drop: fc.nat(12),
    add: fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.constantFrom(
        '\n',
        '  ',
        '- ',
        ': ',
        '{',
        '}',
        '[',
        ']',
        '"',
        '&a ',
        '*a',
        '!x ',
        '? ',
        '|',
        '#',
        '\t',
        'linux: ',
      ),
    ),
  });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let changed = text;
      for (const { at, drop, add } of edits) changed = changed.slice(0, at) + add + changed.slice(at + drop);
      const lines = changed.split('\n').length;
      const result = parseConfig(changed, 'lab.yaml');
      const problems = result.ok ? result.warnings : result.problems;
      assert.ok(result.ok || problems.length > 0);
      for (const { line, column, message } of problems) {
        assert.ok(line >= 1 && line <= lines && column >= 1, `${line}:${column}: ${message}`);
      }
    }),
    { numRuns: 300 },
  );
});
