// The whole lab under a simulated clock, network and disk: a slice of it in every run of the tests. `npm run sim -- --whole`
// runs as much as one likes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../src/testing/whole-lab/hooks.ts';

const { simulateWhole } = await import('../../src/testing/whole-lab/simulate.ts');
const { describeFailure, describeWhole } = await import('../../src/testing/whole-lab/run-whole.ts');

const timeout = 120_000;

test('through every trouble the whole lab keeps its promises, and comes to rest', { timeout }, async (t) => {
  const first = 1 + Math.floor(Math.random() * 1e6);
  const begin = performance.now();
  const reports: Awaited<ReturnType<typeof simulateWhole>>[] = [];
  for (let seed = first; seed < first + 4; seed += 1) {
    const report = await simulateWhole({ seed, steps: 1_500 });
    assert.deepEqual(report.problems, [], describeFailure(report));
    reports.push(report);
  }
  t.diagnostic(describeWhole(reports, (performance.now() - begin) / 1000));
  const all = (of: (report: (typeof reports)[number]) => number): number =>
    reports.reduce((sum, report) => sum + of(report), 0);
  assert.ok(all(({ starts }) => starts) > reports.length, 'servers were killed');
  assert.ok(all(({ grants }) => grants) > 100, 'boards were handed on');
});

test('a seed gives the same run each time, and another one another', { timeout }, async () => {
  const [once, again, other] = [
    await simulateWhole({ seed: 7, steps: 400 }),
    await simulateWhole({ seed: 7, steps: 400 }),
    await simulateWhole({ seed: 8, steps: 400 }),
  ];
  assert.deepEqual(again, once);
  assert.notDeepEqual({ ...other, seed: 7 }, once);
});
