/**
 * Holds a lab's file against its schema and says in words what does not fit. Nothing here knows a key of the file:
 * words come from the schema's titles.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { nearestName } from './nearest.ts';
import type { ConfigProblem } from './problem.ts';
import { labSchema } from './schema/lab.ts';
import type { Path, Source } from './source.ts';
import { choice, inThing, shown, suggestion, thingAt } from './wording.ts';

export interface ShapeCheck {
  problems: ConfigProblem[];
  /** Whether nothing at or below this path is wrong, so that its value has the type of the schema. */
  isSound(path: Path): boolean;
}

let compiled: ValidateFunction | undefined;

export function checkShape(source: Source): ShapeCheck {
  compiled ??= new Ajv({
    allErrors: true,
    verbose: true,
    discriminator: true,
    allowUnionTypes: true,
  }).compile(labSchema);
  const validate = compiled;
  validate(source.value);
  const faults = (validate.errors ?? []).map((error) => ({ error, path: pathOf(error) }));
  const meant = new Set(
    faults.map(({ error, path }) => keyMeant(error, path)).filter((key) => key !== undefined),
  );
  const unsound = new Set<string>();
  for (const { path } of faults) {
    for (let length = 0; length <= path.length; length++) unsound.add(JSON.stringify(path.slice(0, length)));
  }
  return {
    problems: faults.flatMap(({ error, path }) => problemOf(error, path, source, meant)),
    isSound: (path) => !unsound.has(JSON.stringify(path)),
  };
}

/** Where the fault is. A name that is not allowed is itself the place, not the mapping around it. */
function pathOf(error: ErrorObject): Path {
  const around = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return error.propertyName === undefined ? around : [...around, error.propertyName];
}

/** The key that an unknown one stands for. Where it is also missing, saying so twice would not help. */
function keyMeant(error: ErrorObject, path: Path): string | undefined {
  if (error.keyword !== 'additionalProperties') return undefined;
  const key: string = error.params.additionalProperty;
  const nearest = switchKey(key, knownKeys(error)) ?? nearestName(key, knownKeys(error));
  return nearest === undefined ? undefined : JSON.stringify([...path, nearest]);
}

/** Bare `on` and `off` are booleans to many YAML readers, so the keys have other names. */
function switchKey(key: string, known: readonly string[]): string | undefined {
  return /^(on|off)$/i.test(key) ? known.find((name) => name === `power_${key.toLowerCase()}`) : undefined;
}

function knownKeys(error: ErrorObject): string[] {
  return Object.keys(error.parentSchema?.properties ?? {});
}

function problemOf(
  error: ErrorObject,
  path: Path,
  source: Source,
  meant: ReadonlySet<string>,
): ConfigProblem[] {
  const { keyword, params } = error;
  if (keyword === 'additionalProperties') {
    const key: string = params.additionalProperty;
    const known = knownKeys(error);
    const switching = switchKey(key, known);
    const hint = switching
      ? `. Write ${switching}: a bare ${key} is a boolean to many YAML readers`
      : choice(key, known);
    const message = `unknown key '${key}'${inThing(path)}${hint}`;
    return [{ ...source.keyPlace([...path, key]), message }];
  }
  if (keyword === 'required' || (keyword === 'discriminator' && params.tagValue === undefined)) {
    const key: string = params.missingProperty ?? params.tag;
    if (meant.has(JSON.stringify([...path, key]))) return [];
    return [{ ...source.keyPlace(path), message: `missing key '${key}'${inThing(path)}` }];
  }
  // Ajv says of a bad name both what is wrong with it and that it is wrong.
  if (keyword === 'propertyNames') return [];
  if (error.propertyName !== undefined) return [wrongName(error, path, source)];
  return [wrongValue(error, path, source)];
}

function wrongName(error: ErrorObject, path: Path, source: Source): ConfigProblem {
  const message = `'${path.at(-1)}'${inThing(path.slice(0, -1))} must be ${error.parentSchema?.title}`;
  return { ...source.keyPlace(path), message };
}

function wrongValue(error: ErrorObject, path: Path, source: Source): ConfigProblem {
  const { keyword, params } = error;
  const place = source.valuePlace(path);
  if (keyword === 'uniqueItems') {
    const first: number = Math.min(params.i, params.j);
    const again = [...path, String(Math.max(params.i, params.j))];
    const message = `'${source.text(again)}' is in ${thingAt(path)} twice, first as entry ${first + 1}`;
    return { ...source.valuePlace(again), message };
  }
  if (keyword === 'discriminator') {
    const known = (error.parentSchema?.oneOf ?? []).map(constOf(params.tag));
    const name = source.text([...path, params.tag]) ?? '';
    const message = `unknown ${params.tag} '${name}'${inThing(path)}${choice(name, known)}`;
    return { ...source.valuePlace([...path, params.tag]), message };
  }
  const empty = keyword === 'minProperties';
  const found = empty ? 'empty' : shown(error.data, source.text(path));
  const hint = hintFor(error, source.text(path));
  return {
    ...place,
    message: `${thingAt(path)} must be ${error.parentSchema?.title}, not ${found}${hint}`,
  };
}

function constOf(tag: string) {
  return (branch: { properties: Record<string, { const: string }> }): string =>
    branch.properties[tag]?.const ?? '';
}

/** What to write instead, where that is plain: older YAML had `yes`, and a bare 101 is a number. */
function hintFor(error: ErrorObject, text: string | undefined): string {
  if (text === undefined) return '';
  if (error.keyword === 'enum') return suggestion(text, error.params.allowedValues);
  if (error.keyword !== 'type') return '';
  if (error.params.type === 'boolean' && /^(yes|on|y)$/i.test(text)) return '. Write true';
  if (error.params.type === 'boolean' && /^(no|off|n)$/i.test(text)) return '. Write false';
  const pattern: string | undefined = error.parentSchema?.pattern;
  return pattern !== undefined && new RegExp(pattern, 'u').test(text) ? '. Quote it' : '';
}
