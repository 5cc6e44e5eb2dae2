/** Reads a lab's file: the one door to the configuration for the server and for the commands that check it. */
import { readFile, stat } from 'node:fs/promises';
import type { LabConfig } from '../../protocol/lab.ts';
import { checkLab } from './check.ts';
import { checkSecrets } from './check-secrets.ts';
import { combineSources } from './combine.ts';
import { findIncluded } from './included.ts';
import { type ConfigProblem, sortProblems } from './problem.ts';
import { resolveLab } from './resolve.ts';
import { checkShape } from './shape.ts';
import { readSource, type Source } from './source.ts';

export type ConfigResult =
  | { ok: true; config: LabConfig; warnings: ConfigProblem[] }
  | { ok: false; problems: ConfigProblem[] };

const fileBytesMax = 16 * 1024 * 1024;

/**
 * Never rejects for what is in the file, nor where it can't be read: that is a problem too. Reads what it includes.
 * `looksAround`: tells of folders and secrets that are not there. Not for a server, which a folder that hangs must not keep.
 */
export async function loadConfig(
  path: string,
  options: { looksAround?: boolean } = {},
): Promise<ConfigResult> {
  const read = await readText(path);
  if (!read.ok) return { ok: false, problems: [read.problem] };
  const main = readSource(read.text, path);
  const included = await findIncluded(main, path);
  const problems = [...included.problems];
  const parts: Source[] = [];
  for (const partPath of included.paths) {
    const part = await readText(partPath);
    if (part.ok) parts.push(readSource(part.text, partPath));
    else problems.push(part.problem);
  }
  const source = combineSources(main, parts);
  if (options.looksAround) problems.push(...(await checkSecrets(source)));
  const result = judge(source, [path, ...included.paths], problems);
  if (!options.looksAround || !result.ok) return result;
  return { ...result, warnings: [...result.warnings, ...(await lookAround(source, result.config))] };
}

async function lookAround(source: Source, { lockFiles }: LabConfig): Promise<ConfigProblem[]> {
  if (lockFiles === undefined) return [];
  const isFolder = await stat(lockFiles).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return [];
  const message = `there is no folder ${lockFiles} on this machine: no board will be granted without it`;
  return [{ ...source.valuePlace(['lock_files']), message }];
}

type ReadText = { ok: true; text: string } | { ok: false; problem: ConfigProblem };

async function readText(path: string): Promise<ReadText> {
  const whole = (message: string): ReadText => ({
    ok: false,
    problem: { file: path, line: 0, column: 0, message },
  });
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    return whole(`can't be read: ${(cause as Error).message}`);
  }
  if (bytes.length > fileBytesMax) return whole(`is larger than ${fileBytesMax / 1024 ** 2} MB`);
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return whole('is not UTF-8 text');
  }
}

/** `file` is only a name for messages. Reads no other file, whatever the text includes. */
export function parseConfig(text: string, file: string): ConfigResult {
  return judge(readSource(text, file), [file]);
}

/** Problems and warnings come file by file, in the order of each. */
function judge(source: Source, files: readonly string[], found: readonly ConfigProblem[] = []): ConfigResult {
  if (source.value === undefined) {
    return { ok: false, problems: sortProblems([...source.problems, ...found], files) };
  }
  const shape = checkShape(source);
  const problems = [...source.problems, ...found, ...shape.problems, ...checkLab(source, shape.isSound)];
  if (problems.length > 0) return { ok: false, problems: sortProblems(problems, files) };
  const { config, warnings } = resolveLab(source);
  return { ok: true, config, warnings: sortProblems(warnings, files) };
}
