// What the end of ssh means for a link that never came up. A program `ssh` of the test's own stands first in PATH.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openSsh } from '../../src/cli/connect/open-ssh.ts';

const path = process.env.PATH;
const address = { kind: 'ssh', host: 'lab', user: undefined, port: undefined, from: 'the test' } as const;
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mq-open-ssh-'));
  process.env.PATH = `${folder}:${path}`;
});
after(async () => {
  process.env.PATH = path;
  await rm(folder, { recursive: true });
});

async function openThrough(script: string): Promise<unknown> {
  await writeFile(join(folder, 'ssh'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'ssh'), 0o755);
  const open = openSsh(address, { remote: undefined, complain: () => {} });
  const handlers = { onMessage: () => {}, onData: () => {}, onClose: () => {} };
  return open(handlers, { signal: AbortSignal.timeout(30_000) }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

// An ssh closes its output some time before it ends; here it ends only after our side has closed its input too.
for (const [code, said] of [
  [127, /there is no mq on lab/],
  [255, /ssh can't connect to lab/],
  [3, /ssh to lab has ended with code 3/],
] as const) {
  test(`an ssh that closes its output first and then ends with ${code} is told by that code`, async () => {
    const error = await openThrough(`exec >&-\ncat >/dev/null\nexit ${code}`);
    assert.match(String(error), said);
  });
}

test('an ssh that a signal ends is told by the signal', async () => {
  assert.match(String(await openThrough('kill -9 $$')), /ssh to lab has ended with SIGKILL/);
});
