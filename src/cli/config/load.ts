/** Reads a lab's file: the one door to the configuration for the server and for the commands that check it. */
import { readFile } from 'node:fs/promises';
import type { LabConfig } from '../../protocol/lab.ts';
import { checkLab } from './check.ts';
import { type ConfigProblem, sortProblems } from './problem.ts';
import { resolveLab } from './resolve.ts';
import { checkShape } from './shape.ts';
import { readSource } from './source.ts';

export type ConfigResult =
  | { ok: true; config: LabConfig; warnings: ConfigProblem[] }
  | { ok: false; problems: ConfigProblem[] };

const fileBytesMax = 16 * 1024 * 1024;

/** Never rejects for what is in the file, nor where it can't be read: that is a problem too. */
export async function loadConfig(path: string): Promise<ConfigResult> {
  const whole = (message: string): ConfigResult => ({
    ok: false,
    problems: [{ file: path, line: 0, column: 0, message }],
  });
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    return whole(`can't be read: ${(cause as Error).message}`);
  }
  if (bytes.length > fileBytesMax) return whole(`is larger than ${fileBytesMax / 1024 ** 2} MB`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return whole('is not UTF-8 text');
  }
  return parseConfig(text, path);
}

/** `file` is only a name for messages. Problems and warnings come in the order of the file. */
export function parseConfig(text: string, file: string): ConfigResult {
  const source = readSource(text, file);
  if (source.value === undefined) return { ok: false, problems: sortProblems(source.problems) };
  const shape = checkShape(source);
  const problems = [...source.problems, ...shape.problems, ...checkLab(source, shape.isSound)];
  if (problems.length > 0) return { ok: false, problems: sortProblems(problems) };
  const { config, warnings } = resolveLab(source);
  return { ok: true, config, warnings: sortProblems(warnings) };
}
