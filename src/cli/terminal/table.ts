// Tables for people: columns as wide as they need, narrowed to the terminal's width where there is one. Pure. Cells
// may come from other users: they are shown with control characters escaped.
import { escapeText } from './escape.ts';
import { fitWidth, padWidth, textWidth } from './width.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** May be cut to fit the terminal; others keep their width as long as possible. */
  readonly flexible?: boolean;
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
    .map((column, index) => ({ column, index }))
    .filter(({ index }) => cells.some((row) => (row[index]?.text ?? '') !== ''));
  const widths = narrow(
    used.map(({ column, index }) => ({
      width: Math.max(textWidth(column.title), ...cells.map((row) => textWidth(row[index]?.text ?? ''))),
      flexible: column.flexible === true,
    })),
    width,
  );
  const line = (texts: readonly (Cell | undefined)[]) =>
    used
      .map(({ column }, position) => padCell(texts[position], widths[position] ?? 0, column.right === true))
      .join(gap)
      .trimEnd();
  return [
    line(used.map(({ column }) => ({ text: column.title, paint: paintTitle }))),
    ...cells.map((row) => line(used.map(({ index }) => row[index]))),
  ];
}

function padCell(cell: Cell | undefined, width: number, right: boolean): string {
  const text = cell?.text ?? '';
  const padded = right ? fitWidth(text, width).padStart(width) : padWidth(text, width);
  // Trailing spaces stay outside the colour, so that a line can be trimmed.
  const bare = padded.trimEnd();
  return cell?.paint ? cell.paint(bare) + padded.slice(bare.length) : padded;
}

/** Takes from the widest flexible column, one by one, until all fit. */
function narrow(
  columns: readonly { width: number; flexible: boolean }[],
  width: number | undefined,
): number[] {
  const widths = columns.map((column) => column.width);
  if (width === undefined) return widths;
  const total = () => widths.reduce((sum, one) => sum + one, 0) + gap.length * Math.max(0, widths.length - 1);
  while (total() > width) {
    let widest = -1;
    columns.forEach(({ flexible }, index) => {
      const here = widths[index] ?? 0;
      if (flexible && here > flexibleMin && here > (widths[widest] ?? 0)) widest = index;
    });
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}
