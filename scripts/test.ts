// `npm test`: the check, then every test file. `npm test -- PATH…` runs the files whose path holds one of the texts,
// without the check; what begins with -- goes to node (--test-name-pattern=TEXT). Files in test/long/ run only where they
// are named, or all of them with `npm run test:long`. Writes to stdout only.

import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { check } from './check.ts';
import { closingLines } from './test-run/closing-lines.ts';
import { type FileOutcome, runTestFile } from './test-run/run-file.ts';

// Nothing may hang: the whole is to take less than ten minutes on two cores.
const testSeconds = 60;
const fileSeconds = 300;
const longFolder = 'test/long/';
const longSeconds = 2 * 3_600;

process.chdir(resolve(import.meta.dirname, '..'));

async function main(args: readonly string[]): Promise<boolean> {
  const begin = performance.now();
  const flags = args.filter((arg) => arg.startsWith('--') && arg !== '--long');
  const words = args.filter((arg) => !arg.startsWith('--'));
  const wanted = args.includes('--long') ? words.concat(longFolder) : words;
  const files = testFiles(wanted);
  if (files.length === 0) {
    console.log(`No test file has ${wanted.map((text) => `'${text}'`).join(' or ')} in its path.`);
    return false;
  }
  const checked = args.length > 0 || (await check({ fix: false }));
  const outcomes = await runAll(files, flags);
  const demandAll = /^(1|true|yes)$/i.test(process.env.CI ?? '');
  const { ok, lines } = closingLines(outcomes, { demandAll, seconds: (performance.now() - begin) / 1000 });
  console.log(lines.join('\n'));
  if (!checked) console.log('The check failed: see the first lines, or npm run check.');
  return ok && checked;
}

/** End to end tests come first: they take longest, and mostly wait. */
function testFiles(wanted: readonly string[]): string[] {
  const files = globSync('test/**/*.test.ts').sort();
  const isWanted = (file: string): boolean =>
    wanted.length === 0 ? !isLong(file) : wanted.some((text) => file.includes(text));
  const isSlow = (file: string): boolean => file.startsWith('test/e2e/');
  return [...files.filter(isSlow), ...files.filter((file) => !isSlow(file))].filter(isWanted);
}

function isLong(file: string): boolean {
  return file.startsWith(longFolder);
}

async function runAll(files: readonly string[], flags: readonly string[]): Promise<FileOutcome[]> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort());
  const waiting = [...files];
  const outcomes: FileOutcome[] = [];
  const next = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined && !stop.signal.aborted; file = waiting.shift()) {
      const limits = isLong(file)
        ? { testSeconds: longSeconds, fileSeconds: longSeconds }
        : { testSeconds, fileSeconds };
      const outcome = await runTestFile({ file, flags, ...limits, signal: stop.signal });
      outcomes.push(outcome);
      console.log(`${file} (${outcome.seconds.toFixed(1)} s)\n${outcome.output.trimEnd()}`);
      for (const problem of outcome.problems) console.log(`✖ ${file} ${problem}`);
    }
  };
  // Long ones measure and kill: they do not share the machine.
  const atOnce = files.some(isLong) ? 1 : availableParallelism();
  await Promise.all(Array.from({ length: atOnce }, next));
  return outcomes;
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
