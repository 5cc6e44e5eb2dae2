// A lab that moved over: imported from old scripts, served, and asked for its lists as clients do.
import assert from 'node:assert/strict';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Lab } from './harness/lab.ts';

const fixtures = new URL('../fixtures/lab/', import.meta.url).pathname;

test('an imported lab is served, and prints the lists of the old scripts byte for byte', async () => {
  const lab = await Lab.make({ after });
  const lists = { 'system-tsv': 'system.tsv', 'pool-tsv': 'pool.tsv', features: 'features.txt' };
  const cases = Object.entries(lists).map(([word, file]) => `${word}) cat '${join(fixtures, file)}' ;;`);
  const script = `#!/bin/sh\ncase "$1" in\n${cases.join('\n')}\n*) exit 9 ;;\nesac\n`;
  await chmod(await lab.file('mq.sh', script), 0o755);
  const imported = await lab.run(['import', lab.folder, '--out', lab.configPath]);
  assert.equal(imported.code, 0, imported.stderr);
  await lab.startServer();
  for (const [word, file] of Object.entries({ ...lists, systems: 'systems.txt' })) {
    await lab.expect([word], { exit: 0, stdout: await readFile(join(fixtures, file), 'utf8') });
  }
});
