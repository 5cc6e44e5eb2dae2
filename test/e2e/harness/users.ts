// Other users of this machine, to whom a test can hand a command: only root may do so.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { mqPath } from './paths.ts';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export const me: User = (({ username, uid, gid }) => ({ name: username, uid, gid }))(userInfo());

/** Accounts that Debian has everywhere. */
export const nobody: User = account('nobody');
export const daemon: User = account('daemon');

/** Why tests with several users can't run; for `skip`. False where they can. */
export const noOtherUsers: string | false = whyNoOtherUsers();

function account(name: string): User {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid = '', gid = ''] = line?.split(':') ?? [];
  return { name, uid: Number(uid || 65_534), gid: Number(gid || 65_534) };
}

function whyNoOtherUsers(): string | false {
  if (process.getuid?.() !== 0) return 'only root can run mq as another user; run the tests as root for this';
  const { uid, gid } = nobody;
  const probe = spawnSync(mqPath, ['--version'], { uid, gid, env: { PATH: process.env.PATH } });
  if (probe.status === 0) return false;
  return `the user nobody can't run ${mqPath}: put the checkout where every user may read it`;
}
