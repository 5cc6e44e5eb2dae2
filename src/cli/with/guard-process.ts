// Starts the guard of locks: a process that gives them back if `mq with` is killed before it can do so.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { entryUrl } from '../../platform/entry-url.ts';

/** What the guard is told, as JSON; the end of its input means that `mq with` has ended. */
export interface Guarded {
  /** As --server gave it. */
  readonly server?: string;
  readonly locks: readonly { readonly board: string; readonly key: string; readonly token: string }[];
  /** What the processes that the locks were taken for have as MQ_WITH in their environment. */
  readonly mark: string;
}

export interface Guard {
  /** The lock is given back: the guard is needed no more. */
  dismiss(): void;
}

/** In a session of its own, so that what ends our group does not end it. */
export function startGuard(guarded: Guarded): Guard {
  // Where we run under a lock ourselves, our guard must not pass for a process that this lock was taken for.
  const { MQ_WITH: _outer, ...env } = process.env;
  const words = [...process.execArgv, fileURLToPath(entryUrl('cli/with/guard.ts'))];
  const guard = spawn(process.execPath, words, { detached: true, env, stdio: ['pipe', 'ignore', 'ignore'] });
  // Without a guard, say for want of memory, the lock is only as safe as one of `mq lock`.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  // One write, which is in the pipe when this returns: we may be killed at any time.
  guard.stdin.write(JSON.stringify(guarded));
  return { dismiss: () => void guard.kill('SIGKILL') };
}
