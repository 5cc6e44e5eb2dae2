// Every promise of the table is kept by a case, in every way, or it is said why it can't be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WayName } from './case.ts';
import { listCases } from './list-cases.ts';
import { runCases } from './run-cases.ts';
import { semCases } from './sem-cases.ts';
import { stopAndOwnCases } from './stop-cases.ts';
import { table } from './table.ts';

const ways: readonly WayName[] = ['on the host', 'ssh://', 'deploy/mq.sh'];
const cases = [...semCases, ...runCases, ...stopAndOwnCases];

test('every row of the table has its cases in every way', () => {
  for (const row of Object.keys(table)) {
    const its = [...cases, ...listCases].filter(({ rows }) => rows.includes(row));
    assert.ok(its.length > 0, `${row} has no case`);
    for (const way of ways) {
      const played = its.filter((one) => !('not' in one && one.not?.[way] !== undefined));
      assert.ok(played.length > 0, `${row} is not played by ${way}`);
    }
  }
});

test('no case names a row that is none, and no two have one name', () => {
  const names = new Set<string>();
  for (const { rows, name } of [...cases, ...listCases]) {
    assert.deepEqual(
      rows.filter((row) => !(row in table)),
      [],
      name,
    );
    assert.ok(!names.has(name), `${name} twice`);
    names.add(name);
  }
});
