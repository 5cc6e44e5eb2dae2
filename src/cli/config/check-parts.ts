/**
 * What a schema can't say of boards by parts: which keys belong together, units that are not there, placeholders that stand
 * for nothing. Looks only at sound parts, as check.ts does. Pure.
 */
import { powerOffSeconds } from '../../agent/limits.ts';
import { type Lab, valueAt } from './lab-value.ts';
import { nearestName } from './nearest.ts';
import type { ConfigProblem } from './problem.ts';
import { defaultPowerLimits } from './resolve-machine.ts';
import { boardKeys, partNames } from './schema/board.ts';
import { powerKeys, type SourcePower } from './schema/parts.ts';
import type { Path } from './source.ts';
import { parseDurationSeconds } from './units.ts';
import { inThing, suggestion, thingAt } from './wording.ts';

/** A command that hangs is ended first, which takes a moment too. */
const endingSeconds = 2;

export function checkParts(lab: Lab): ConfigProblem[] {
  const { source } = lab;
  const owners = ['types', 'boards'].flatMap((section) =>
    source.keys([section]).map((name) => [section, name, 'power']),
  );
  const units = source.keys(['power_units']).map((name) => ['power_units', name]);
  return [
    ...source.keys(['boards']).flatMap((name) => checkWay(lab, ['boards', name])),
    ...owners.flatMap((path) => checkPower(lab, path)),
    ...units.flatMap((path) => checkCommands(lab, path, unitPlaceholders(lab, path))),
  ];
}

/** A board has a machine, or all three parts; its own or its type's. */
function checkWay({ source, isSound }: Lab, path: Path): ConfigProblem[] {
  const board = valueAt(source, path);
  if (typeof board !== 'object' || board === null) return [];
  const type = valueAt(source, [...path, 'type']);
  const isKnown =
    typeof type === 'string' && isSound([...path, 'type']) && source.keys(['types']).includes(type);
  // An unknown type is said already, and may have had what is missing.
  if (type !== undefined && !isKnown) return [];
  const own = source.keys(path);
  const typeKeys = isKnown ? source.keys(['types', type]) : [];
  const keys = [...own, ...typeKeys];
  const place = (key: string) =>
    source.keyPlace([...(own.includes(key) ? path : isKnown ? ['types', type] : path), key]);
  const parts = partNames.filter((name) => keys.includes(name));
  const strangers = keys.filter((key) => !boardKeys.includes(key));
  const isSlip = (wanted: string) => strangers.some((key) => nearestName(key, [wanted]) !== undefined);
  if (parts.length === 0) {
    // A slip of the pen is said where the key is.
    if (keys.includes('machine') || ['machine', ...partNames].some(isSlip)) return [];
    return [{ ...source.keyPlace(path), message: `missing key 'machine'${inThing(path)}` }];
  }
  if (keys.includes('machine')) {
    const [part = ''] = parts;
    const from = own.includes(part) ? '' : `, from type '${type}'`;
    const message = `${thingAt(path)} has both machine and ${part}${from}. Keep machine, or power, console and boot`;
    return [{ ...place(own.includes(part) ? part : 'machine'), message }];
  }
  const missing = partNames.filter((name) => !keys.includes(name) && !isSlip(name));
  return missing.map((name) => ({
    ...source.keyPlace(path),
    message: `missing key '${name}'${inThing(path)}, which is by parts: power, console and boot`,
  }));
}

function checkPower(lab: Lab, path: Path): ConfigProblem[] {
  const { source } = lab;
  const power = valueAt(source, path);
  if (typeof power !== 'object' || power === null || Array.isArray(power)) return [];
  return (power as SourcePower).unit === undefined
    ? [...checkOwnPower(lab, path), ...checkCommands(lab, path, new Set(['board']))]
    : checkUnit(lab, path);
}

function checkOwnPower({ source }: Lab, path: Path): ConfigProblem[] {
  const keys = source.keys(path);
  if (keys.includes('outlet')) {
    const message = `outlet${inThing(path)} belongs to a power unit. Write unit too`;
    return [{ ...source.keyPlace([...path, 'outlet']), message }];
  }
  // A slip of the pen is said where the key is.
  const strangers = keys.filter((key) => !powerKeys.includes(key));
  const isSlip = (wanted: string) =>
    strangers.some((key) => `power_${key.toLowerCase()}` === wanted || nearestName(key, [wanted]) === wanted);
  if (keys.length === 0) {
    const message = `${thingAt(path)} is empty. Write unit and outlet, or driver, power_on and power_off`;
    return [{ ...source.keyPlace(path), message }];
  }
  return ['driver', 'power_on', 'power_off']
    .filter((key) => !keys.includes(key) && !isSlip(key))
    .map((key) => ({ ...source.keyPlace(path), message: `missing key '${key}'${inThing(path)}` }));
}

function checkUnit(lab: Lab, path: Path): ConfigProblem[] {
  const { source, isSound } = lab;
  const power = valueAt(source, path) as SourcePower;
  const others = source.keys(path).filter((key) => key !== 'unit' && key !== 'outlet');
  const problems = others.map((key) => ({
    ...source.keyPlace([...path, key]),
    message: `${key}${inThing(path)} belongs to the power unit. Keep unit, or the settings of a driver`,
  }));
  const { unit } = power;
  if (typeof unit !== 'string' || !isSound([...path, 'unit'])) return problems;
  const units = source.keys(['power_units']);
  if (!units.includes(unit)) {
    const message = `unknown power unit '${unit}'${inThing(path)}${suggestion(unit, units)}`;
    return [...problems, { ...source.valuePlace([...path, 'unit']), message }];
  }
  const wantsOutlet = wordsOf(lab, ['power_units', unit]).some(({ text }) => text.includes('{outlet}'));
  if (!wantsOutlet || power.outlet !== undefined) return problems;
  const message = `missing key 'outlet'${inThing(path)}: the commands of power unit '${unit}' have {outlet}`;
  return [...problems, { ...source.keyPlace(path), message }];
}

function unitPlaceholders({ source }: Lab, path: Path): Set<string> {
  return new Set(['board', 'outlet', ...(source.keys(path).includes('address') ? ['address'] : [])]);
}

/** `known`: the placeholders that stand for something there. */
function checkCommands(lab: Lab, path: Path, known: ReadonlySet<string>): ConfigProblem[] {
  const { source } = lab;
  const problems: ConfigProblem[] = [];
  for (const { text, path: word } of wordsOf(lab, path)) {
    for (const [, name = ''] of text.matchAll(/\{([a-z_]+)\}/g)) {
      // What is not even near is the program's own affair.
      if (known.has(name) || nearestName(name, ['board', 'outlet', 'address']) === undefined) continue;
      const own = nearestName(name, known);
      const hint = own === undefined ? '' : `. Did you mean {${own}}?`;
      const message = `{${name}} in ${thingAt(word)} stands for nothing${hint}`;
      problems.push({ ...source.valuePlace(word), message });
    }
  }
  return [...problems, ...checkTries(lab, path)];
}

/** All tries together must fit into the time that a power off has. */
function checkTries({ source, isSound }: Lab, path: Path): ConfigProblem[] {
  const { timeout, retries = defaultPowerLimits.retries } = (valueAt(source, path) ?? {}) as SourcePower;
  if (!isSound([...path, 'timeout']) || !isSound([...path, 'retries'])) return [];
  const seconds = timeout === undefined ? defaultPowerLimits.timeoutSeconds : parseDurationSeconds(timeout);
  const all = ((seconds ?? 0) + endingSeconds) * (retries + 1);
  if (all <= powerOffSeconds) return [];
  const longest = Math.floor(powerOffSeconds / (retries + 1)) - endingSeconds;
  const key = timeout === undefined ? 'retries' : 'timeout';
  const fix = longest >= 1 ? `. With ${retries + 1} tries, a timeout may be ${longest}s` : '';
  const message = `${key}${inThing(path)} is too much: a power off has ${powerOffSeconds} s for all its tries${fix}`;
  return [{ ...source.valuePlace([...path, key]), message }];
}

function wordsOf({ source, isSound }: Lab, path: Path): { text: string; path: Path }[] {
  return ['power_on', 'power_off', 'status'].flatMap((key) => {
    const words = valueAt(source, [...path, key]);
    if (!Array.isArray(words)) return [];
    return words.flatMap((_, index) => {
      const word = [...path, key, String(index)];
      return isSound(word) ? [{ text: source.text(word) ?? '', path: word }] : [];
    });
  });
}
