// Runs the simulation seed by seed until it breaks a promise, and prints what it took as JSON. A program of its own, so
// that a bug can be planted in it: see plant.ts. Arguments: steps of each seed, the most seeds, the one to begin with, and
// for how many milliseconds to make the commands that broke it fewer (0: not at all).

import { shrinkRun } from '../simulation/run-seeds.ts';
import { simulate } from '../simulation/simulate.ts';

const [steps = 0, seedsMax = 0, first = 1, shrinkMs = 0] = process.argv.slice(2).map(Number);
const others = Array.from({ length: seedsMax }, (_, at) => at + 1).filter((seed) => seed !== first);
let taken = 0;
for (const seed of [first, ...others]) {
  const report = simulate({ seed, steps });
  taken += report.steps;
  const [problem] = report.problems;
  if (problem === undefined) continue;
  const shrunk = shrinkMs > 0 ? shrinkRun(report, shrinkMs) : undefined;
  const few = shrunk && {
    commands: shrunk.done.length,
    problem: shrunk.problems[0],
    trace: shrunk.trace.lines(),
  };
  console.log(JSON.stringify({ found: true, seed, steps: taken, problem: problem.split('\n')[0], few }));
  process.exit();
}
console.log(JSON.stringify({ found: false, steps: taken }));
