// The simulation must find every planted bug: a mistake that it does not see could be in the scheduler today.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { type PlantedBug, plantedBugs } from '../../src/testing/planted-bugs/bugs.ts';
import { type HuntOptions, type HuntResult, runHunt } from '../../src/testing/planted-bugs/run-hunt.ts';
import { promiseKind } from '../../src/testing/simulation/promise-kind.ts';

const hunt = { stepsEach: 4_000, seedsMax: 25 };
const timeout = 280_000;
/** Of each kind of promise one that is broken early. */
const shown = [
  'the hold counts from the grant',
  'a grant that nobody confirms is never taken back',
  'the turn of a set is not raised by a grant',
  'a release with the wrong key releases',
  'a lock that ends does not wait for its job',
  'graces do not begin anew at a start',
];

test('each bug changes one place of the source, and has a name of its own', () => {
  assert.ok(plantedBugs.length >= 25);
  assert.equal(new Set(plantedBugs.map(({ name }) => name)).size, plantedBugs.length);
  for (const { name, file, find, replace } of plantedBugs) {
    const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
    assert.equal(source.split(find).length - 1, 1, `where it is planted: ${name}`);
    assert.notEqual(find, replace, name);
  }
});

/** Hunts them at the same time, as far as there are cores. */
async function huntAll(bugs: readonly PlantedBug[], options: HuntOptions): Promise<HuntResult[]> {
  const waiting = [...bugs];
  const results: HuntResult[] = [];
  const hunter = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug; bug = waiting.shift()) results.push(await runHunt(bug, options));
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, hunter));
  return results;
}

test('the simulation finds every planted bug', { timeout }, async (t) => {
  const results = await huntAll(plantedBugs, { ...hunt, signal: t.signal });
  for (const { bug, steps, problem } of results.toSorted((a, b) => a.steps - b.steps))
    console.log(`  ${String(steps).padStart(6)} steps: ${bug} (${problem?.slice(0, 100)})`);
  assert.deepEqual(
    results.filter(({ found }) => !found).map(({ bug }) => bug),
    [],
  );
});

test('few commands are left of a run that broke a promise, and they break it still', {
  timeout,
}, async (t) => {
  const bugs = plantedBugs.filter(({ name }) => shown.includes(name));
  assert.equal(bugs.length, shown.length);
  const results = await huntAll(bugs, { ...hunt, shrinkMs: 20_000, signal: t.signal });
  for (const { bug, steps, problem = '', few } of results) {
    console.log(`  ${few?.commands} commands of ${steps} steps: ${bug} (${few?.problem.slice(0, 100)})`);
    assert.ok(few && few.commands <= 20, bug);
    assert.equal(promiseKind(few.problem), promiseKind(problem), bug);
    assert.equal(few.trace.length, few.commands, few.trace.join('\n'));
  }
});
