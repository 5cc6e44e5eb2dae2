/**
 * One lab out of its file and those that it includes: boards, types, power units and pools of all of them, each with the place
 * where it stands. Knows nothing of what is right inside them. Pure.
 */
import type { ConfigProblem } from './problem.ts';
import type { Path, Source } from './source.ts';
import { shown, thingAt } from './wording.ts';

const sections = ['types', 'power_units', 'boards', 'pools'];

/** What the included files have comes after what the lab's own file has, in the order given. */
export function combineSources(main: Source, parts: readonly Source[]): Source {
  if (!isMapping(main.value) || parts.length === 0) return main;
  const owners = new Map(sections.map((section) => [section, new Map<string, Source>()]));
  const value: Record<string, unknown> = Object.assign(Object.create(null), main.value);
  const problems: ConfigProblem[] = [...main.problems];
  for (const section of sections) {
    for (const name of main.keys([section])) owners.get(section)?.set(name, main);
  }
  for (const part of parts) {
    problems.push(...part.problems, ...strangersIn(part));
    for (const section of sections) problems.push(...addSection(section, part, { value, owners }));
  }
  const sourceOf = ([section = '', name = '']: Path) => owners.get(section)?.get(name) ?? main;
  return {
    value,
    problems,
    keyPlace: (path) => sourceOf(path).keyPlace(path),
    valuePlace: (path) => sourceOf(path).valuePlace(path),
    keys: (path) => {
      const merged = path.length === 1 ? owners.get(path[0] ?? '') : undefined;
      return merged === undefined ? sourceOf(path).keys(path) : [...merged.keys()];
    },
    isKeyQuoted: (path) => sourceOf(path).isKeyQuoted(path),
    text: (path) => sourceOf(path).text(path),
  };
}

/** What an included file has no room for. A file with nothing in it is none of it. */
function strangersIn(part: Source): ConfigProblem[] {
  if (part.value === null || part.value === undefined) return [];
  if (!isMapping(part.value)) {
    const message = `an included file must be a mapping of boards, types, power_units and pools, not ${shown(part.value, part.text([]))}`;
    return [{ ...part.keyPlace([]), message }];
  }
  const others = part.keys([]).filter((key) => !sections.includes(key));
  return others.map((key) => ({
    ...part.keyPlace([key]),
    message: `'${key}' can't be in an included file. There are: boards, types, power_units, pools`,
  }));
}

function addSection(
  section: string,
  part: Source,
  lab: { value: Record<string, unknown>; owners: Map<string, Map<string, Source>> },
): ConfigProblem[] {
  const own = isMapping(part.value) ? part.value[section] : undefined;
  if (own === undefined) return [];
  if (!isMapping(own)) {
    const message = `${section} must be a mapping of ${section}, not ${shown(own, part.text([section]))}`;
    return [{ ...part.valuePlace([section]), message }];
  }
  const before = lab.value[section];
  // What the lab's own file has there is no mapping, and that is told already.
  if (before !== undefined && !isMapping(before)) return [];
  const merged: Record<string, unknown> = Object.assign(Object.create(null), before);
  const owners = lab.owners.get(section);
  const problems: ConfigProblem[] = [];
  for (const name of part.keys([section])) {
    const path = [section, name];
    const first = owners?.get(name)?.keyPlace(path);
    if (first !== undefined) {
      const message = `${thingAt(path)} is there already, in line ${first.line} of ${first.file}`;
      problems.push({ ...part.keyPlace(path), message });
      continue;
    }
    owners?.set(name, part);
    merged[name] = own[name];
  }
  lab.value[section] = merged;
  return problems;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
