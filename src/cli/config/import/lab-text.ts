/** Writes what the old scripts told as a lab's file, with comments on what a person should look at. Pure. */
import { attributeNames } from '../schema/board.ts';
import type { OldLab } from './ask-old-scripts.ts';
import type { OldBoard, OldPool } from './old-lists.ts';
import type { FoundProgram } from './script-paths.ts';

export interface BoardPrograms {
  run: FoundProgram;
  /** Where powering off is another program's work. */
  powerOff?: FoundProgram;
}

export interface LabText {
  text: string;
  /** Boards with a program that is not on this machine. */
  boardsWithoutProgram: string[];
}

/** @param programs by board */
export function labText(lab: OldLab, programs: ReadonlyMap<string, BoardPrograms>): LabText {
  const names = new Set(lab.boards.map(({ name }) => name));
  const absent = lab.boards.filter(({ name }) => absentOf(programs.get(name)).length > 0);
  const lines = [
    ...introduction(lab.boards.length, absent.length),
    'lab: Lab',
    '',
    'boards:',
    ...lab.boards.flatMap((board) => {
      const own = programs.get(board.name);
      // Said once at the top where it is so of all of them.
      const missing = absent.length === lab.boards.length ? [] : absentOf(own);
      const notes = missing.map((path) => `${path} is not on this machine`);
      return boardLines({ board, lab, programs: own, notes });
    }),
  ];
  if (lab.pools.length > 0) {
    lines.push('', 'pools:', '  # The first free board in this order is taken.');
    lines.push(...lab.pools.flatMap((pool) => poolLines(pool, names)));
  }
  return { text: `${lines.join('\n')}\n`, boardsWithoutProgram: absent.map(({ name }) => name) };
}

function introduction(boardCount: number, absentCount: number): string[] {
  const here = `#      ${absentCount} boards have one that is not on this machine; their lines say so.`;
  const all = absentCount === 0 ? 'All of them are' : 'None of them is';
  const absent = absentCount % boardCount === 0 ? `#      ${all} on this machine.` : here;
  return [
    '# Written by `mq import` from what the old scripts print. docs/configuration.md of mq explains every key.',
    '# To check:',
    '#   1. lab: the name of the lab, as people shall see it.',
    '#   2. path: the program that ran the board. It is called with --shutdown to power off; where another one',
    '#      did that, add power_off_path.',
    absent,
    '#   3. files: as num_files says. Where a job with -L brings another number, write { default: 1, linux: 2 }.',
    '#   4. A board that was renamed: add its old name, aliases: [old].',
    '# Then: mq check-config THIS-FILE',
  ];
}

function absentOf(programs: BoardPrograms | undefined): string[] {
  const all = [programs?.run, programs?.powerOff].filter((program) => program !== undefined);
  return all.filter(({ isHere }) => !isHere).map(({ path }) => path);
}

function boardLines(about: {
  board: OldBoard;
  lab: OldLab;
  programs: BoardPrograms | undefined;
  notes: readonly string[];
}): string[] {
  const { board, lab, programs } = about;
  const features = lab.features.get(board.name);
  const notes = [...about.notes];
  if (features === undefined) notes.push('features does not list it: linux and dtb are left out');
  const settings = attributeNames.flatMap((name) => {
    const value = board.attributes[name];
    return value === undefined ? [] : [`${name}: ${scalar(value)}`];
  });
  if (/^[12]$/.test(board.fileCount)) settings.push(`files: ${board.fileCount}`);
  else notes.push(`its num_files was ${scalar(board.fileCount)}, which is not 1 or 2: files is left out`);
  if (features?.linux) settings.push('linux: true');
  if (features?.dtb) settings.push('dtb: true');
  const machine = ['driver: script', `path: ${scalar(programs?.run.path ?? '')}`];
  if (programs?.powerOff) machine.push(`power_off_path: ${scalar(programs.powerOff.path)}`);
  settings.push(`machine: { ${machine.join(', ')} }`);
  return [...notes.map(comment), `  ${nameText(board.name)}: { ${settings.join(', ')} }`];
}

function poolLines({ name, boards }: OldPool, known: ReadonlySet<string>): string[] {
  const strange = boards.filter((board) => !known.has(board));
  const notes = strange.map(
    (board) => `${scalar(board)} was in it, and system-tsv does not list such a board`,
  );
  const members = boards.filter((board) => known.has(board)).map(nameText);
  return [...notes.map(comment), `  ${nameText(name)}: [${members.join(', ')}]`];
}

function comment(note: string): string {
  return `  # Check: ${note}.`;
}

/** A list of names takes no numbers. */
function nameText(name: string): string {
  return /^[0-9]+$/.test(name) ? JSON.stringify(name) : scalar(name);
}

/** Bare where any YAML reader takes it as written, else in quotes; whole numbers are read as they stand. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z0-9/][A-Za-z0-9_.+/()-]*( [A-Za-z0-9_.+/()-]+)*(:[A-Za-z0-9_.+/()-]+)*$/.test(
    text,
  );
  const isWord = !/^(y|yes|n|no|on|off|true|false|null)$/i.test(text);
  const isNumber = !Number.isNaN(Number(text)) || /^[0-9][0-9_:.]*$/.test(text) || /^0[ob]/i.test(text);
  const isWhole = /^(0|[1-9][0-9]{0,8})$/.test(text);
  return isPlain && isWord && (!isNumber || isWhole) ? text : JSON.stringify(text);
}
