/** The schema as the file that editors read: docs/lab.schema.json. `node scripts/config-schema.ts` writes it. */
import { labSchema } from '../../src/cli/config/schema/lab.ts';

export function schemaFileText(): string {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...labSchema };
  // What only the checker understands would be a warning in a strict editor.
  const text = JSON.stringify(schema, (key, value) => (key === 'discriminator' ? undefined : value), 2);
  // Lists of words stand on one line, as this project's formatter has them.
  const lists = text.replace(/\[\n[^[\]{}]*\]/g, (list) =>
    list
      .replace(/\s*\n\s*/g, ' ')
      .replace('[ ', '[')
      .replace(' ]', ']'),
  );
  return `${lists}\n`;
}
