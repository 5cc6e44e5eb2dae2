// Histories made by hand, good and bad: the search for an order finds one where there is one, and says where there is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { linearize, type Operation } from '../../src/testing/histories/linearize.ts';

const never = Number.POSITIVE_INFINITY;
const options = { initial: 0, keyOf: String };

function write(at: number, by: number, value: number): Operation<number> {
  return { at, by, apply: () => value, text: `write ${value}` };
}

function read(at: number, by: number, value: number): Operation<number> {
  return {
    at,
    by,
    observes: true,
    apply: (state) => (state === value ? state : undefined),
    text: `read ${value}`,
  };
}

test('reads between writes that overlap may see them in either order, but all alike', () => {
  const writes = [write(0, 10, 1), write(0, 10, 2)];
  assert.equal(linearize([...writes, read(2, 4, 1), read(5, 7, 2)], options), undefined);
  assert.equal(linearize([...writes, read(2, 4, 2), read(5, 7, 1)], options), undefined);
  const found = linearize([...writes, read(2, 4, 2), read(5, 7, 1), read(8, 9, 2)], options);
  assert.equal(found?.operation.text, 'read 2');
  assert.deepEqual(found?.states, [1]);
});

test('a read that began after a write had ended does not see what was before', () => {
  assert.equal(linearize([write(0, 3, 1), read(2, 5, 0)], options), undefined);
  const found = linearize([write(0, 3, 1), read(4, 5, 0)], options);
  assert.equal(found?.operation.text, 'read 0');
  assert.deepEqual(
    found?.before.map(({ text }) => text),
    ['write 1'],
  );
});

test('what was never answered may have happened, at any time after it was asked, or not', () => {
  const lost = write(1, never, 7);
  assert.equal(linearize([lost, read(2, 3, 0), read(4, 5, 7)], options), undefined);
  assert.equal(linearize([lost, read(2, 3, 0), read(4, 5, 0)], options), undefined);
  assert.notEqual(linearize([lost, read(2, 3, 7), read(4, 5, 0)], options), undefined);
  assert.notEqual(linearize([read(0, 0.5, 7), lost], options), undefined);
});

test('what can be no more is forgotten, and what is due at its end is not', () => {
  const once: Operation<number> = {
    at: 0,
    by: never,
    apply: (state) => (state === 1 ? 5 : undefined),
    isOver: (state) => state > 1,
    text: 'perhaps 1 to 5',
  };
  assert.equal(linearize([once, write(1, 2, 1), read(3, 4, 5)], options), undefined);
  assert.notEqual(linearize([once, write(1, 2, 2), write(3, 4, 1), read(5, 6, 5)], options), undefined);
});

interface Span {
  readonly at: number;
  readonly length: number;
  readonly value: number;
  readonly isRead: boolean;
}

/** By trying every order there is. */
function hasOrder(operations: readonly Operation<number>[], state = 0): boolean {
  if (operations.every(({ by }) => by === never)) return true;
  const firstEnd = Math.min(...operations.map(({ by }) => by));
  return operations.some((operation, at) => {
    if (operation.at > firstEnd) return false;
    const after = operation.apply(state);
    return after !== undefined && hasOrder(operations.toSpliced(at, 1), after);
  });
}

test('on small histories it says the same as trying every order', () => {
  const span: fc.Arbitrary<Span> = fc.record({
    at: fc.nat(12),
    length: fc.constantFrom(0.5, 3, 7, never),
    value: fc.nat(2),
    isRead: fc.boolean(),
  });
  let [good, bad] = [0, 0];
  fc.assert(
    fc.property(fc.array(span, { maxLength: 6 }), (spans) => {
      // No two moments are the same, so that both agree on what overlaps.
      const operations = spans.map(({ at, length, value, isRead }, index) =>
        (isRead ? read : write)(at + index / 100, at + length + index / 100, value),
      );
      const isGood = linearize(operations, options) === undefined;
      if (isGood) good += 1;
      else bad += 1;
      assert.equal(isGood, hasOrder(operations));
    }),
    { numRuns: 2_000 },
  );
  assert.ok(good > 100 && bad > 100, 'both occur');
});
