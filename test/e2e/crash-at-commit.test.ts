// A server process that is killed at a commit, before it is stored or after, and started again: the day of the scenario ends as it
// does where nothing happens. Two of the commits here, each of them in test/long/crash-at-commit.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playWithProcesses } from '../../src/testing/histories/crash-processes.ts';

test('a server that is killed before or after a commit leaves a lab in which everything comes to the same end', {
  timeout: 120_000,
}, async (t) => {
  const whole = await playWithProcesses();
  assert.deepEqual(whole.problems, []);
  assert.ok(whole.commits > 30, `${whole.commits} commits`);
  for (const when of ['before', 'after'] as const) {
    // The last few may come together.
    const commit = 1 + Math.floor(Math.random() * (whole.commits - 5));
    const { problems, end, crashed } = await playWithProcesses({ commit, when });
    const about = `killed ${when} commit ${commit} of ${whole.commits}`;
    t.diagnostic(about);
    assert.ok(crashed, about);
    assert.deepEqual(problems, [], about);
    assert.deepEqual(end, whole.end, about);
  }
});
