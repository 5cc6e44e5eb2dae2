// `npm run sim -- --seeds N --steps M --seed S`: runs the simulation of the scheduler for N seeds from S on, M steps each;
// with --whole that of the whole lab. A broken promise prints the seed, what was broken, few commands that break it, and the
// command that shows it again.
import { parseArgs } from 'node:util';

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
    const people = values.people === undefined ? undefined : count('people', values.people);
    return runWhole({ first, seeds, steps, people, trouble: values.trouble });
  }
  if (values.people !== undefined || values.trouble !== undefined)
    throw new Error('--people and --trouble are of the whole lab: give --whole too');
  const { runSeeds } = await import('../src/testing/simulation/run-seeds.ts');
  return runSeeds({ first, seeds, steps });
}

function count(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} takes a whole number, not '${text}'`);
}

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  // A word that it does not take; what breaks in a run is told by the run.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
