// Prometheus' own judge of metrics and rules, from the PATH or from where `npm run setup:debian` puts it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const brought = resolve(import.meta.dirname, '../../.tools/promtool');
const promtool = existsSync(brought) ? brought : 'promtool';

/** Why there is no promtool; for `skip`. False where there is one. A CI must have it. */
export const noPromtool: string | false = whyNoPromtool();

function whyNoPromtool(): string | false {
  if (spawnSync(promtool, ['--version']).status === 0) return false;
  const reason = 'promtool is missing; npm run setup:debian brings it';
  if (process.env.CI) throw new Error(reason);
  return reason;
}

/** Runs it to its end. */
export function runPromtool(words: readonly string[], input = ''): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(promtool, words, { input, timeout: 60_000, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
}
