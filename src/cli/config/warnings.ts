/** What a lab's file may say and hardly means. A warning stops nothing. Pure. */
import type { BoardConfig, LabConfig, PoolConfig } from '../../protocol/lab.ts';
import { warningsOfMail } from './check-mail.ts';
import type { ConfigProblem } from './problem.ts';
import { attributeNames } from './schema/board.ts';
import type { Source } from './source.ts';
import { suggestion } from './wording.ts';

export function warningsOf(source: Source, lab: LabConfig): ConfigProblem[] {
  const warnings = lab.boards.flatMap((board) => warningsOfBoard(source, board));
  const empty = lab.pools.filter((pool) => pool.boards.length === 0);
  warnings.push(...empty.map((pool) => warningOfEmptyPool(source, pool, lab.boards)));
  if (lab.admins.length === 0) warnings.push(...warningsOfForce(source, lab));
  if (lab.retention.logSeconds > lab.retention.jobSeconds) {
    const message = 'a log goes with its job, so logs are kept no longer than jobs';
    warnings.push({ ...source.keyPlace(['retention', 'logs']), message });
  }
  if (lab.lockFiles === undefined) warnings.push(...warningsOfLockFile(source, lab));
  return [...warnings, ...warningsOfMail(source)];
}

function warningsOfLockFile(source: Source, lab: LabConfig): ConfigProblem[] {
  const named = lab.boards.filter(({ lockFile }) => lockFile !== undefined);
  return named.map(({ name }) => {
    const message = `lock_file of board '${name}' has no effect: the lab has no lock_files`;
    return { ...source.keyPlace(['boards', name, 'lock_file']), message };
  });
}

function warningsOfForce(source: Source, lab: LabConfig): ConfigProblem[] {
  const pools = lab.pools.map(({ name }) => ['pools', name, 'force']);
  const places = [['force'], ...pools].filter((path) => source.text(path) === 'admin');
  const message = 'force is for admins, and there are none: nobody may release the lock of another';
  return places.map((path) => ({ ...source.keyPlace(path), message }));
}

function warningsOfBoard(source: Source, board: BoardConfig): ConfigProblem[] {
  const path = ['boards', board.name];
  const warnings: ConfigProblem[] = [];
  if (/^(y|yes|n|no|on|off|true|false|null)$/i.test(board.name) && !source.isKeyQuoted(path)) {
    const message = `board '${board.name}' has a name that many YAML readers take for a value. Quote it`;
    warnings.push({ ...source.keyPlace(path), message });
  }
  if (board.takesDtb && !board.takesLinux) {
    const message = `board '${board.name}' takes a dtb but does not boot Linux, and a dtb comes only with Linux`;
    warnings.push({ ...source.keyPlace([...path, 'dtb']), message });
  }
  if (!board.takesLinux && source.keys([...path, 'files']).includes('linux')) {
    const message = `board '${board.name}' does not boot Linux, so linux of its files is never used`;
    warnings.push({ ...source.keyPlace([...path, 'files', 'linux']), message });
  }
  warnings.push(...warningsOfBoot(source, board));
  return warnings;
}

/** What a board takes and its boot has no place for: such a job would fail each time. */
function warningsOfBoot(source: Source, { name, machine, files, takesDtb }: BoardConfig): ConfigProblem[] {
  if (machine.driver !== 'parts') return [];
  const { boot } = machine;
  const place = source.keyPlace(['boards', name, 'boot']);
  const warnings: ConfigProblem[] = [];
  if (Math.max(files.plain.max, files.linux.max) > 1 && boot.secondTo === undefined) {
    const message = `board '${name}' takes 2 images, and its boot has no second_to for the second`;
    warnings.push({ ...place, message });
  }
  if (takesDtb && boot.dtbTo === undefined) {
    warnings.push({ ...place, message: `board '${name}' takes a dtb, and its boot has no dtb_to` });
  }
  return warnings;
}

function warningOfEmptyPool(
  source: Source,
  { name }: PoolConfig,
  boards: readonly BoardConfig[],
): ConfigProblem {
  const path = ['pools', name];
  const known = new Set([...attributeNames, ...boards.flatMap((board) => Object.keys(board.attributes))]);
  const selected = source.keys([...path, 'where']);
  const stray = selected.find((key) => !known.has(key));
  if (stray !== undefined) {
    const message = `pool '${name}' has no boards: none has '${stray}'${suggestion(stray, known)}`;
    return { ...source.keyPlace([...path, 'where', stray]), message };
  }
  const why = selected.length > 0 ? ': none matches' : '';
  return { ...source.keyPlace(path), message: `pool '${name}' has no boards${why}` };
}
