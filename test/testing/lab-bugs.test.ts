// The simulation of the whole lab must find every mistake that is planted around the scheduler.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { labBugs } from '../../src/testing/planted-bugs/lab-bugs.ts';
import { type HuntResult, runHunt } from '../../src/testing/planted-bugs/run-hunt.ts';

const hunt = { stepsEach: 2_000, seedsMax: 12, in: 'lab' } as const;
const timeout = 280_000;

test('each bug of the lab changes one place of the source, and has a name of its own', () => {
  assert.equal(new Set(labBugs.map(({ name }) => name)).size, labBugs.length);
  for (const { name, file, find, replace } of labBugs) {
    const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
    assert.equal(source.split(find).length - 1, 1, `where it is planted: ${name}`);
    assert.notEqual(find, replace, name);
  }
});

test('the simulation of the whole lab finds every bug that is planted there', { timeout }, async (t) => {
  const waiting = [...labBugs];
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
