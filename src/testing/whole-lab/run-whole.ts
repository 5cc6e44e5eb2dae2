// Runs the simulation of the whole lab seed by seed and says on stdout what came of it; see scripts/sim.ts. Loads the
// hooks before anything that they are for.

import './hooks.ts';
import type { WholeReport } from './simulate.ts';
import type { TroubleKind } from './trouble.ts';

export interface RunOptions {
  readonly first: number;
  readonly seeds: number;
  readonly steps: number;
  /** Clients at once. */
  readonly people: number | undefined;
  /** Kinds of trouble, with commas between. */
  readonly trouble: string | undefined;
}

const shrink = { forMs: 60_000, seedsEach: 3 };

/** Whether all promises were kept; stops at the first seed that breaks one, and shows it as small as it gets. */
export async function runWhole({ first, seeds, steps, people, trouble }: RunOptions): Promise<boolean> {
  const { simulateWhole } = await import('./simulate.ts');
  const options = {
    ...(people === undefined ? {} : { peopleMax: people }),
    ...(trouble === undefined ? {} : { kinds: await readKinds(trouble) }),
  };
  console.log(`Simulating the whole lab: ${seeds} seeds from ${first}, ${steps} steps each.`);
  const begin = performance.now();
  const reports: WholeReport[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const report = await simulateWhole({ ...options, seed, steps });
    reports.push(report);
    if (report.problems.length === 0) continue;
    console.log(`Seed ${seed} broke a promise at step ${report.steps}:\n  ${report.problems[0]}`);
    const { shrinkWhole } = await import('./shrink.ts');
    const isGiven = people !== undefined || trouble !== undefined;
    console.log(describeFailure(isGiven ? report : await shrinkWhole(report, shrink)));
    return false;
  }
  console.log(describeWhole(reports, (performance.now() - begin) / 1000));
  return true;
}

async function readKinds(text: string): Promise<TroubleKind[]> {
  const { troubleKinds } = await import('./trouble.ts');
  return text.split(',').map((name) => {
    const kind = troubleKinds.find((one) => one === name.trim());
    if (kind === undefined)
      throw new Error(
        `--trouble takes some of these, with commas between, not '${name}': ${troubleKinds.join(', ')}`,
      );
    return kind;
  });
}

/** The run, what it took, and the command that shows it again. */
export function describeFailure(report: WholeReport): string {
  const { seed, steps, stepsMax, kinds, peopleMax, problems, trace } = report;
  return [
    ...trace.map((line) => `  ${line}`),
    `A small run that breaks it, at step ${steps}:`,
    ...problems.map((problem) => `  ${problem}`),
    'The same again:',
    `  npm run sim -- --whole --seed ${seed} --seeds 1 --steps ${stepsMax} --people ${peopleMax} --trouble '${kinds.join(',')}'`,
  ].join('\n');
}

/** What runs without a broken promise did, in a few lines. */
export function describeWhole(reports: readonly WholeReport[], seconds: number): string {
  const sum = (of: (report: WholeReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const outcomes = new Map<string, number>();
  for (const report of reports) {
    for (const [kind, number] of Object.entries(report.outcomes))
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + number);
  }
  const steps = sum((report) => report.steps);
  const hours = (sum((report) => report.simulatedSeconds) / 3600).toFixed(1);
  return [
    `${steps} steps in ${seconds.toFixed(1)} s (${Math.round(steps / seconds)} a second), all promises kept:`,
    `  ${hours} simulated hours, ${sum((report) => report.commits)} commits, ${sum((report) => report.grants)} grants judged,`,
    `  ${sum((report) => report.reclaims)} reclaims, ${sum((report) => report.starts)} starts of the server, ${sum((report) => report.refusedCommits)} refused commits;`,
    `  tickets ended: ${[...outcomes].map(([kind, number]) => `${kind} ${number}`).join(', ')}.`,
  ].join('\n');
}
