// The simulation of the scheduler alone, for about as long as ten minutes on a machine with other work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, shrinkRun, Totals } from '../../src/testing/simulation/run-seeds.ts';
import { simulate } from '../../src/testing/simulation/simulate.ts';

const seeds = 4_000;
const stepsEach = 5_000;

test('twenty million steps of the scheduler break no promise', (t) => {
  const first = 1 + Math.floor(Math.random() * 1e6);
  const begin = performance.now();
  const totals = new Totals();
  for (let seed = first; seed < first + seeds; seed += 1) {
    const report = simulate({ seed, steps: stepsEach });
    if (report.problems.length > 0) assert.fail(describeFailure(report, shrinkRun(report, 60_000)));
    totals.add(report);
  }
  t.diagnostic(totals.describe((performance.now() - begin) / 1000));
});
