// What the last lines of a test run say: what failed, what was left out and how to add it, the count. Pure.

import type { EndedNote } from './notes.ts';
import type { FileOutcome } from './run-file.ts';

export type Verdict = { ok: boolean; lines: string[] };

/**
 * @param demandAll where nothing may be left out (CI): a test that was left out counts as failed
 */
export function closingLines(
  outcomes: readonly FileOutcome[],
  { demandAll, seconds }: { demandAll: boolean; seconds: number },
): Verdict {
  const failed = namesOf(outcomes, (note) => note.outcome === 'failed' && !note.isSuite);
  const problems = outcomes.flatMap(({ file, problems: all }) => all.map((problem) => `${file} ${problem}`));
  const leftOut = namesOf(outcomes, (note) => note.outcome === 'left out');
  const passed = namesOf(outcomes, (note) => note.outcome === 'passed' && !note.isSuite);
  const ran = failed.length + passed.length;
  if (ran === 0 && leftOut.length === 0) problems.push('no test ran');
  const lines = [
    ...section(`Failed (${failed.length + problems.length})`, [...failed, ...problems]),
    ...section(`Left out (${leftOut.length})`, leftOut),
  ];
  if (leftOut.length > 0 && demandAll) lines.push('With CI set nothing may be left out.');
  if (leftOut.length > 0) lines.push('What can be added, this adds: npm run setup:debian');
  const count = `${ran + leftOut.length} tests in ${outcomes.length} files`;
  lines.push(
    `${count}: ${passed.length} passed, ${failed.length} failed, ${leftOut.length} left out, ${duration(seconds)}`,
  );
  const ok = failed.length === 0 && problems.length === 0 && !(demandAll && leftOut.length > 0);
  return { ok, lines };
}

function namesOf(outcomes: readonly FileOutcome[], wanted: (note: EndedNote) => boolean): string[] {
  return outcomes.flatMap(({ file, ended }) =>
    ended
      .filter(wanted)
      .map(({ name, reason }) => `${file}: ${name}${reason === undefined ? '' : ` (${reason})`}`),
  );
}

function section(title: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${title}:`, ...names.map((name) => `  ${name}`)];
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
