// Puts the bug that MQ_PLANTED_BUG names into the source while it is loaded: `node --import PATH/plant.ts …`. Nothing on
// disk changes, and a program that was not started so knows no bugs.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { plantedBugs } from './bugs.ts';
import { historyBugs } from './history-bugs.ts';
import { labBugs } from './lab-bugs.ts';

const name = process.env.MQ_PLANTED_BUG;
const bug = [...plantedBugs, ...labBugs, ...historyBugs].find((one) => one.name === name);
if (!bug) throw new Error(`MQ_PLANTED_BUG names no planted bug: ${name}`);
const { file, find, replace } = bug;
const target = new URL(`../../${file}`, import.meta.url).href;

registerHooks({
  load(url, context, nextLoad) {
    if (url !== target) return nextLoad(url, context);
    const source = readFileSync(fileURLToPath(url), 'utf8').replace(find, () => replace);
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});
