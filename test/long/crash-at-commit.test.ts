// Each of the commits of the scenario crashed, before it is stored and after: in one process, and by a process that is killed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playWithProcesses } from '../../src/testing/histories/crash-processes.ts';
import type { StopAt } from '../../src/testing/histories/stopping-store.ts';
import { playInProcess } from '../server/crash-lab.ts';

interface Played {
  readonly end: unknown;
  readonly commits: number;
  readonly crashed: boolean;
  readonly problems: readonly string[];
}

async function crashEach(play: (at?: StopAt) => Promise<Played>): Promise<string> {
  const whole = await play();
  assert.deepEqual(whole.problems, []);
  let crashes = 0;
  for (let commit = 1; commit <= whole.commits; commit += 1) {
    for (const when of ['before', 'after'] as const) {
      const { problems, end, crashed } = await play({ commit, when });
      const about = `crashed ${when} commit ${commit} of ${whole.commits}`;
      assert.deepEqual(problems, [], about);
      assert.deepEqual(end, whole.end, about);
      if (crashed) crashes += 1;
    }
  }
  assert.ok(crashes > 2 * whole.commits - 10, 'but for the last few, which may come together, each was had');
  return `${crashes} crashes at ${whole.commits} commits`;
}

test('the store of a server in this process stops at each commit', async (t) => {
  t.diagnostic(await crashEach(playInProcess));
});

test('a server process is killed at each commit', async (t) => {
  t.diagnostic(await crashEach(playWithProcesses));
});
