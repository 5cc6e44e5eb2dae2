// `npm run histories -- --seed S --kills N --rounds R`: real processes of a lab under kills, pauses and cut lines, and whether
// what their clients saw can be explained. A round is a lab of its own, from a seed of its own. `--calm` puts pauses beyond every
// grace into each. `--keep FILE` keeps the record of the last round as JSON; `--check FILE` judges one that was kept.

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeFailure, describeFigures, sumFigures } from '../src/testing/histories/describe.ts';
import type { History } from '../src/testing/histories/history.ts';
import { judge } from '../src/testing/histories/judge.ts';
import { type Figures, runHistory } from '../src/testing/histories/run-history.ts';

async function main(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      rounds: { type: 'string', default: '1' },
      kills: { type: 'string', default: '25' },
      persons: { type: 'string', default: '20' },
      commands: { type: 'string', default: '3' },
      calm: { type: 'boolean', default: false },
      keep: { type: 'string' },
      check: { type: 'string' },
    },
  });
  if (values.check !== undefined) return judgeKept(values.check);
  const { keep, calm } = values;
  const first = values.seed === undefined ? Math.floor(Math.random() * 1e9) : count('seed', values.seed);
  const rounds = count('rounds', values.rounds);
  const each = {
    kills: count('kills', values.kills),
    persons: count('persons', values.persons),
    commands: count('commands', values.commands),
    calm,
  };
  console.log(`${rounds} rounds from seed ${first}, ${each.kills} kills of the server each.`);
  const all: Figures[] = [];
  for (let seed = first; seed < first + rounds; seed += 1) {
    const report = await runHistory({ seed, ...each });
    if (keep !== undefined) writeFileSync(keep, JSON.stringify(report.history));
    if (report.problems.length > 0) {
      console.log(describeFailure(report, { seed, ...each }));
      return false;
    }
    all.push(report.figures);
    console.log(`Seed ${seed}: ${describeFigures(report.figures)}.`);
  }
  if (rounds > 1) console.log(`In all: ${describeFigures(sumFigures(all))}.`);
  return true;
}

function judgeKept(path: string): boolean {
  const { problems } = judge(JSON.parse(readFileSync(path, 'utf8')) as History);
  console.log(problems.length === 0 ? 'Nothing speaks against it.' : problems.join('\n'));
  return problems.length === 0;
}

function count(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new Error(`--${name} takes a whole number, not '${text}'`);
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
