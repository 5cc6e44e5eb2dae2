// Writes docs/lab.schema.json, the schema that editors use for a lab's file, from the schema in the program.
// Run it after a change of src/cli/config/schema/; a test compares the two.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaFileText } from './schema/schema-file.ts';

const path = join(import.meta.dirname, '..', 'docs', 'lab.schema.json');
writeFileSync(path, schemaFileText());
console.log(`wrote ${path}`);
