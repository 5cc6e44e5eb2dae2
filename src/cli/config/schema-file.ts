/** The schema as the file that editors read: docs/lab.schema.json. `node scripts/config-schema.ts` writes it. */
import { labSchema } from './schema.ts';

export function schemaFileText(): string {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...labSchema };
  // What only the checker understands would be a warning in a strict editor.
  return `${JSON.stringify(schema, (key, value) => (key === 'discriminator' ? undefined : value), 2)}\n`;
}
