// docs/ARCHITECTURE.md draws every event in every state. Each cell is carried out here, and must be what the page says.
// After a change that is meant: WRITE_TABLES=1 npm test -- every-event
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { boardTable } from './board-events.ts';
import { type EventTable, writeTable } from './event-table.ts';
import { jobTable } from './job-events.ts';
import { ticketTable } from './ticket-events.ts';

const page = join(import.meta.dirname, '../../docs/ARCHITECTURE.md');

function readSection(table: EventTable): string {
  const text = readFileSync(page, 'utf8');
  const begin = text.indexOf(`### ${table.title}\n`);
  if (begin < 0) return '';
  const rest = text.slice(begin);
  const end = rest.slice(4).search(/^#/m);
  return (end < 0 ? rest : rest.slice(0, end + 4)).trimEnd();
}

for (const table of [boardTable, ticketTable, jobTable]) {
  const cells = table.events.length * table.situations.length;
  test(`every event in every state of ${table.title.toLowerCase()} is as the page says (${cells} cells)`, () => {
    const expected = writeTable(table);
    const found = readSection(table);
    if (process.env.WRITE_TABLES) {
      const text = readFileSync(page, 'utf8');
      writeFileSync(
        page,
        found === '' ? `${text.trimEnd()}\n\n${expected}\n` : text.replace(found, () => expected),
      );
      return;
    }
    assert.deepEqual(found.split('\n'), expected.split('\n'));
  });
}
