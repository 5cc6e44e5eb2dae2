// Bad configurations: the examples of this repository changed in a place or two, pieces of YAML that bite, and no YAML at
// all; alone, and including one another. Whatever comes is a lab, or is told with file, place and what to do.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../cli/config/load.ts';
import { type ConfigProblem, formatProblem } from '../../cli/config/problem.ts';
import { escapeText } from '../../cli/terminal/escape.ts';
import { toDefinition } from '../../server/definition.ts';
import type { Random } from '../simulation/random.ts';
import { bytesOf } from './frame-bytes.ts';
import { hostileNumber, hostileText } from './hostile-text.ts';
import type { Kind, Target } from './kind.ts';
import { findControl } from './shown-text.ts';

interface ConfigInput {
  /** Text of lab.yaml, and of others beside it; one byte a letter. */
  readonly lab: string;
  readonly others: Readonly<Record<string, string>>;
}

const exampleFolder = resolve(import.meta.dirname, '../../../examples');
const examples = readdirSync(exampleFolder)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => readFileSync(join(exampleFolder, name), 'utf8'));

/** Takes a second, up to the limit of values. */
const bomb =
  'a: &a [x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f, *f]\n';
const bites: readonly string[] = [
  'a: &a\n  b: *a\n',
  '<<: *nobody\n',
  'x: &x {a: 1}\ny:\n  <<: *x\n  <<: [*x, *x]\n',
  'include: lab.yaml\n',
  'include: [../../../etc/passwd, /etc/passwd, "*.yaml", "../*"]\n',
  'include: ../*/*/x.yaml\n',
  'include: "\\0"\n',
  'include: .\n',
  'boards: {pc1: {}, pc1: {}}\n',
  'boards: []\nboards: {}\n',
  'boards:\n  __proto__: {driver: v86}\n  constructor: {driver: v86}\n',
  'boards:\n  "\\e[31mred": {driver: v86}\n',
  'boards:\n  ? [a, b]\n  : {}\n',
  '? {a: b}\n: c\n',
  'name: !!binary aGFsbG8=\n',
  'name: !!js/function "process.exit()"\n',
  'limits: {tickets: 9999999999999999999999, wait_max: 1e999, log_max: 0x10, images_max: .nan}\n',
  '--- a\n--- b\n',
  '%YAML 9.9\n---\nname: x\n',
  'name: |\n  a\n b\n',
  '\tname: x\n',
  '\ufeffname: x\n',
  `${'['.repeat(5_000)}\n`,
  `a: ${'{b: '.repeat(300)}\n`,
  'name: "\\uD800"\n',
  '*a : b\n',
  '&\n',
  'set_from_key: "(a+)+$"\n',
  'lock_files: ../../etc\n',
  'listen: {address: "::1:99999", token_file: /dev/zero}\n',
];
const fileNames = ['more.yaml', 'x.yaml', 'z.yml', '.hidden.yaml'];

function make(random: Random): ConfigInput {
  const others: Record<string, string> = {};
  for (let left = random.between(0, 2); left > 0; left -= 1)
    others[random.pick(fileNames)] = textFrom(random);
  const include = random.chance(0.4) ? `include: ["*.yaml", ${random.pick(fileNames)}]\n` : '';
  return { lab: latin1(include) + textFrom(random), others };
}

function textFrom(random: Random): string {
  const kind = random.between(0, 9);
  if (kind === 0) return bytesOf(random, random.between(0, 200));
  if (kind === 1) return latin1(random.pick(bites));
  let text = random.chance(0.002) ? `${random.pick(examples)}${bomb}` : random.pick(examples);
  for (let left = random.between(1, 4); left > 0; left -= 1) text = changeText(text, random);
  const whole = latin1(text);
  return random.chance(0.05) ? whole.slice(0, random.between(0, whole.length)) : whole;
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function changeText(text: string, random: Random): string {
  const lines = text.split('\n');
  const at = random.between(0, lines.length - 1);
  const line = lines[at] ?? '';
  const word = JSON.stringify(hostileText(random).slice(0, 300));
  switch (random.between(0, 9)) {
    case 0:
      return lines.toSpliced(at, 1).join('\n');
    case 1:
      return lines.toSpliced(at, 0, line).join('\n');
    case 2:
      return lines.with(at, `  ${line}`).join('\n');
    case 3:
      return lines.with(at, line.replace(/:.*$/, `: ${word}`)).join('\n');
    case 4:
      return lines.with(at, line.replace(/[\w-]+:/, `${word}:`)).join('\n');
    case 5:
      return lines.with(at, line.replace(/\d+/, String(hostileNumber(random)))).join('\n');
    case 6:
      return lines.with(at, line.replace(/:.*$/, ': &a [*a, {b: *c}]')).join('\n');
    case 7:
      return lines.toSpliced(at, 0, ...random.pick(bites).split('\n')).join('\n');
    case 8:
      return lines
        .with(at, `${line} ${random.pick(['&a', '*a', '!!str', '#', '|', '>', '{', ']'])}`)
        .join('\n');
    default:
      return lines.toSpliced(at, random.between(1, 5), ...lines.slice(0, random.between(0, 5))).join('\n');
  }
}

class ConfigTarget implements Target {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, 'config');
  }

  async take(input: unknown): Promise<string[]> {
    const { lab, others } = input as ConfigInput;
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder);
    const path = join(this.#folder, 'lab.yaml');
    writeFileSync(path, lab, 'latin1');
    for (const [name, text] of Object.entries(others))
      writeFileSync(join(this.#folder, name), text, 'latin1');
    const result = await loadConfig(path);
    if (!result.ok) {
      if (result.problems.length === 0) return ['it is refused without a word'];
      return result.problems.flatMap((problem) => judge(problem));
    }
    // What is taken must be something that a server can work with.
    const { boards } = toDefinition(result.config);
    return boards.length === result.config.boards.length
      ? result.warnings.flatMap(judge)
      : ['boards are lost'];
  }

  async check(): Promise<string[]> {
    return [];
  }

  async close(): Promise<void> {}
}

function judge(problem: ConfigProblem): string[] {
  const { file, line, column, message } = problem;
  const problems: string[] = [];
  if (file === '') problems.push(`no file: ${JSON.stringify(problem)}`);
  const isPlace = line === 0 ? column === 0 : line > 0 && column > 0;
  if (!isPlace) problems.push(`no place: ${JSON.stringify(problem)}`);
  if (message.trim() === '') problems.push(`no words: ${JSON.stringify(problem)}`);
  if (message.length > 20_000) problems.push(`${message.length} characters: ${message.slice(0, 200)}`);
  // As `mq check-config` shows it.
  const control = findControl(escapeText(formatProblem(problem)));
  if (control !== undefined) problems.push(`${control} of ${JSON.stringify(formatProblem(problem))}`);
  return problems;
}

export const configKind: Kind = {
  name: 'config',
  share: 10,
  checkEvery: 500,
  make,
  open: async (folder) => new ConfigTarget(folder),
};
