// The whole lab under a simulated clock, network and disk, for as long as `npm run test:long` gives it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../src/testing/whole-lab/hooks.ts';

const { simulateWhole } = await import('../../src/testing/whole-lab/simulate.ts');
const { describeFailure, describeWhole } = await import('../../src/testing/whole-lab/run-whole.ts');

const seeds = 200;
const steps = 5_000;

test('a million steps of the whole lab break no promise', async (t) => {
  const first = 1 + Math.floor(Math.random() * 1e6);
  const begin = performance.now();
  const reports: Awaited<ReturnType<typeof simulateWhole>>[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const report = await simulateWhole({ seed, steps });
    assert.deepEqual(report.problems, [], describeFailure(report));
    reports.push(report);
  }
  t.diagnostic(describeWhole(reports, (performance.now() - begin) / 1000));
});
