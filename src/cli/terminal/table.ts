// Tables for people: columns as wide as they need, narrowed to the terminal's width where there is one, by cutting what
// may be cut, then by leaving out what matters least. Pure. Cells may come from other users: they are shown with control
// characters escaped.
import { escapeText } from './escape.ts';
import { fitWidth, padWidth, textWidth } from './width.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** May be cut to fit the terminal; others keep their width as long as possible. */
  readonly flexible?: boolean;
  /** Left out where the terminal is too narrow, the lowest number first. Absent: never. */
  readonly drop?: number;
}

export interface Cell {
  readonly text: string;
  /** Wraps the padded cell in colour. */
  readonly paint?: (text: string) => string;
}

export interface TableOptions {
  /** Columns of the terminal; absent: as wide as it gets. */
  readonly width?: number | undefined;
  /** Paints the titles. */
  readonly paintTitle?: (text: string) => string;
}

const gap = '  ';
const flexibleMin = 6;
/** In a terminal too narrow for anything else. */
const columnMin = 3;

/** Lines of the table, titles first. Columns that are empty in every row are left out. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly (string | Cell)[])[],
  { width, paintTitle = (text) => text }: TableOptions = {},
): string[] {
  const cells = rows.map((row) =>
    row.map((cell): Cell => {
      const { text, ...rest } = typeof cell === 'string' ? { text: cell } : cell;
      return { text: escapeText(text), ...rest };
    }),
  );
  const used = columns
    .map((column, index) => ({
      column,
      index,
      width: Math.max(textWidth(column.title), ...cells.map((row) => textWidth(row[index]?.text ?? ''))),
    }))
    .filter(({ index }) => cells.some((row) => (row[index]?.text ?? '') !== ''));
  const shown = fitColumns(used, width ?? Number.POSITIVE_INFINITY);
  const line = (texts: readonly (Cell | undefined)[]) =>
    shown
      .map(({ column, width }, position) => padCell(texts[position], width, column.right === true))
      .join(gap)
      .trimEnd();
  return [
    line(shown.map(({ column }) => ({ text: column.title, paint: paintTitle }))),
    ...cells.map((row) => line(shown.map(({ index }) => row[index]))),
  ];
}

function padCell(cell: Cell | undefined, width: number, right: boolean): string {
  const text = cell?.text ?? '';
  const padded = right ? padLeft(fitWidth(text, width), width) : padWidth(text, width);
  // Trailing spaces stay outside the colour, so that a line can be trimmed.
  const bare = padded.trimEnd();
  return cell?.paint ? cell.paint(bare) + padded.slice(bare.length) : padded;
}

function padLeft(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

interface Placed {
  readonly column: Column;
  readonly index: number;
  readonly width: number;
}

/** The columns that have room, and how much each of them gets. */
function fitColumns(columns: readonly Placed[], width: number): Placed[] {
  let shown = [...columns];
  while (true) {
    const narrowed = narrow(shown, width, ({ column }) =>
      column.flexible === true ? flexibleMin : undefined,
    );
    if (totalWidth(narrowed) <= width) return narrowed;
    const ranks = shown.flatMap(({ column }) => column.drop ?? []);
    if (ranks.length === 0) return narrow(narrowed, width, () => columnMin);
    const least = Math.min(...ranks);
    shown = shown.filter(({ column }) => column.drop !== least);
  }
}

/** Takes from the widest column, one by one, until all fit or each is at its least; undefined: it stays as it is. */
function narrow(
  columns: readonly Placed[],
  width: number,
  leastOf: (column: Placed) => number | undefined,
): Placed[] {
  const narrowed = [...columns];
  while (totalWidth(narrowed) > width) {
    let widest = -1;
    narrowed.forEach((column, index) => {
      const least = leastOf(column) ?? Number.POSITIVE_INFINITY;
      if (column.width > least && column.width > (narrowed[widest]?.width ?? 0)) widest = index;
    });
    const column = narrowed[widest];
    if (column === undefined) break;
    narrowed[widest] = { ...column, width: column.width - 1 };
  }
  return narrowed;
}

function totalWidth(columns: readonly Placed[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0) + gap.length * Math.max(0, columns.length - 1);
}
