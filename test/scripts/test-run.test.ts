// How `npm test` runs a file: what it makes of files that hang, spin, crash, leak or leave tests out.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { closingLines } from '../../scripts/test-run/closing-lines.ts';
import { type FileOutcome, runTestFile } from '../../scripts/test-run/run-file.ts';

const root = resolve(import.meta.dirname, '../..');
const importTest = "import { describe, before, test } from 'node:test';";

function runText(
  t: TestContext,
  text: string,
  { fileSeconds = 20, signal = t.signal } = {},
): Promise<FileOutcome> {
  mkdirSync(join(root, '.tmp'), { recursive: true });
  const folder = mkdtempSync(join(root, '.tmp/test-run-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'sample.test.ts');
  writeFileSync(file, `${importTest}\n${text}`);
  return runTestFile({ file, flags: [], testSeconds: 1, fileSeconds, signal });
}

/** Not when it is gone, nor when it is dead and its new parent has not looked yet. */
function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
}

/** It has been sent SIGKILL, but dying takes a moment of its own. The test's time limit ends a wait in vain. */
async function untilDead(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
}

const brief = ({ ended }: FileOutcome): string[] =>
  ended
    .filter(({ isSuite }) => !isSuite)
    .map(({ name, outcome, reason }) => `${name}: ${outcome} ${reason ?? ''}`.trim());

describe('a test file', { concurrency: 2 }, () => {
  test('tells how each test went, and why one was left out', async (t) => {
    const outcome = await runText(
      t,
      `describe('s', () => { test('a', () => {}); test('b', { skip: 'no qemu' }, () => {}); });
       test('c', (t) => { t.skip('not root'); }); test('d', () => { throw new Error('broken'); });`,
    );
    assert.deepEqual(brief(outcome), [
      'a: passed',
      'b: left out no qemu',
      'c: left out not root',
      'd: failed',
    ]);
    assert.deepEqual(outcome.problems, []);
    assert.match(outcome.output, /broken/);
  });

  test('that ends well has no problems', async (t) => {
    const outcome = await runText(t, "test('a', () => {});");
    assert.deepEqual([brief(outcome), outcome.problems], [['a: passed'], []]);
  });

  test('with a test that never ends: that test fails, the next one runs', async (t) => {
    const text = "test('a', () => new Promise((f) => setTimeout(f, 2_000))); test('b', () => {});";
    assert.deepEqual(brief(await runText(t, text)), ['a: failed', 'b: passed']);
  });

  test('that spins is ended when its time is up', async (t) => {
    const outcome = await runText(t, "test('a', () => { for (;;); });", { fileSeconds: 2 });
    assert.match(outcome.problems.join(), /was not done in 2 s/);
  });

  test('that leaves something open is ended, and told what it was', async (t) => {
    const outcome = await runText(t, "test('a', () => { setInterval(() => {}, 1_000); });");
    assert.match(outcome.problems.join(), /does not end; still open: .*Timeout/);
  });

  test('that crashes before its tests is a problem', async (t) => {
    const outcome = await runText(t, "throw new Error('no tests today');");
    assert.deepEqual(outcome.problems, ['ended with 1']);
    assert.match(outcome.output, /no tests today/);
  });

  test('leaves no process behind, even if it starts one and forgets it', async (t) => {
    const outcome = await runText(
      t,
      `import { spawn } from 'node:child_process';
       test('a', () => { const child = spawn('sleep', ['600'], { stdio: 'inherit' }); child.unref(); console.log('pid', child.pid); });`,
    );
    const pid = Number(/pid (\d+)/.exec(outcome.output)?.[1]);
    assert.ok(pid > 0);
    await untilDead(pid);
  });

  test('is ended at once when the run is', async (t) => {
    const text = "test('a', () => new Promise((f) => setTimeout(f, 600_000)));";
    const outcome = await runText(t, text, { signal: AbortSignal.timeout(300) });
    assert.deepEqual(outcome.problems, ['was ended']);
    assert.ok(outcome.seconds < 10);
  });
});

describe('the closing lines', () => {
  const outcome = (change: Partial<FileOutcome>): FileOutcome => ({
    file: 'test/a/a.test.ts',
    output: '',
    ended: [{ kind: 'ended', isSuite: false, name: 'a', outcome: 'passed' }],
    problems: [],
    seconds: 1,
    ...change,
  });
  const leftOut = outcome({
    ended: [
      {
        kind: 'ended',
        isSuite: false,
        name: 'boots on qemu',
        outcome: 'left out',
        reason: 'qemu is missing',
      },
    ],
  });

  test('all passed: one line, and well', () => {
    const verdict = closingLines([outcome({})], { demandAll: true, seconds: 83 });
    assert.deepEqual(verdict, {
      ok: true,
      lines: ['1 tests in 1 files: 1 passed, 0 failed, 0 left out, 1 min 23 s'],
    });
  });

  test('what was left out is named with its reason and the command that adds it', () => {
    const { ok, lines } = closingLines([outcome({}), leftOut], { demandAll: false, seconds: 1 });
    assert.equal(ok, true);
    assert.ok(lines.includes('  test/a/a.test.ts: boots on qemu (qemu is missing)'));
    assert.ok(lines.some((line) => line.includes('npm run setup:debian')));
  });

  test('with CI set, what was left out is a failure', () => {
    assert.equal(closingLines([outcome({}), leftOut], { demandAll: true, seconds: 1 }).ok, false);
  });

  test('a failed test, a problem with a file, and a run without tests are failures', () => {
    const failed = outcome({ ended: [{ kind: 'ended', isSuite: false, name: 'a', outcome: 'failed' }] });
    const broken = outcome({ problems: ['ended with 1'] });
    for (const outcomes of [[failed], [broken], []]) {
      assert.equal(closingLines(outcomes, { demandAll: false, seconds: 1 }).ok, false);
    }
  });
});
