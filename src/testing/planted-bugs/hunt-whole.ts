// As hunt.ts, in the whole lab, with bad luck.
import '../whole-lab/hooks.ts';

const { simulateWhole } = await import('../whole-lab/simulate.ts');
const [steps = 0, seedsMax = 0, first = 1] = process.argv.slice(2).map(Number);
const others = Array.from({ length: seedsMax }, (_, at) => at + 1).filter((seed) => seed !== first);
let taken = 0;
for (const seed of [first, ...others]) {
  const report = await simulateWhole({ seed, steps, badLuck: 6 });
  taken += report.steps;
  const [problem] = report.problems;
  if (problem === undefined) continue;
  console.log(JSON.stringify({ found: true, seed, steps: taken, problem: problem.split('\n')[0] }));
  process.exit();
}
console.log(JSON.stringify({ found: false, steps: taken }));
