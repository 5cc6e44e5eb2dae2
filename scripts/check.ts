// `npm run check`: everything about the code that can be told without running it. One line for each part, and
// what a part has to say only where it fails. Writes nothing; with --fix the formatter may write.

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { describe } from './check/finding.ts';
import { checkRules } from './check/rules.ts';

type Outcome = { ok: boolean; output: string };
type Part = { name: string; run: () => Promise<Outcome> };

const root = resolve(import.meta.dirname, '..');

// Each of them takes seconds; one that takes longer than this hangs.
const toolTimeoutMs = 120_000;

function parts(fix: boolean): Part[] {
  const knip = 'node_modules/knip/bin/knip.js';
  const quiet = ['--no-progress', '--no-config-hints'];
  const biome = 'node_modules/@biomejs/biome/bin/biome';
  return [
    {
      name: 'format and lint',
      run: () =>
        runTool(biome, [
          ...(fix ? ['check', '--write'] : ['ci']),
          '--colors=off',
          '--error-on-warnings',
          '.',
        ]),
    },
    {
      name: 'types',
      run: () => runTool('node_modules/typescript/bin/tsc', ['--noEmit', '--pretty', 'false']),
    },
    { name: 'dead code', run: () => runTool(knip, quiet) },
    {
      name: 'files only tests use',
      run: () => runTool(knip, ['--production', '--include', 'files', ...quiet]),
    },
    { name: 'rules', run: runRules },
  ];
}

async function runRules(): Promise<Outcome> {
  try {
    const findings = checkRules(root);
    return { ok: findings.length === 0, output: findings.map(describe).join('\n') };
  } catch (error) {
    return { ok: false, output: String(error) };
  }
}

function runTool(script: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((settle, fail) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined };
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: toolTimeoutMs,
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', fail);
    child.on('close', (code) => settle({ ok: code === 0, output }));
  });
}

/** Runs every part, all at once, and prints how each went; true if all is well. */
export async function check({ fix }: { fix: boolean }): Promise<boolean> {
  const outcomes = await Promise.all(parts(fix).map(report));
  return outcomes.every((ok) => ok);
}

async function report({ name, run }: Part): Promise<boolean> {
  const begin = performance.now();
  const { ok, output } = await run();
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`check: ${name}: ${ok ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (!ok) console.log(output.trimEnd());
  return ok;
}

if (import.meta.main) {
  const args = process.argv.slice(2);
  const unknown = args.find((arg) => arg !== '--fix');
  if (unknown !== undefined) {
    console.error(`npm run check knows only --fix, not '${unknown}'`);
    process.exit(1);
  }
  process.exitCode = (await check({ fix: args.includes('--fix') })) ? 0 : 1;
}
