// Runs the simulation seed by seed until it breaks a promise, and prints what it took as JSON. A program of its own, so
// that a bug can be planted in it: see plant.ts. Arguments: steps of each seed, the most seeds.
import { simulate } from '../simulation/simulate.ts';

const [steps = 0, seedsMax = 0] = process.argv.slice(2).map(Number);
let taken = 0;
for (let seed = 1; seed <= seedsMax; seed += 1) {
  const report = simulate({ seed, steps });
  taken += report.steps;
  const [problem] = report.problems;
  if (problem === undefined) continue;
  console.log(JSON.stringify({ found: true, seed, steps: taken, problem: problem.split('\n')[0] }));
  process.exit();
}
console.log(JSON.stringify({ found: false, steps: taken }));
