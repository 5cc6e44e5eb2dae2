// JSON on a terminal: the same to a program, and nothing to the terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { safeJson, unsafeCharacters } from '../../src/platform/unsafe-text.ts';

test('JSON without what a terminal obeys says the same', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.dictionary(text, text), (value) => {
      const json = safeJson(JSON.stringify(value, undefined, 2));
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
      assert.equal(json.replaceAll('\n', '').search(unsafeCharacters), -1);
    }),
  );
});

test('control sequences of both kinds and marks that turn writing are escaped, other letters are not', () => {
  const shown = safeJson(JSON.stringify('\u001b[2J\u009b31m\u007f\u202e\u2066\u061c\u2028 é ø 字 😀'));
  assert.equal(shown, '"\\u001b[2J\\u009b31m\\u007f\\u202e\\u2066\\u061c\\u2028 é ø 字 😀"');
});
