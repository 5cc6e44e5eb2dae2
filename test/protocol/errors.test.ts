// docs/errors.md says of each error code what the table in src/protocol/errors.ts does.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { errorClasses, MqError } from '../../src/protocol/errors.ts';

const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/errors.md'), 'utf8');

interface Section {
  readonly code: string;
  readonly facts: string;
  readonly text: string;
}

function sections(): Section[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [code = '', facts = '', ...text] = section.split('\n');
      return { code, facts, text: text.join('\n').trim() };
    });
}

test('the page has a heading for each code, in the order of the table, and no other', () => {
  assert.deepEqual(
    sections().map(({ code }) => code),
    Object.keys(errorClasses),
  );
});

test('each heading is followed by status, exit code and whether a repeat can help, as in the table', () => {
  const expected = Object.entries(errorClasses).map(([code, { status, exit, retryable }]) => {
    return `${code}: HTTP ${status}, exit code ${exit}, ${retryable ? '' : 'not '}retryable.`;
  });
  assert.deepEqual(
    sections().map(({ code, facts }) => `${code}: ${facts}`),
    expected,
  );
});

test('each heading has words on what it means', () => {
  for (const { code, text } of sections()) assert.ok(text.length > 40, code);
});

test('an error goes over the wire and back with code, message and details', () => {
  const error = new MqError('BAD_PATTERN', 'At column 3.', { details: { which: 'end', column: 3 } });
  const back = MqError.fromWire(JSON.parse(JSON.stringify(error.toWire())));
  assert.ok(back instanceof MqError);
  assert.deepEqual(back.toWire(), error.toWire());
});

test('an error without details has none on the other side', () => {
  assert.deepEqual(new MqError('INTERNAL', 'Oh.').toWire().details, {});
  assert.deepEqual(MqError.fromWire({ code: 'INTERNAL', message: 'Oh.' }).details, {});
});
