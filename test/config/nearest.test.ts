import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearestName } from '../../src/cli/config/nearest.ts';

test('a slip of the keyboard finds the name that was meant', () => {
  const names = ['arch', 'isa', 'soc', 'machine', 'memory_mb'];
  assert.equal(nearestName('achr', names), 'arch');
  assert.equal(nearestName('iza', names), 'isa');
  assert.equal(nearestName('memorymb', names), 'memory_mb');
  assert.equal(nearestName('MACHINE', names), 'machine');
});

test('a word that is like none finds none', () => {
  assert.equal(nearestName('colour', ['arch', 'isa', 'soc']), undefined);
  assert.equal(nearestName('abc', ['isa', 'soc', 'xyz']), undefined);
  assert.equal(nearestName('arch', []), undefined);
});

test('of equally near names the first is taken', () => {
  assert.equal(nearestName('pc3', ['pc1', 'pc2']), 'pc1');
});

test('letters added, dropped, changed and swapped each count once', () => {
  assert.equal(editDistance('sabre', 'sabres'), 1);
  assert.equal(editDistance('sabre', 'sabe'), 1);
  assert.equal(editDistance('sabre', 'sabra'), 1);
  assert.equal(editDistance('sabre', 'sarbe'), 1);
  assert.equal(editDistance('', 'abc'), 3);
});

test('the distance is the same both ways, zero for equals, and no more than the longer word', () => {
  const word = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') });
  fc.assert(
    fc.property(word, word, (one, other) => {
      const edits = editDistance(one, other);
      assert.equal(edits, editDistance(other, one));
      assert.equal(edits === 0, one === other);
      assert.ok(edits <= Math.max(one.length, other.length));
      assert.ok(edits >= Math.abs(one.length - other.length));
    }),
  );
});
