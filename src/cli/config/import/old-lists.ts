/**
 * What the old scripts print about their lab, taken apart: `system-tsv`, `pool-tsv` and `features`. Pure.
 * What they print that is no such list at all is refused; what is only odd comes through, for a person to see.
 */
import { attributeNames } from '../schema/board.ts';

export interface OldBoard {
  name: string;
  /** Under the names of `attributeNames`, as printed; what is unknown (`?`) or empty is left out. */
  attributes: Record<string, string>;
  /** As printed: a number of images, if all is well. */
  fileCount: string;
}

export interface OldPool {
  name: string;
  boards: string[];
}

export interface OldFeatures {
  linux: boolean;
  dtb: boolean;
}

/** What a command of the old scripts printed is not what it is for. The message has command and line. */
export class OldListError extends Error {}

/** Throws OldListError. Columns are found by the header's names, in whatever order. */
export function parseSystemTsv(text: string): OldBoard[] {
  const [header = '', ...lines] = linesOf(text);
  const columns = header.split('\t');
  const needed = ['name', ...attributeNames, 'num_files'];
  const missing = needed.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    const fault = `its first line must name the columns, and does not name ${missing.join(', ')}`;
    throw faultIn('system-tsv', 1, fault, header);
  }
  const boards = lines.map((line, index): OldBoard => {
    const cells = line.split('\t');
    if (cells.length !== columns.length || cells[columns.indexOf('name')] === '') {
      const fault = `a board has a name and ${columns.length} columns, not ${cells.length}`;
      throw faultIn('system-tsv', index + 2, fault, line);
    }
    const cell = (name: string) => cells[columns.indexOf(name)] ?? '';
    const known = attributeNames.filter((name) => cell(name) !== '' && cell(name) !== '?');
    return {
      name: cell('name'),
      attributes: Object.fromEntries(known.map((name) => [name, cell(name)])),
      fileCount: cell('num_files'),
    };
  });
  if (boards.length === 0) throw new OldListError('system-tsv lists no board');
  noneTwice('system-tsv', 'board', 2, boards);
  return boards;
}

/** Throws OldListError. A lab may have no pool. */
export function parsePoolTsv(text: string): OldPool[] {
  const pools = linesOf(text).map((line, index): OldPool => {
    const [name = '', ...boards] = line.split('\t');
    if (name === '' || /\s/.test(name) || boards.length === 0 || boards.includes('')) {
      throw faultIn('pool-tsv', index + 1, 'a pool is its name, then its boards, with tabs between', line);
    }
    return { name, boards };
  });
  noneTwice('pool-tsv', 'pool', 1, pools);
  return pools;
}

const featureTitles = { name: 'Name', linux: 'PXE boot Linux', dtb: 'Custom DTB' } as const;

/** By board. Throws OldListError where it is no table with these titles and `yes` or `no` under them. */
export function parseFeatures(text: string): Map<string, OldFeatures> {
  const features = new Map<string, OldFeatures>();
  let titles: string[] | undefined;
  for (const [index, line] of linesOf(text).entries()) {
    if (/^\+[-+]+$/.test(line)) continue;
    const cells = line.split('|').map((cell) => cell.trim());
    if (titles === undefined) {
      const missing = Object.values(featureTitles).filter((title) => !cells.includes(title));
      if (missing.length > 0) {
        throw faultIn('features', index + 1, `the table's titles must have ${missing.join(', ')}`, line);
      }
      titles = cells;
      continue;
    }
    const cell = (column: keyof typeof featureTitles) => cells[titles?.indexOf(featureTitles[column]) ?? -1];
    const [name, linux, dtb] = [cell('name'), cell('linux'), cell('dtb')];
    if (!name || !isYesNo(linux) || !isYesNo(dtb)) {
      throw faultIn('features', index + 1, 'a line is the name of a board, then yes or no twice', line);
    }
    features.set(name, { linux: linux === 'yes', dtb: dtb === 'yes' });
  }
  if (titles === undefined) throw new OldListError('features printed nothing');
  return features;
}

function isYesNo(text: string | undefined): boolean {
  return text === 'yes' || text === 'no';
}

function noneTwice(command: string, what: string, firstLine: number, things: readonly { name: string }[]) {
  const seen = new Set<string>();
  for (const [index, { name }] of things.entries()) {
    if (seen.has(name)) throw faultIn(command, index + firstLine, `${what} '${name}' is there twice`, name);
    seen.add(name);
  }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line, index, all) => line !== '' || index < all.length - 1);
}

function faultIn(command: string, line: number, fault: string, found: string): OldListError {
  const shown = found.length > 80 ? `${found.slice(0, 80)}…` : found;
  return new OldListError(`${command}, line ${line}: ${fault}. Found: ${JSON.stringify(shown)}`);
}
