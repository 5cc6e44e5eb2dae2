// Disks that are full in the middle of a job and of a commit: small ones, mounted for the server and the agent of a lab.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const timeout = 60_000;
const main = fileURLToPath(new URL('harness/disk-full-main.ts', import.meta.url));

/** The disks are there for these processes only, and go with them. */
async function play(t: TestContext, scenario: string): Promise<void> {
  const mayMount = process.geteuid?.() === 0 ? '-m' : '-rm';
  const child = spawn('unshare', [mayMount, process.execPath, main, scenario], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const failed = once(child, 'error').then(([error]) => String(error));
  const said = text(child.stderr);
  const exit = await Promise.race([once(child, 'exit').then(([code]) => code as number | null), failed]);
  if (typeof exit === 'string') return t.skip(`a small disk can not be mounted here: ${exit}`);
  const words = await said;
  if (exit === 99 || words.startsWith('unshare:'))
    return t.skip(`a small disk can not be mounted here: ${words.trim()}; run this test as root`);
  assert.equal(exit, 0, words);
}

test(
  'a commit that finds the disk full is refused, and what was answered before is there after a kill',
  {
    timeout,
  },
  (t) => play(t, 'serverFullInCommit'),
);

test(
  'a server whose disk is full in the middle of a job has each byte of its console and the verdict later',
  {
    timeout,
  },
  (t) => play(t, 'serverFullInJob'),
);

test(
  'an agent whose disk is full in the middle of a job says that the lab failed, and goes on when there is room',
  {
    timeout,
  },
  (t) => play(t, 'agentFullInJob'),
);
