// Secrets are read from where they are, and errors name the place and nothing of the secret.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSecretAt } from '../../src/platform/secret.ts';

test('a secret is read anew from its file or variable, without the last line end only', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'secret-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'secret');
  writeFileSync(file, ' one\ntwo \n');
  assert.equal(await readSecretAt({ file }), ' one\ntwo ');
  writeFileSync(file, 'three');
  assert.equal(await readSecretAt({ file }), 'three');
  process.env.MQ_TEST_SECRET = 'four';
  t.after(() => delete process.env.MQ_TEST_SECRET);
  assert.equal(await readSecretAt({ env: 'MQ_TEST_SECRET' }), 'four');
});

test('what is missing, empty or no text is an error that names the place and not the secret', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'secret-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'secret');
  await assert.rejects(readSecretAt({ file }), new RegExp(`can't be read: ENOENT.*${file}`));
  writeFileSync(file, '\n');
  await assert.rejects(readSecretAt({ file }), { message: `${file} is empty` });
  writeFileSync(file, 'a\0b');
  await assert.rejects(readSecretAt({ file }), { message: `${file} holds no secret` });
  await assert.rejects(readSecretAt({ env: 'MQ_TEST_NONE' }), {
    message: 'the environment variable MQ_TEST_NONE is not set',
  });
});
