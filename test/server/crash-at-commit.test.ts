// A server that dies at a commit, before it is stored or after: the clients ask again under the same ids, and the day ends as it
// does where nothing happens. Every fourth commit here, each of them in test/long/crash-at-commit.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playInProcess } from './crash-lab.ts';

const timeout = 120_000;
const step = 4;

test('played without a crash, the day has its end and nothing speaks against what was seen', {
  timeout,
}, async () => {
  const { problems, crashed, commits, end } = await playInProcess();
  assert.deepEqual(problems, []);
  assert.ok(!crashed && commits > 30, `${commits} commits`);
  assert.match(JSON.stringify(end), /"key":"cyd-1".*"key":"ana-3".*"key":"dan-4".*"eve-2".*"bob-3"/);
});

test('crashed before and after a commit, the day ends the same', { timeout }, async (t) => {
  const whole = await playInProcess();
  const first = 1 + Math.floor(Math.random() * step);
  let crashes = 0;
  for (let commit = first; commit <= whole.commits; commit += step) {
    for (const when of ['before', 'after'] as const) {
      const { problems, end, crashed } = await playInProcess({ commit, when });
      const about = `crashed ${when} commit ${commit}`;
      assert.deepEqual(problems, [], about);
      assert.deepEqual(end, whole.end, about);
      if (crashed) crashes += 1;
    }
  }
  t.diagnostic(`${crashes} crashes, at every ${step}th of ${whole.commits} commits from ${first} on`);
  assert.ok(crashes >= 10, 'the server died');
});
