// A full screen as lines, and what must be written so that a terminal which shows one frame shows the next: only lines
// that changed, so that a slow link carries little. Pure.
import { fitPainted } from './width.ts';

export interface Frame {
  readonly columns: number;
  readonly rows: number;
  /** From the top; at most `rows`, none wider than `columns`. Colours may be in them, nothing else that moves. */
  readonly lines: readonly string[];
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const clearScreen = '\u001b[2J';
const clearRest = '\u001b[K';
const noColour = '\u001b[0m';

/** Cuts the lines to the screen. The last row is for `foot`; `from` is the first line that is shown. */
export function makeFrame(
  { columns, rows }: ScreenSize,
  { lines, foot, from }: { lines: readonly string[]; foot: string; from: number },
): Frame {
  const room = Math.max(0, rows - 1);
  const body = lines.slice(from, from + room);
  const blank = Array.from({ length: room - body.length }, () => '');
  const all = [...body, ...blank, foot].slice(0, rows);
  return { columns, rows, lines: all.map((line) => fitPainted(line, columns)) };
}

/** What turns the one screen into the other; empty where they are the same. */
export function frameUpdate(before: Frame | undefined, after: Frame): string {
  const isSameSize = before?.columns === after.columns && before.rows === after.rows;
  const parts = isSameSize ? [] : [noColour + clearScreen];
  for (let row = 0; row < after.rows; row += 1) {
    const line = after.lines[row] ?? '';
    const old = isSameSize ? (before?.lines[row] ?? '') : '';
    // Cleared first: in the last column a terminal would clear what was just written there.
    if (line !== old) parts.push(`\u001b[${row + 1};1H${noColour}${clearRest}${line}`);
  }
  return parts.join('');
}
