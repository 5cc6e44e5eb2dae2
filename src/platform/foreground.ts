// Whether a key at the terminal, such as Ctrl+C, reaches this process and its children alike. Reads only.
import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * True where this process belongs to the group that its terminal sends signals to: its children, which belong to it
 * too, have got them then. Without /proc a terminal as input has to do for that.
 */
export function isInForeground(): boolean {
  if (process.platform !== 'linux') return isatty(0);
  // Source: proc_pid_stat(5). The name in parentheses may hold anything.
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const [, , groupId, , , foregroundGroupId] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return groupId === foregroundGroupId;
}
