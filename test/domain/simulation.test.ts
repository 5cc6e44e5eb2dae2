// A slice of `npm run sim`, the same seeds each time: what it finds here, it finds again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recording } from '../../src/testing/simulation/recording.ts';
import { replayCommands } from '../../src/testing/simulation/replay.ts';
import { describeFailure, shrinkRun, Totals } from '../../src/testing/simulation/run-seeds.ts';
import { type SimulationReport, simulate } from '../../src/testing/simulation/simulate.ts';
import { timing } from '../../src/testing/simulation/world.ts';

const seeds = 40;
const stepsEach = 2_500;

function sum(reports: readonly SimulationReport[], of: (report: SimulationReport) => number): number {
  return reports.reduce((total, report) => total + of(report), 0);
}

test('a lab full of trouble keeps every promise, and drains when peace comes', (t) => {
  const begin = performance.now();
  const reports: SimulationReport[] = [];
  const totals = new Totals();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const report = simulate({ seed, steps: stepsEach });
    if (report.problems.length > 0) assert.fail(describeFailure(report, shrinkRun(report, 10_000)));
    reports.push(report);
    totals.add(report);
  }
  t.diagnostic(totals.describe((performance.now() - begin) / 1000));
  const grants = sum(reports, (report) => report.grants);
  // A simulation in which nothing happens would prove nothing.
  assert.ok(grants > totals.steps / 20);
  for (const part of ['crashes', 'refusedCommits', 'reclaims', 'takenByFile'] as const) {
    assert.ok(sum(reports, (report) => report[part]) > 50, part);
  }
  for (const kind of ['confirmed', 'started', 'withdrawn', 'timed-out', 'refused'])
    assert.ok(sum(reports, (report) => report.outcomes[kind] ?? 0) > 50, kind);
});

test('a seed gives the same run again, and another seed another', () => {
  const once = simulate({ seed: 7, steps: 500 });
  assert.deepEqual(simulate({ seed: 7, steps: 500 }), once);
  assert.notDeepEqual(simulate({ seed: 8, steps: 500 }), once);
});

test('what a run gave its scheduler gives the same again without the run, and any part of it breaks nothing', () => {
  for (const seed of [1, 2, 3]) {
    const recording = new Recording();
    const { steps } = simulate({ seed, steps: 1_000, recording });
    const whole = replayCommands(recording.all, { timing });
    assert.deepEqual([whole.problems, whole.done.length], [[], steps]);
    for (const every of [2, 3, 10]) {
      const left = recording.all.filter((_, at) => at < 2 || at % every > 0);
      assert.deepEqual(replayCommands(left, { timing, origin: whole.names }).problems, [], `seed ${seed}`);
    }
  }
});
