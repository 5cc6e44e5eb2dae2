// Runs the simulation of the scheduler seed by seed and says what came of it; see scripts/sim.ts. A run that breaks a
// promise is recorded the second time, and its commands are made few.
import { Recording } from './recording.ts';
import type { Replayed } from './replay.ts';
import { shrinkRecording } from './shrink-recording.ts';
import { type SimulationReport, simulate } from './simulate.ts';
import { timing } from './world.ts';

export interface RunOptions {
  readonly first: number;
  readonly seeds: number;
  readonly steps: number;
}

const shrinkMs = 10_000;

/** Whether all promises were kept; stops at the first seed that breaks one. Says so on stdout. */
export function runSeeds({ first, seeds, steps }: RunOptions): boolean {
  console.log(`Simulating ${seeds} seeds from ${first}, ${steps} steps each.`);
  const begin = performance.now();
  const total = new Totals();
  for (let seed = first; seed < first + seeds; seed += 1) {
    const report = simulate({ seed, steps });
    total.add(report);
    if (report.problems.length === 0) continue;
    console.log(describeFailure(report, shrinkRun(report, shrinkMs)));
    return false;
  }
  console.log(total.describe((performance.now() - begin) / 1000));
  return true;
}

/** The few commands that break the same promise; undefined where that takes clients and agents too. Takes `forMs` at most. */
export function shrinkRun({ seed, stepsMax }: SimulationReport, forMs: number): Replayed | undefined {
  const recording = new Recording();
  const [problem = ''] = simulate({ seed, steps: stepsMax, recording }).problems;
  return shrinkRecording(recording.all, { timing, problem, forMs });
}

/** What was broken, how few commands break it, and the command that shows it again. */
export function describeFailure(report: SimulationReport, few?: Replayed): string {
  const { seed, steps, stepsMax, problems, trace } = report;
  return [
    ...(few ? [] : ['The last commands (it takes the clients and agents of the run to break it):']),
    ...(few ? [] : trace.map((line) => `  ${line}`)),
    `Seed ${seed} broke a promise at step ${steps}:`,
    ...problems.map((problem) => `  ${problem}`),
    ...(few ? [`These ${few.done.length} commands alone break it, or one like it:`] : []),
    ...(few?.trace.lines() ?? []).map((line) => `  ${line}`),
    ...(few?.problems ?? []).map((problem) => `  ${problem}`),
    'The same again:',
    `  npm run sim -- --seed ${seed} --seeds 1 --steps ${stepsMax}`,
  ].join('\n');
}

/** What many runs did, without keeping them. */
export class Totals {
  steps = 0;
  seeds = 0;
  readonly #counts = { hours: 0, grants: 0, reclaims: 0, crashes: 0, refusedCommits: 0, takenByFile: 0 };
  readonly #outcomes = new Map<string, number>();

  add(report: SimulationReport): void {
    this.seeds += 1;
    this.steps += report.steps;
    this.#counts.hours += report.simulatedSeconds / 3600;
    for (const name of ['grants', 'reclaims', 'crashes', 'refusedCommits', 'takenByFile'] as const)
      this.#counts[name] += report[name];
    for (const [kind, number] of Object.entries(report.outcomes))
      this.#outcomes.set(kind, (this.#outcomes.get(kind) ?? 0) + number);
  }

  /** How many, how fast, and what of what in a thousand steps. */
  describe(seconds: number): string {
    const { hours, grants, reclaims, crashes, refusedCommits, takenByFile } = this.#counts;
    const each = (number: number): string => ((1000 * number) / this.steps).toFixed(1);
    const outcomes = [...this.#outcomes].map(([kind, number]) => `${kind} ${each(number)}`).join(', ');
    return [
      `${this.seeds} seeds, ${this.steps} steps in ${seconds.toFixed(1)} s (${Math.round(this.steps / seconds)} a second), all promises kept:`,
      `  ${Math.round(hours)} simulated hours, ${grants} grants judged; in 1000 steps`,
      `  ${each(grants)} grants, ${each(reclaims)} reclaims, ${each(crashes)} crashes, ${each(refusedCommits)} refused commits, ${each(takenByFile)} locks by file;`,
      `  tickets ended: ${outcomes}.`,
    ].join('\n');
  }
}
