// Tells of arguments that can't be used: the old lines and usage on stdout, and to a person what was wrong.
import { nearestName } from '../config/nearest.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type Unusable, verbs } from './sem-flags.ts';
import { runUsage, semUsage } from './usage.ts';
import { longFlags } from './wish-flags.ts';

/** Returns the exit code. */
export function tellUnusable(
  command: 'sem' | 'run',
  unusable: Unusable,
  { terminal, program }: { terminal: Terminal; program: string },
): number {
  const usage = command === 'sem' ? semUsage(program) : runUsage(program);
  terminal.print([...unusable.lines.map(escapeText), ...(unusable.usage ? usage : [])]);
  const hint =
    unusable.unknownFlag === undefined ? unusable.problem : flagHint(command, unusable.unknownFlag);
  if (hint !== undefined) terminal.hint(escapeText(hint));
  return unusable.exit;
}

/** What was probably meant. A board without the flag before it is what people type most. */
export function flagHint(command: 'sem' | 'run', flag: string): string {
  if (!flag.startsWith('-')) {
    return command === 'sem'
      ? `A board or pool stands behind its verb, such as: -wait ${flag}`
      : 'A board stands behind -s, a file behind -f.';
  }
  const known = command === 'sem' ? [...Object.keys(verbs), ...longFlags] : [...longFlags, '--bitstream'];
  // Of one letter everything is near.
  const nearest = flag.length > 2 ? nearestName(flag, known) : undefined;
  return `There is no flag ${flag}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`;
}
