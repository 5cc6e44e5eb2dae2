// The judge of real processes must be able to fail: servers and agents with a planted mistake are found out, by a crash at a
// commit or the kill of an agent. Those that take chance are hunted in test/long/histories-bugs.test.ts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { huntBug } from '../../src/testing/histories/hunt-bug.ts';
import { playKilledAgent } from '../../src/testing/histories/killed-agent.ts';
import { historyBugs } from '../../src/testing/planted-bugs/history-bugs.ts';

test('each mistake changes one place of the source, and has a name of its own', () => {
  assert.equal(new Set(historyBugs.map(({ name }) => name)).size, historyBugs.length);
  for (const { name, file, find, replace } of historyBugs) {
    const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
    assert.equal(source.split(find).length - 1, 1, `where it is planted: ${name}`);
    assert.notEqual(find, replace, name);
  }
});

test('an agent that is killed during a job leaves nothing at its board when the next one comes', async () => {
  const { problems, verdicts } = await playKilledAgent();
  assert.deepEqual(problems, []);
  assert.deepEqual(verdicts, ['lab-fault', 'completed']);
});

test('an answer that comes too soon, a repeat taken for something new, and an agent that leaves its leftovers are found', {
  timeout: 120_000,
}, async (t) => {
  for (const bug of historyBugs.filter(({ shownBy }) => shownBy !== 'storm')) {
    const found = await huntBug(bug, { seedsMax: 1 });
    assert.ok(found !== undefined, `${bug.name} is found`);
    t.diagnostic(`${bug.name}: ${found.split('\n')[0]}`);
  }
});
