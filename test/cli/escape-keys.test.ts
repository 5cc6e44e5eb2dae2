// The escape of a console on a terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EscapeKeys } from '../../src/cli/console/escape-keys.ts';

const prefix = '\u001d';

function typed(...parts: readonly string[]): { bytes: string; leaves: boolean; wantsHelp: boolean } {
  const keys = new EscapeKeys();
  const taken = parts.map((part) => keys.take(Buffer.from(part)));
  return {
    bytes: Buffer.concat(taken.map(({ bytes }) => bytes)).toString(),
    leaves: taken.some(({ leaves }) => leaves),
    wantsHelp: taken.some(({ wantsHelp }) => wantsHelp),
  };
}

test('every key goes to the board, those that stop other commands too', () => {
  const text = 'ls\r\u0003\u0004\u001c\u001aq.';
  assert.deepEqual(typed(text), { bytes: text, leaves: false, wantsHelp: false });
});

test('the escape and q or a dot leave, and what is typed behind it goes nowhere', () => {
  for (const key of ['q', 'Q', '.']) {
    assert.deepEqual(typed(`on${prefix}${key}more`), { bytes: 'on', leaves: true, wantsHelp: false });
    assert.equal(typed('on', prefix, key).leaves, true);
  }
});

test('the escape twice is one for the board, and with another key both are', () => {
  assert.deepEqual(typed(`${prefix}${prefix}q`), { bytes: `${prefix}q`, leaves: false, wantsHelp: false });
  assert.deepEqual(typed(prefix, 'x'), { bytes: `${prefix}x`, leaves: false, wantsHelp: false });
});

test('the escape and ? ask for help, and the board hears nothing of it', () => {
  assert.deepEqual(typed(`a${prefix}?b`), { bytes: 'ab', leaves: false, wantsHelp: true });
});

test('it makes no difference where the keys are cut', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'q', '?', prefix), maxLength: 20 });
  fc.assert(
    fc.property(text, (keys) => {
      const whole = typed(keys);
      const one = typed(...keys);
      assert.equal(one.leaves, whole.leaves);
      if (!whole.leaves) assert.deepEqual(one, whole);
    }),
  );
});
