// `npm run fuzz -- --seed S --inputs N [--only KIND,…]`: throws bad input at everything that takes any. A broken promise
// prints the seed, the input, the smallest that breaks it, and the command that throws it again.
import { parseArgs } from 'node:util';
import { readKinds, runFuzz } from '../src/testing/fuzz/run-fuzz.ts';

async function main(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      inputs: { type: 'string', default: '10000' },
      only: { type: 'string' },
    },
  });
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : count('seed', values.seed);
  const inputs = count('inputs', values.inputs);
  const only = values.only === undefined ? {} : { only: readKinds(values.only) };
  return runFuzz({ seed, inputs, ...only, say: (line) => console.log(line) });
}

function count(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} takes a whole number, not '${text}'`);
}

process.exit((await main(process.argv.slice(2))) ? 0 : 1);
