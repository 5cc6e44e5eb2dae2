// Where koffi has no binary, the error says what to do.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('without koffi, the first question is an error with advice, and not before', () => {
  const url = new URL('../../src/platform/peer-credentials.ts', import.meta.url).href;
  const source = `
    const module = require('node:module');
    const load = module._load;
    module._load = (name, ...rest) => {
      if (name === 'koffi') throw new Error('no binary');
      return load(name, ...rest);
    };
    import(${JSON.stringify(url)}).then(({ peerOf }) => {
      try { peerOf({ _handle: { fd: 0 } }); } catch (error) {
        console.log(JSON.stringify({ code: error.code, message: error.message, cause: error.cause.message }));
      }
    });`;
  const run = spawnSync(process.execPath, ['-e', source], { encoding: 'utf8' });
  const told = JSON.parse(run.stdout) as { code: string; message: string; cause: string };
  assert.equal(told.code, 'NATIVE_UNAVAILABLE');
  assert.match(told.message, /npm install/);
  assert.equal(told.cause, 'no binary');
});
