// Whether a process has ended or is on its way out, told from its number at the moment its connection closed.
import { readFileSync } from 'node:fs';

/** PF_EXITING of the kernel's task flags: set before a dying process's descriptors are closed. */
const exitingFlag = 0x4;

/**
 * True when there is no such process, it is a zombie, or it is exiting. False where it lives, or nothing can be told
 * (no /proc). Meant for a pid whose socket has just closed: a dying process closes its sockets while exiting.
 */
export function hasEnded(pid: number): boolean {
  if (process.platform !== 'linux') return !isThere(pid);
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    return (
      (error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH'
    );
  }
  // The name stands in parentheses and may hold anything; what follows the last one is numbers.
  const [state, , , , , , flags] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' || (Number(flags) & exitingFlag) !== 0;
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
