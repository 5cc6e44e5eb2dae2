// Servers and agents with a planted mistake, among clients and under kills: each is found out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { huntBug } from '../../src/testing/histories/hunt-bug.ts';
import { historyBugs } from '../../src/testing/planted-bugs/history-bugs.ts';

test('what chance does to real processes shows every planted mistake', async (t) => {
  const missed: string[] = [];
  for (const bug of historyBugs) {
    const found = await huntBug(bug, { seedsMax: 8 });
    t.diagnostic(`${bug.name}: ${found?.split('\n')[0]?.slice(0, 200) ?? 'not found'}`);
    if (found === undefined) missed.push(bug.name);
  }
  assert.deepEqual(missed, []);
});
