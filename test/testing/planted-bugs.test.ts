// The simulation must find every planted bug: a mistake that it does not see could be in the scheduler today.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { plantedBugs } from '../../src/testing/planted-bugs/bugs.ts';
import { type HuntResult, runHunt } from '../../src/testing/planted-bugs/run-hunt.ts';

const hunt = { stepsEach: 4_000, seedsMax: 25 };
const timeout = 280_000;

test('each bug changes one place of the source, and has a name of its own', () => {
  assert.ok(plantedBugs.length >= 25);
  assert.equal(new Set(plantedBugs.map(({ name }) => name)).size, plantedBugs.length);
  for (const { name, file, find, replace } of plantedBugs) {
    const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
    assert.equal(source.split(find).length - 1, 1, `where it is planted: ${name}`);
    assert.notEqual(find, replace, name);
  }
});

test('the simulation finds every planted bug', { timeout }, async (t) => {
  const waiting = [...plantedBugs];
  const results: HuntResult[] = [];
  const hunter = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug; bug = waiting.shift())
      results.push(await runHunt(bug, { ...hunt, signal: t.signal }));
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, hunter));
  for (const { bug, steps, problem } of results.toSorted((a, b) => a.steps - b.steps))
    console.log(`  ${String(steps).padStart(6)} steps: ${bug} (${problem?.slice(0, 100)})`);
  assert.deepEqual(
    results.filter(({ found }) => !found).map(({ bug }) => bug),
    [],
  );
});
