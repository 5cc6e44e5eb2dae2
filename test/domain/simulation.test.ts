// A small slice of `npm run sim`, the same seeds each time: what it finds here, it finds again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SimulationReport, simulate } from '../../src/testing/simulation/simulate.ts';

const seeds = 20;
const stepsEach = 2_500;

function sum(reports: readonly SimulationReport[], of: (report: SimulationReport) => number): number {
  return reports.reduce((total, report) => total + of(report), 0);
}

test('a lab full of trouble keeps every promise, and drains when peace comes', () => {
  const reports: SimulationReport[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const report = simulate({ seed, steps: stepsEach });
    const again = `npm run sim -- --seed ${seed} --seeds 1 --steps ${stepsEach}`;
    assert.deepEqual(report.problems, [], `again, with the last commands: ${again}`);
    reports.push(report);
  }
  const steps = sum(reports, (report) => report.steps);
  const grants = sum(reports, (report) => report.grants);
  console.log(`${seeds} seeds, ${steps} steps, ${grants} grants judged`);
  // A simulation in which nothing happens would prove nothing.
  assert.ok(grants > steps / 20);
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
