// The ways to a lab: on its host, from another by ssh://, and from another that has only ssh and tar.
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Lab } from '../harness/lab.ts';
import type { Running, RunOptions } from '../harness/running.ts';
import { noSshd, SshHost } from '../harness/ssh-host.ts';
import type { WayName } from './case.ts';

const deployedPath = resolve(import.meta.dirname, '../../../deploy/mq.sh');

export interface Way {
  readonly name: WayName;
  /** How the host is called where it is not reached. */
  readonly host: string;
  /** @param options.reachesNone there is no server */
  start(words: readonly string[], options: RunOptions & { readonly reachesNone?: boolean }): Running;
}

/** Why there is no such way here; for `skip`. */
export function noWay(name: WayName): string | false {
  return name === 'on the host' ? false : noSshd;
}

/** It ends with the lab. */
export async function openWay(
  name: WayName,
  lab: Lab,
  after: (end: () => Promise<void>) => void,
): Promise<Way> {
  if (name === 'on the host') return onHost(lab);
  // One connection is there to share, as a person's ssh_config may have it. Commands over ssh:// do, which saves 0.1 s
  // each; deploy/mq.sh must not, or nobody would notice when it is killed.
  const host = await SshHost.start(lab, { sharesConnection: true });
  after(() => host.close());
  const none = { MQ_SERVER: 'ssh://127.0.0.1:1' };
  const start: Way['start'] = (words, { reachesNone, ...options }) => {
    const env = { ...host.environment, ...(reachesNone ? none : {}) };
    if (name === 'ssh://') return lab.mq(words, { ...options, oldName: true, env });
    return lab.spawn(deployedPath, words, { ...options, env: { TMPDIR: join(lab.folder, 'open'), ...env } });
  };
  return { name, host: '127.0.0.1', start };
}

function onHost(lab: Lab): Way {
  const none = { MQ_SERVER: `unix:${lab.folder}/none` };
  return {
    name: 'on the host',
    host: hostname(),
    start: (words, { reachesNone, ...options }) =>
      lab.mq(words, { ...options, oldName: true, ...(reachesNone ? { env: none } : {}) }),
  };
}
