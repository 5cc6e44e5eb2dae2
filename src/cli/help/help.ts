// Help for people: what there is, and for each command its options and examples. Pure; loaded only when asked for. The
// texts are in the files beside this one, one for each group of commands.
import { nearestName } from '../config/nearest.ts';
import { semUsage } from '../legacy/usage.ts';
import { boardsHelp } from './boards.ts';
import type { CommandHelp, HelpGroup } from './entry.ts';
import { jobsHelp } from './jobs.ts';
import { labHelp } from './lab.ts';
import { listsHelp } from './lists.ts';
import { locksHelp } from './locks.ts';
import { shellHelp } from './shell.ts';

const groups: readonly HelpGroup[] = [jobsHelp, locksHelp, boardsHelp, listsHelp, shellHelp, labHelp];

const helps: Readonly<Record<string, CommandHelp>> = Object.assign(
  {},
  ...groups.map(({ commands }) => commands),
);

/** `mq` alone, and `mq help`. */
export function usageLines(program: string): string[] {
  const lines = [
    `usage: ${program} COMMAND [OPTIONS]`,
    '',
    'Hands out the boards of a test lab, and runs images on them.',
  ];
  for (const { title, commands } of groups) {
    const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`);
    lines.push('', `${title}:`, ...rows);
  }
  return [
    ...lines,
    '',
    `  ${program} COMMAND --help   options and examples of a command`,
    `  ${program} --version        the version of this program`,
  ];
}

/** `mq COMMAND --help`. */
export function commandHelp(command: string, program = 'mq'): string[] {
  if (command === 'sem') return semUsage(program);
  const help = isCommand(command) ? helps[command] : undefined;
  if (!help) return usageLines(program);
  const lines = help.forms.map((form, index) =>
    `${index === 0 ? 'usage: ' : '       '}${program} ${command} ${form}`.trimEnd(),
  );
  lines.push('', `${help.summary}.`, ...(help.about ?? []));
  if (help.options) lines.push('', 'Options:', ...pairs(help.options, ''));
  lines.push('', 'Examples:', ...pairs(help.examples, `${program} `));
  return lines;
}

/** What there is to say of each command, by its name. */
export function commandHelps(): Readonly<Record<string, CommandHelp>> {
  return helps;
}

/** The command that was probably meant. */
export function nearestCommand(name: string): string | undefined {
  return nearestName(name, [...Object.keys(helps), 'help']);
}

export function isCommand(name: string): boolean {
  return Object.hasOwn(helps, name);
}

/** Two columns; what is too long for the first has its explanation on the next line. */
function pairs(rows: readonly (readonly [string, string])[], prefix: string): string[] {
  const column = 20;
  return rows.flatMap(([left, right]) => {
    const start = `  ${prefix}${left}`;
    if (right === '') return [start];
    if (start.length < column + 2) return [`${start.padEnd(column + 2)} ${right}`];
    return [start, `${' '.repeat(column + 3)}${right}`];
  });
}
