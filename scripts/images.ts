// Writes the named set of test images into a folder: `npm run images -- OUTDIR`.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageSpec, makeImage } from '../src/testing/images/make-image.ts';

const images: Readonly<Record<string, ImageSpec>> = {
  hello: { kind: 'hello' },
  slow: { kind: 'slow', seconds: 3 },
  fail: { kind: 'fail' },
  hang: { kind: 'hang' },
  echo: { kind: 'echo' },
  flood: { kind: 'flood', megabytes: 4 },
  module: { kind: 'module' },
  raw: { kind: 'raw' },
  halt: { kind: 'halt' },
  fault: { kind: 'fault' },
  reset: { kind: 'reset' },
};

const folder = process.argv[2];
if (folder === undefined) {
  process.stderr.write('usage: npm run images -- OUTDIR\n');
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
for (const [name, spec] of Object.entries(images)) {
  const bytes = makeImage(spec);
  const path = join(folder, `${name}.elf`);
  writeFileSync(path, bytes);
  process.stdout.write(`${path} ${bytes.length} bytes\n`);
}
