/**
 * Where the old programs of the boards are: the path that a pattern gives, and whether such a program is on this
 * machine. Looks at files, and changes none.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const usualPattern = '/tftpboot/{board}/reboot';

export interface FoundProgram {
  path: string;
  /** An executable file on this machine. */
  isHere: boolean;
}

/**
 * The program of a board. Without a pattern the usual place, or `reboot` in a folder of the board's name in the
 * checkout where only that is there.
 */
export async function findProgram(
  board: string,
  where: { pattern: string | undefined; folder: string },
): Promise<FoundProgram> {
  const paths =
    where.pattern === undefined
      ? [fill(usualPattern, board), join(where.folder, board, 'reboot')]
      : [fill(where.pattern, board)];
  for (const path of paths) if (await isProgram(path)) return { path, isHere: true };
  return { path: paths[0] ?? '', isHere: false };
}

/** '/tftpboot/{board}/reboot' → '/tftpboot/sabre/reboot'. */
function fill(pattern: string, board: string): string {
  return pattern.replaceAll('{board}', () => board);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
