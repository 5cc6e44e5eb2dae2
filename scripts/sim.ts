// `npm run sim -- --seeds N --steps M --seed S`: runs the simulation of the scheduler for N seeds from S on, M steps each;
// with --whole that of the whole lab. A broken promise prints the seed, what was broken, the last commands, and the command
// that shows it again.
import { parseArgs } from 'node:util';
import { type SimulationReport, simulate } from '../src/testing/simulation/simulate.ts';

async function main(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '20' },
      steps: { type: 'string', default: '5000' },
      seed: { type: 'string' },
      whole: { type: 'boolean', default: false },
      people: { type: 'string' },
      trouble: { type: 'string' },
    },
  });
  const [seeds, steps] = [count('seeds', values.seeds), count('steps', values.steps)];
  const first = values.seed === undefined ? Math.floor(Math.random() * 1e9) : count('seed', values.seed);
  if (values.whole) {
    const { runWhole } = await import('../src/testing/whole-lab/run-whole.ts');
    return runWhole({ first, seeds, steps, people: values.people, trouble: values.trouble });
  }
  console.log(`Simulating ${seeds} seeds from ${first}, ${steps} steps each.`);
  const begin = performance.now();
  const reports: SimulationReport[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const report = simulate({ seed, steps });
    reports.push(report);
    if (report.problems.length > 0) {
      console.log(describeFailure(report, steps));
      return false;
    }
  }
  console.log(describeSuccess(reports, (performance.now() - begin) / 1000));
  return true;
}

function count(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} takes a whole number, not '${text}'`);
}

function describeFailure(report: SimulationReport, steps: number): string {
  return [
    ...report.trace.map((line) => `  ${line}`),
    `Seed ${report.seed} broke a promise at step ${report.steps}:`,
    ...report.problems.map((problem) => `  ${problem}`),
    'The same again:',
    `  npm run sim -- --seed ${report.seed} --seeds 1 --steps ${steps}`,
  ].join('\n');
}

function describeSuccess(reports: readonly SimulationReport[], seconds: number): string {
  const sum = (of: (report: SimulationReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const outcomes = new Map<string, number>();
  for (const report of reports) {
    for (const [kind, number] of Object.entries(report.outcomes))
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + number);
  }
  const steps = sum((report) => report.steps);
  return [
    `${steps} steps in ${seconds.toFixed(1)} s (${Math.round(steps / seconds)} a second), all promises kept:`,
    `  ${Math.round(sum((report) => report.simulatedSeconds) / 3600)} simulated hours, ${sum((report) => report.grants)} grants judged,`,
    `  ${sum((report) => report.reclaims)} reclaims, ${sum((report) => report.crashes)} crashes, ${sum((report) => report.refusedCommits)} refused commits;`,
    `  tickets ended: ${[...outcomes].map(([kind, number]) => `${kind} ${number}`).join(', ')}.`,
  ].join('\n');
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
