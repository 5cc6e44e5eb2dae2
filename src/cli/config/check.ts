/**
 * What a schema can't say of a lab's file: names that clash, pools that name no board, settings that contradict.
 * Works on files whose shape is partly wrong, so that all errors show at once: it looks only at sound parts.
 */
import { keyPatternProblem } from '../../protocol/key-label.ts';
import { checkMail } from './check-mail.ts';
import { checkParts } from './check-parts.ts';
import { type Lab, valueAt } from './lab-value.ts';
import type { ConfigProblem } from './problem.ts';
import { faultOfListen } from './resolve-listen.ts';
import { attributeNames, type SourceBoard } from './schema/board.ts';
import type { SourceRange } from './schema/files.ts';
import type { SourceListen } from './schema/listen.ts';
import type { Path, Source } from './source.ts';
import { inThing, suggestion, thingAt } from './wording.ts';

export function checkLab(source: Source, isSound: (path: Path) => boolean): ConfigProblem[] {
  const lab: Lab = { source, isSound };
  const { names, problems } = boardNames(lab);
  const pools = source.keys(['pools']);
  return [
    ...problems,
    ...checkSetFromKey(lab),
    ...checkLockFiles(lab),
    ...checkListen(lab),
    ...checkMail(source, isSound),
    ...source.keys(['types']).flatMap((name) => checkSettings(lab, ['types', name])),
    ...source.keys(['boards']).flatMap((name) => checkBoard(lab, name)),
    ...checkParts(lab),
    ...pools.flatMap((name) => checkPool(lab, name, names)),
  ];
}

function checkSetFromKey({ source, isSound }: Lab): ConfigProblem[] {
  const path = ['set_from_key'];
  const pattern = valueAt(source, path);
  if (typeof pattern !== 'string' || !isSound(path)) return [];
  const wanted = keyPatternProblem(pattern);
  return wanted === undefined
    ? []
    : [{ ...source.valuePlace(path), message: `set_from_key must be ${wanted}` }];
}

/** Two boards can't be locked by one file. */
function checkLockFiles({ source, isSound }: Lab): ConfigProblem[] {
  const taken = new Map<string, string>();
  const named = source.keys(['boards']).map((board) => {
    const path = ['boards', board, 'lock_file'];
    const own = valueAt(source, path);
    return { board, path, own: typeof own === 'string' && isSound(path) ? own : undefined };
  });
  for (const { board, own } of named) if (own === undefined) taken.set(board, board);
  return named.flatMap(({ board, path, own }) => {
    if (own === undefined) return [];
    const other = taken.get(own);
    taken.set(own, board);
    if (other === undefined) return [];
    return [
      {
        ...source.valuePlace(path),
        message: `lock_file '${own}' of board '${board}' is that of board '${other}'`,
      },
    ];
  });
}

function checkListen({ source, isSound }: Lab): ConfigProblem[] {
  const path = ['listen'];
  if (source.keys(path).length === 0 || !isSound(path)) return [];
  const fault = faultOfListen(valueAt(source, path) as SourceListen);
  return fault === undefined ? [] : [{ ...source.valuePlace([...path, 'tcp']), message: fault }];
}

/** All names by which boards go, each with the board's own; and what clashes, pools included. */
function boardNames(lab: Lab): { names: Map<string, string>; problems: ConfigProblem[] } {
  const { source } = lab;
  const names = new Map<string, string>();
  const taken = new Map<string, { what: string; path: Path }>();
  const problems: ConfigProblem[] = [];
  const take = (name: string, what: string, path: Path) => {
    const other = taken.get(name);
    if (other === undefined) {
      taken.set(name, { what, path });
      return;
    }
    const place = source.keyPlace(path);
    const { line, file } = source.keyPlace(other.path);
    const where = `in line ${line}${file === place.file ? '' : ` of ${file}`}`;
    problems.push({ ...place, message: `${what} has the name of ${other.what} ${where}` });
  };
  for (const board of source.keys(['boards'])) {
    names.set(board, board);
    take(board, `board '${board}'`, ['boards', board]);
  }
  for (const pool of source.keys(['pools'])) take(pool, `pool '${pool}'`, ['pools', pool]);
  for (const board of source.keys(['boards'])) {
    const path = ['boards', board, 'aliases'];
    // An alias that the list has twice is a fault of its shape, and said there.
    const own = firstPlaces(textsAt(lab, path));
    for (const [alias, place] of own) {
      if (!names.has(alias)) names.set(alias, board);
      take(alias, `alias '${alias}' of board '${board}'`, place);
    }
  }
  return { names, problems };
}

function firstPlaces(entries: readonly { text: string; path: Path }[]): Map<string, Path> {
  const first = new Map<string, Path>();
  for (const { text, path } of entries) if (!first.has(text)) first.set(text, path);
  return first;
}

function checkBoard(lab: Lab, name: string): ConfigProblem[] {
  const path = ['boards', name];
  return [...checkType(lab, path), ...checkSettings(lab, path)];
}

/** What a board has of its type needs one that is there. */
function checkType({ source, isSound }: Lab, path: Path): ConfigProblem[] {
  const type = valueAt(source, [...path, 'type']);
  if (typeof type !== 'string' || !isSound([...path, 'type'])) return [];
  const types = source.keys(['types']);
  if (types.includes(type)) return [];
  const message = `unknown type '${type}'${inThing(path)}${suggestion(type, types)}`;
  return [{ ...source.valuePlace([...path, 'type']), message }];
}

function checkSettings(lab: Lab, path: Path): ConfigProblem[] {
  const { source } = lab;
  const problems: ConfigProblem[] = [];
  for (const tag of source.keys([...path, 'tags'])) {
    if (!attributeNames.some((attribute) => attribute === tag)) continue;
    const message = `tag '${tag}'${inThing(path)} has the name of an attribute. Write ${tag} beside tags`;
    problems.push({ ...source.keyPlace([...path, 'tags', tag]), message });
  }
  if (lab.isSound([...path, 'files'])) problems.push(...checkFiles(lab, [...path, 'files']));
  return problems;
}

function checkFiles(lab: Lab, path: Path): ConfigProblem[] {
  const files = valueAt(lab.source, path) as SourceBoard['files'];
  if (typeof files !== 'object') return [];
  const isRange = files.min !== undefined || files.max !== undefined;
  const isByKind = files.default !== undefined || files.linux !== undefined;
  const place = lab.source.keyPlace(path);
  if (isRange && isByKind) {
    return [{ ...place, message: `${thingAt(path)} has both { min, max } and { default, linux }. Keep one` }];
  }
  if (isByKind) {
    return (['default', 'linux'] as const).flatMap((key) => checkRange(lab, [...path, key], files[key]));
  }
  return checkRange(lab, path, files);
}

function checkRange(lab: Lab, path: Path, range: SourceRange | undefined): ConfigProblem[] {
  if (typeof range !== 'object') return [];
  const place = lab.source.keyPlace(path);
  if (range.min === undefined && range.max === undefined) {
    return [{ ...place, message: `${thingAt(path)} is empty. Write a number, such as 1` }];
  }
  if ((range.min ?? 1) <= (range.max ?? 2)) return [];
  return [{ ...place, message: `min is above max${inThing(path)}` }];
}

function checkPool(lab: Lab, name: string, names: ReadonlyMap<string, string>): ConfigProblem[] {
  const { source } = lab;
  const path = ['pools', name];
  const pool = valueAt(source, path);
  if (Array.isArray(pool)) return checkMembers(lab, path, names);
  if (typeof pool !== 'object' || pool === null) return [];
  const hasBoards = Object.hasOwn(pool, 'boards');
  if (hasBoards === Object.hasOwn(pool, 'where')) {
    const fault = hasBoards ? 'has both boards and where. Keep one' : 'has no boards. Write boards or where';
    return [{ ...source.keyPlace(path), message: `${thingAt(path)} ${fault}` }];
  }
  return hasBoards ? checkMembers(lab, [...path, 'boards'], names) : [];
}

function checkMembers(lab: Lab, path: Path, names: ReadonlyMap<string, string>): ConfigProblem[] {
  const { source } = lab;
  const pool = path.slice(0, 2);
  const seen = new Map<string, string>();
  return textsAt(lab, path).flatMap(({ text: member, path: entry }) => {
    const place = source.valuePlace(entry);
    const board = names.get(member);
    if (board === undefined) {
      return [
        { ...place, message: `unknown board '${member}'${inThing(pool)}${suggestion(member, names.keys())}` },
      ];
    }
    const first = seen.get(board);
    seen.set(board, member);
    // The same word twice is a fault of the list's shape, and said there.
    if (first === undefined || first === member) return [];
    return [{ ...place, message: `'${member}'${inThing(pool)} is the board '${first}' again` }];
  });
}

/** The sound entries of a list of names. */
function textsAt(lab: Lab, path: Path): { text: string; path: Path }[] {
  const value = valueAt(lab.source, path);
  if (!Array.isArray(value)) return [];
  return value.flatMap((text: unknown, index) => {
    const entry = [...path, String(index)];
    return typeof text === 'string' && lab.isSound(entry) ? [{ text, path: entry }] : [];
  });
}
