// Every bound that the shape of a request sets (lengths, counts, sizes of numbers), found in the schemas themselves: what
// reaches it is accepted, one more is refused by name, and nothing is changed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Compile } from 'typebox/compile';
import { type OperationName, operations } from '../../src/protocol/operations.ts';
import { RawChannel, startHttp } from '../http/http-lab.ts';

interface Shape {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Bound {
  readonly path: readonly string[];
  readonly shape: Shape;
}

/** Bounded properties, at the top and within objects. */
function boundsOf(shape: Shape, path: readonly string[] = []): Bound[] {
  return Object.entries(shape.properties ?? {}).flatMap(([name, property]) => {
    const here = { path: [...path, name], shape: property };
    const isBounded = [property.maxLength, property.maxItems, property.maximum].some(
      (max) => max !== undefined,
    );
    // Beyond it numbers have no neighbours.
    const isSafe = property.maximum !== Number.MAX_SAFE_INTEGER;
    return [...(isBounded && isSafe ? [here] : []), ...boundsOf(property, here.path)];
  });
}

const texts = ['a', 'request-1', '1.1', '0'.repeat(64)];

/** The least that fits. */
function sample(shape: Shape): unknown {
  if (shape.const !== undefined) return shape.const;
  if (shape.anyOf?.[0]) return sample(shape.anyOf[0]);
  switch (shape.type) {
    case 'object':
      return Object.fromEntries(
        (shape.required ?? []).map((name) => [name, sample(shape.properties?.[name] ?? {})]),
      );
    case 'array':
      return Array.from({ length: shape.minItems ?? 0 }, () => sample(shape.items ?? {}));
    case 'boolean':
      return false;
    case 'string': {
      const fits = (text: string) =>
        new RegExp(shape.pattern ?? '').test(text) && text.length >= (shape.minLength ?? 0);
      return texts.find(fits);
    }
    default:
      return shape.minimum ?? 0;
  }
}

/** At the bound, and `more` above it. */
function atBound({ shape }: Bound, more: number): unknown {
  if (shape.maxLength !== undefined) return 'a'.repeat(shape.maxLength + more);
  if (shape.maxItems !== undefined)
    return Array.from({ length: shape.maxItems + more }, () => sample(shape.items ?? {}));
  return (shape.maximum ?? 0) + more;
}

/** A body that fits, with the property at its bound. */
function bodyWith(request: Shape, bound: Bound, more: number): object {
  const body = sample(request) as Record<string, unknown>;
  let owner = body;
  let shape = request;
  for (const name of bound.path.slice(0, -1)) {
    shape = shape.properties?.[name] ?? {};
    owner[name] ??= sample(shape);
    owner = owner[name] as Record<string, unknown>;
  }
  owner[bound.path.at(-1) ?? ''] = atBound(bound, more);
  return body;
}

const cases = (Object.keys(operations) as OperationName[]).flatMap((name) => {
  const request = operations[name].request as unknown as Shape;
  return boundsOf(request).map((bound) => ({ name, request, bound }));
});

test('what reaches a bound is accepted', () => {
  for (const { name, request, bound } of cases) {
    const validator = Compile(operations[name].request);
    assert.ok(validator.Check(bodyWith(request, bound, 0)), `${name} ${bound.path.join('.')}`);
  }
});

test('one more is refused by name, and changes nothing', { timeout: 60_000 }, async (t) => {
  const lab = await startHttp(t);
  const channel = new RawChannel(lab.path);
  const commits = lab.store.batches.length;
  try {
    for (const { name, request, bound } of cases) {
      const answer = await channel.call(name, bodyWith(request, bound, 1));
      const place = bound.path.join('.');
      assert.equal(answer.ok, false, `${name} ${place}`);
      assert.equal(answer.error.code, 'BAD_REQUEST', `${name} ${place}`);
      assert.ok(answer.error.message.startsWith(`${name}: ${place}: `), answer.error.message);
    }
  } finally {
    channel.socket.destroy();
  }
  assert.equal(lab.store.batches.length, commits);
});

test('keys, notes, labels, names and waits are among them', () => {
  const found = new Set(cases.map(({ name, bound }) => `${name} ${bound.path.join('.')}`));
  for (const what of [
    'submit key',
    'submit note',
    'submit set',
    'submit target',
    'submit waitSeconds',
    'submit holdSeconds',
    'submit job.files',
    'submit job.endText',
    'give user',
    'release note',
    'write bytes',
    'images hashes',
  ]) {
    assert.ok(found.has(what), what);
  }
});
