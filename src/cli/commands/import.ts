// `mq import`: from a checkout of the old scripts to a lab's file.
import { stat, writeFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { askOldScripts, type OldLab, OldScriptError } from '../config/import/ask-old-scripts.ts';
import { type BoardPrograms, labText } from '../config/import/lab-text.ts';
import { listDifferences } from '../config/import/list-differences.ts';
import { OldListError } from '../config/import/old-lists.ts';
import { findProgram } from '../config/import/script-paths.ts';
import { parseConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { takeSignals } from '../interrupt.ts';
import { misuse, onlyWord } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runCommand } from './command.ts';

const importOptions = {
  out: { kind: 'text', short: 'o' },
  'script-path': { kind: 'text' },
  'power-off-path': { kind: 'text' },
  force: { kind: 'flag' },
} as const;

/** A slow checkout asks its lab over ssh. */
const askSecondsMax = 60;

export function importLab(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('import', argv, terminal, importOptions, async ({ options }) => {
    const folder = resolve(onlyWord('import', options.words, 'folder with the old scripts'));
    const out = options.texts.get('out');
    const patterns = {
      run: patternOf('script-path', options.texts.get('script-path')),
      powerOff: patternOf('power-off-path', options.texts.get('power-off-path')),
    };
    const force = options.flags.has('force');
    if (out !== undefined && !force && (await isThere(out))) return refuseToOverwrite(out, terminal);
    const signal = takeSignals(terminal);
    try {
      const lab = await askOldScripts(folder, { signal, secondsMax: askSecondsMax });
      const written = labText(lab, await findPrograms(lab, folder, patterns));
      if (out === undefined) terminal.print(written.text.replace(/\n$/, '').split('\n'));
      else await writeFile(out, written.text, { flag: force ? 'w' : 'wx' });
      return judge({ lab, out, ...written }, terminal);
    } catch (error) {
      return fail(error, out, terminal);
    }
  });
}

/** A path for each board: absolute, as the configuration wants it, and with the board's name in it. */
function patternOf(option: string, pattern: string | undefined): string | undefined {
  if (pattern === undefined || (isAbsolute(pattern) && pattern.includes('{board}'))) return pattern;
  throw misuse('import', `--${option} is an absolute path with {board} in it, not '${pattern}'.`);
}

async function findPrograms(
  lab: OldLab,
  folder: string,
  patterns: { run: string | undefined; powerOff: string | undefined },
): Promise<Map<string, BoardPrograms>> {
  const programs = new Map<string, BoardPrograms>();
  for (const { name } of lab.boards) {
    const run = await findProgram(name, { pattern: patterns.run, folder });
    const { powerOff: pattern } = patterns;
    const powerOff = pattern === undefined ? {} : { powerOff: await findProgram(name, { pattern, folder }) };
    programs.set(name, { run, ...powerOff });
  }
  return programs;
}

/** Says how good the file is. 1 where it needs a hand before it can serve as the old lab did. */
function judge(
  written: { lab: OldLab; out: string | undefined; text: string; boardsWithoutProgram: string[] },
  terminal: Terminal,
): number {
  const { lab, out, boardsWithoutProgram } = written;
  const checked = parseConfig(written.text, out ?? 'lab.yaml');
  if (!checked.ok) {
    for (const problem of checked.problems) terminal.complain(escapeText(formatProblem(problem)));
    terminal.complain("mq: The old lab has what a configuration can't have: change these lines by hand.");
    return 1;
  }
  const differences = listDifferences(checked.config, lab.printed);
  for (const difference of differences) terminal.complain(`mq: ${escapeText(difference)}.`);
  if (boardsWithoutProgram.length > 0) {
    const count = `${boardsWithoutProgram.length} of ${lab.boards.length} boards`;
    terminal.complain(`mq: The programs of ${count} are not on this machine: see the comments.`);
  }
  if (differences.length > 0) return 1;
  const where = out === undefined ? '' : `${out} has `;
  const counts = `${lab.boards.length} boards and ${lab.pools.length} pools`;
  terminal.hint(escapeText(`${where}${counts}; system-tsv, pool-tsv and features are the same as before.`));
  return 0;
}

function refuseToOverwrite(out: string, terminal: Terminal): number {
  terminal.complain(`mq: ${escapeText(out)} is there already. Give another --out, or --force to replace it.`);
  return 1;
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function fail(error: unknown, out: string | undefined, terminal: Terminal): number {
  if (error instanceof OldScriptError || error instanceof OldListError) {
    terminal.complain(`mq: ${escapeText(error.message)}`);
    return 1;
  }
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST' && out !== undefined) return refuseToOverwrite(out, terminal);
  if (syscall === undefined || out === undefined) throw error;
  terminal.complain(`mq: ${escapeText(out)} can't be written: ${escapeText(message)}`);
  return 1;
}
