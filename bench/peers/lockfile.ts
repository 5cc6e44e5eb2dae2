// lockfile(1) of procmail, with which labs' old scripts lock: a process makes a file or looks again after 8 s.
// Releasing is removing the file, which costs a script one more process; here it costs none.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../lab/lab.ts';
import type { Peer, PeerClient } from './contest.ts';
import { runProcess } from './processes.ts';

const looksEveryMs = 8_000;

/** Undefined where there is none. */
export function lockfileVersion(): string | undefined {
  const { error, stdout, stderr } = spawnSync('lockfile', ['-v'], { encoding: 'utf8' });
  if (error) return undefined;
  return /v(\d\S*)/.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}

export async function startLockfile(): Promise<Peer> {
  const folder = await makeFolder('lockfile');
  const client: PeerClient = {
    acquire: async (board) => {
      const path = join(folder, board);
      await runProcess('lockfile', [path]);
      return { release: () => rm(path, { force: true }) };
    },
    close: () => undefined,
  };
  return {
    name: 'lockfile, a process each',
    looksEveryMs,
    arriveEveryMs: 20,
    open: () => Promise.resolve(client),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
