/**
 * The old scripts' lists of boards and pools, byte for byte. Pure: a lab goes in, text comes out.
 * Clients read these by column name, by position and by eye, so neither widths nor words may change.
 */
import type { BoardListing, LabListing } from '../protocol/lab.ts';

/** `mq system-tsv`: a header line, then a line for each board. */
export function systemTsv(lab: LabListing): string {
  const columns = ['arch', 'sel4_plat', 'isa', 'soc', 'cpu', 'cores', 'ram', 'max_clk'];
  const rows = lab.boards.map((board) => [
    board.name,
    ...columns.map((column) => attributeText(board, column)),
    numFilesText(board),
  ]);
  return tsv([['name', ...columns, 'num_files'], ...rows]);
}

/** `mq pool-tsv`: for each pool its name, then its boards; no header. */
export function poolTsv(lab: LabListing): string {
  return tsv(lab.pools.map((pool) => [pool.name, ...pool.boards]));
}

/** `mq systems`: a table of the boards and one of the pools. */
export function systems(lab: LabListing): string {
  const boards = lab.boards.map((board) => [
    board.name,
    ...['arch', 'isa', 'soc', 'cpu', 'cores', 'ram', 'max_clk'].map((name) => attributeText(board, name)),
  ]);
  const pools = lab.pools.map((pool) => [pool.name, pool.boards.join(' ')]);
  return table(systemColumns, boards) + table(poolColumns, pools);
}

/** `mq systems simple`: the boards' names, one a line. */
export function systemsSimple(lab: LabListing): string {
  return lab.boards.map((board) => `${board.name}\n`).join('');
}

/** `mq features`: which boards boot Linux (`-L`) and take a device tree (`-b`). */
export function features(lab: LabListing): string {
  const rows = lab.boards.map((board) => [board.name, yesNo(board.takesLinux), yesNo(board.takesDtb)]);
  return table(featureColumns, rows);
}

interface Column {
  title: string;
  /** Of the title and the rules. */
  width: number;
  /** Of the cells, where that is another: the old table's `riscv` never fitted under `Arch`. */
  cellWidth?: number;
  leftAligned?: true;
}

const systemColumns: readonly Column[] = [
  { title: 'Name', width: 14 },
  { title: 'Arch', width: 4, cellWidth: 5 },
  { title: 'ISA', width: 7 },
  { title: 'SoC', width: 15 },
  { title: 'CPU', width: 14 },
  { title: 'Cores', width: 5 },
  { title: 'RAM', width: 5 },
  { title: 'MaxCLK', width: 6 },
];

const poolColumns: readonly Column[] = [
  { title: 'Name', width: 10 },
  { title: 'Systems', width: 71, leftAligned: true },
];

const featureColumns: readonly Column[] = [
  { title: 'Name', width: 14 },
  { title: 'PXE boot Linux', width: 14 },
  { title: 'Custom DTB', width: 10 },
];

/** Titles stand to the left and most cells to the right; a cell that is too long pushes the rest of its line. */
function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const rule = `+${columns.map(({ width }) => '-'.repeat(width + 2)).join('+')}+`;
  const titles = tableLine(columns.map(({ title, width }) => title.padEnd(width)));
  const lines = rows.map((row) =>
    tableLine(
      columns.map(({ width, cellWidth = width, leftAligned }, index) => {
        const cell = row[index] ?? '';
        return leftAligned ? cell.padEnd(cellWidth) : cell.padStart(cellWidth);
      }),
    ),
  );
  return [rule, titles, rule, ...lines, rule].map((line) => `${line}\n`).join('');
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function tsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.join('\t')}\n`).join('');
}

/** What a lab did not write down was a question mark in its lists, and still is. */
function attributeText(board: BoardListing, name: string): string {
  return board.attributes[name] ?? '?';
}

/** The old lists have room for one number: the most that a job brings without `-L`. */
function numFilesText(board: BoardListing): string {
  return String(board.files.plain.max);
}

function yesNo(fact: boolean): string {
  return fact ? 'yes' : 'no';
}
