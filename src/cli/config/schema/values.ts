/** The kinds of value that a lab's file is made of: names, texts, sizes, durations. JSON Schema, as in lab.ts. */
import { type TSchema, Type } from 'typebox';

/** YAML reads `cores: 4` as a number and `ram: 1.0` as another; both are text to us, as they stand in the file. */
export type Scalar = string | number | boolean;

const namePattern = '^[A-Za-z0-9][A-Za-z0-9_.+-]*$';
const nameTitle = 'a name of letters, digits, _ . + and -, that begins with a letter or digit (64 at most)';
export const printable = '^[^\\u0000-\\u001f\\u007f]+$';

export const closed = { additionalProperties: false } as const;

export const name = (description: string) =>
  Type.String({ pattern: namePattern, maxLength: 64, title: nameTitle, description });
export const names = (description: string) =>
  Type.Array(name('A name.'), { uniqueItems: true, title: 'a list of names', description });
export const flag = (description: string) =>
  Type.Boolean({ title: 'true or false', description, default: false });

/** Text on one line; numbers and booleans are taken as they are written. */
export const text = (description: string) =>
  Type.Unsafe<Scalar>({
    type: ['string', 'number', 'boolean'],
    pattern: printable,
    maxLength: 200,
    title: 'text on one line (200 characters at most)',
    description,
  });

export const count = (description: string, options: { default: number; maximum: number }) =>
  Type.Integer({
    minimum: 1,
    title: `a whole number from 1 to ${options.maximum}`,
    description,
    ...options,
  });
export const wholeNumber = (
  description: string,
  options: { minimum: number; maximum: number; default?: number },
) =>
  Type.Integer({
    title: `a whole number from ${options.minimum} to ${options.maximum}`,
    description,
    ...options,
  });
export const size = (description: string, example: string) =>
  Type.String({
    pattern: '^[1-9][0-9]{0,5}(B|KB|MB|GB)$',
    title: `a size such as ${example} (units B, KB, MB, GB)`,
    description,
    default: example,
  });
export const duration = (
  description: string,
  example: string,
  options: { default?: string } = { default: example },
) =>
  Type.String({
    pattern: '^(?=.)([1-9][0-9]{0,5}d)?([1-9][0-9]{0,5}h)?([1-9][0-9]{0,5}m)?([1-9][0-9]{0,5}s)?$',
    title: `a duration such as ${example} or 1h30m (units d, h, m, s)`,
    description,
    ...options,
  });

/** Names under `key: value`, where the keys are the lab's own. */
export function named<Value extends TSchema>(value: Value, options: { title: string; description: string }) {
  return Type.Record(Type.String(), value, {
    minProperties: 1,
    propertyNames: { type: 'string', pattern: namePattern, maxLength: 64, title: nameTitle },
    ...options,
  });
}

export const absolutePath = (description: string) =>
  Type.String({
    pattern: '^/[^\\u0000-\\u001f\\u007f]*$',
    maxLength: 4096,
    title: 'an absolute path',
    description,
  });

/** Where a secret is. Bare text would end up in backups and screenshots of the file, so there is no such form. */
export const secretPlace = (description: string) =>
  Type.Unsafe<{ file: string } | { env: string }>({
    type: 'object',
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    properties: {
      file: absolutePath('A file that only the server may read.'),
      env: Type.String({
        pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        maxLength: 200,
        title: 'the name of a variable',
        description: 'A variable in the server’s environment.',
      }),
    },
    title: '{ file: PATH } or { env: NAME }',
    description,
  });

export const users = (description: string) =>
  Type.Array(
    Type.String({
      pattern: '^[^\\s\\u0000-\\u001f\\u007f]+$',
      maxLength: 200,
      title: 'a user’s name',
    }),
    { uniqueItems: true, title: 'a list of users', description, default: [] },
  );
