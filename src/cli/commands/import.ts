// `mq import`: from a checkout of the old scripts to a lab's file.
import { stat, writeFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { MqError } from '../../protocol/errors.ts';
import { askOldScripts, type OldLab, OldScriptError } from '../config/import/ask-old-scripts.ts';
import { type BoardPrograms, labText } from '../config/import/lab-text.ts';
import { listDifferences } from '../config/import/list-differences.ts';
import { OldListError } from '../config/import/old-lists.ts';
import { findProgram } from '../config/import/script-paths.ts';
import { parseConfig } from '../config/load.ts';
import { type ConfigProblem, formatProblem } from '../config/problem.ts';
import { takeSignals } from '../interrupt.ts';
import { misuse, onlyWord } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';

const importOptions = {
  out: { kind: 'text', short: 'o' },
  'script-path': { kind: 'text' },
  'power-off-path': { kind: 'text' },
  force: { kind: 'flag' },
  json: { kind: 'flag' },
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
    const isJson = options.flags.has('json');
    if (isJson && out === undefined)
      throw misuse('import', '--json tells of the file: give it a name by --out FILE.');
    if (out !== undefined && !force && (await isThere(out))) throw isThereError(out);
    const signal = takeSignals(terminal);
    try {
      const lab = await askOldScripts(folder, { signal, secondsMax: askSecondsMax });
      const written = labText(lab, await findPrograms(lab, folder, patterns));
      if (out === undefined) terminal.print(written.text.replace(/\n$/, '').split('\n'));
      else await writeFile(out, written.text, { flag: force ? 'w' : 'wx' });
      const judgement = judge({ lab, out, ...written });
      if (isJson) terminal.print(jsonLines({ ...judgement, out }));
      else tell(judgement, out, terminal);
      // What needs a hand before it can serve as the old lab did.
      return judgement.ok ? 0 : 1;
    } catch (error) {
      throw importError(error, out);
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

interface Written {
  readonly lab: OldLab;
  readonly out: string | undefined;
  readonly text: string;
  readonly boardsWithoutProgram: readonly string[];
}

/** How good a written file is. */
interface Judgement {
  readonly ok: boolean;
  readonly boards: number;
  readonly pools: number;
  /** What a configuration can't have, and where it stands in the file. */
  readonly problems: readonly ConfigProblem[];
  /** A sentence for each list that is not as before. */
  readonly differences: readonly string[];
  /** Their programs are not on this machine; that is fine where another one serves the lab. */
  readonly boardsWithoutProgram: readonly string[];
}

function judge({ lab, out, text, boardsWithoutProgram }: Written): Judgement {
  const checked = parseConfig(text, out ?? 'lab.yaml');
  const problems = checked.ok ? [] : checked.problems;
  const differences = checked.ok ? listDifferences(checked.config, lab.printed) : [];
  const ok = problems.length === 0 && differences.length === 0;
  const { boards, pools } = lab;
  return { ok, boards: boards.length, pools: pools.length, problems, differences, boardsWithoutProgram };
}

function tell(judgement: Judgement, out: string | undefined, terminal: Terminal): void {
  const { ok, boards, pools, problems, differences, boardsWithoutProgram } = judgement;
  for (const problem of problems) terminal.complain(escapeText(formatProblem(problem)));
  if (problems.length > 0) {
    terminal.complain("mq: The old lab has what a configuration can't have: change these lines by hand.");
    return;
  }
  for (const difference of differences) terminal.complain(`mq: ${escapeText(difference)}.`);
  if (boardsWithoutProgram.length > 0) {
    const count = `${boardsWithoutProgram.length} of ${boards} boards`;
    terminal.complain(`mq: The programs of ${count} are not on this machine: see the comments.`);
  }
  if (!ok) return;
  const where = out === undefined ? '' : `${out} has `;
  const counts = `${boards} boards and ${pools} pools`;
  terminal.hint(escapeText(`${where}${counts}; system-tsv, pool-tsv and features are the same as before.`));
}

function isThereError(out: string): MqError {
  return new MqError('BAD_REQUEST', `${out} is there already. Give another --out, or --force to replace it.`);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Any other error as it is. */
function importError(error: unknown, out: string | undefined): unknown {
  if (error instanceof OldScriptError || error instanceof OldListError)
    return new MqError('BAD_CONFIG', error.message, { cause: error });
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (out === undefined || syscall === undefined) return error;
  if (code === 'EEXIST') return isThereError(out);
  return new MqError('BAD_REQUEST', `${out} can't be written: ${message}`, { cause: error });
}
