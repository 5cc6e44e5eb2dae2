// A process of its own that wants what only one may have: `node rival.ts folder|socket PATH`. Prints `ready`, goes
// when a line comes in, then prints `taken` or the error's code and the process that it names, and stays.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { lockFolder } from '../../src/platform/folder-lock.ts';
import { loadNative } from '../../src/platform/native.ts';
import { PlatformError } from '../../src/platform/platform-error.ts';
import { listenOnUnixSocket } from '../../src/platform/unix-socket.ts';

const [kind, path = ''] = process.argv.slice(2);

async function take(): Promise<void> {
  if (kind === 'folder') lockFolder(path);
  else
    await listenOnUnixSocket(
      createServer((socket) => socket.end(`${process.pid}`)),
      { path },
    );
}

loadNative();
process.stdout.write('ready\n');
await once(process.stdin, 'data');
try {
  await take();
  process.stdout.write('taken\n');
} catch (error) {
  if (!(error instanceof PlatformError)) throw error;
  process.stdout.write(`${error.code} ${error.details.pid}\n`);
}
