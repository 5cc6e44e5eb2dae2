// Values that fit a schema, and then do not: what is made from the wire's own schemas gets past the first look and is
// changed in a few places. Pure.
import type { Random } from '../simulation/random.ts';
import { hostileNumber, hostileText, hostileValue, setOwn } from './hostile-text.ts';

/** As much of JSON Schema as the wire uses. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

/** What is known of a field by its name: ids that exist, names of boards. Undefined: make it from the schema. */
export type Known = (name: string, random: Random) => unknown;

export function fromSchema(schema: unknown, random: Random, known: Known, name = ''): unknown {
  const { const: only, enum: words, anyOf, type, ...rest } = schema as Schema;
  const value = name === '' ? undefined : known(name, random);
  if (value !== undefined && random.chance(0.85)) return value;
  if (only !== undefined) return only;
  if (words) return random.pick(words);
  if (anyOf) return fromSchema(random.pick(anyOf), random, known);
  switch (type) {
    case 'object':
      return objectFrom(rest, random, known);
    case 'array': {
      const most = Math.min(rest.maxItems ?? 3, 3);
      return Array.from({ length: random.between(0, most) }, () =>
        fromSchema(rest.items ?? {}, random, known, name),
      );
    }
    case 'boolean':
      return random.chance(0.5);
    case 'integer':
      return Math.trunc(numberFrom(rest, random));
    case 'number':
      return numberFrom(rest, random);
    case 'string':
      return textFrom(rest, random);
    default:
      return hostileValue(random);
  }
}

function objectFrom(schema: Schema, random: Random, known: Known): object {
  const object: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    if (schema.required?.includes(name) === true || random.chance(0.5))
      object[name] = fromSchema(part, random, known, name);
  }
  const [pattern] = Object.values(schema.patternProperties ?? {});
  if (pattern) setOwn(object, hostileText(random), fromSchema(pattern, random, known));
  return object;
}

function numberFrom({ minimum = 0, maximum = 1_000 }: Schema, random: Random): number {
  if (random.chance(0.2)) return random.pick([minimum, maximum, minimum - 1, maximum + 1]);
  return random.between(minimum, Math.min(maximum, minimum + 100));
}

function textFrom({ pattern }: Schema, random: Random): string {
  if (random.chance(0.1) || pattern === undefined) return hostileText(random);
  if (pattern.includes('{64}')) return random.pick('abcdef0123456789'.split('')).repeat(64);
  if (pattern.includes('\\.')) return `1.${random.between(1, 300)}`;
  if (pattern.includes('=')) return Buffer.from(hostileText(random)).toString('base64');
  return `fuzz-${random.between(0, 1e9)}-${random.between(0, 1e9)}`;
}

/** Changes the value in a place or two; now and then not at all. The value itself stays as it is. */
export function mutate(value: unknown, random: Random): unknown {
  if (random.chance(0.35)) return value;
  let changed = structuredClone(value);
  for (let left = random.between(1, 2); left > 0; left -= 1) changed = changeOne(changed, random);
  return changed;
}

function changeOne(value: unknown, random: Random): unknown {
  if (value === null || typeof value !== 'object' || random.chance(0.1)) return hostileValue(random);
  const keys = Object.keys(value);
  const key = keys.length === 0 ? 'x' : random.pick(keys);
  const object = value as Record<string, unknown>;
  switch (random.between(0, 6)) {
    case 0:
      if (Array.isArray(value)) value.splice(0, 1);
      else delete object[key];
      return value;
    case 1:
      if (Array.isArray(value)) value.push(...value, ...value);
      else setOwn(object, hostileText(random), hostileValue(random));
      return value;
    case 2:
      setOwn(object, key, hostileNumber(random));
      return value;
    case 3:
      setOwn(object, key, hostileText(random));
      return value;
    case 4:
      setOwn(object, '__proto__', { admin: true, user: 'root' });
      return value;
    default:
      setOwn(object, key, changeOne(object[key], random));
      return value;
  }
}
