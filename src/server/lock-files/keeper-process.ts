// Entry point of the process that works on lock files. A folder that hangs (NFS) hangs this process and no thread of the
// server. It takes calls one after the other, answers each, and tells of names whose files have changed.
import { type FSWatcher, statSync, watch } from 'node:fs';
import { type FileLook, type FolderCall, LockFolder, nameOfFile } from './folder.ts';

export interface KeeperCall {
  readonly id: number;
  readonly call: FolderCall;
}

export type KeeperMessage =
  | { readonly id: number; readonly result: FileLook[] | boolean }
  /** The system's error, in words. */
  | { readonly id: number; readonly error: string }
  | { readonly changed: readonly string[] };

/** What happens together is told together. */
const gatherMs = 5;

const [path = ''] = process.argv.slice(2);
const folder = new LockFolder(path);
const changed = new Set<string>();
let watched: { readonly place: string; readonly watcher: FSWatcher } | undefined;

// It goes when the server goes, also where signals are sent to all of a service.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', ({ id, call }: KeeperCall) => {
  let answer: KeeperMessage;
  try {
    // With each look at all, so that a folder that was mounted anew is watched too.
    if (call.call === 'look' && !call.names) keepWatching();
    answer = { id, result: folder.take(call) };
  } catch (error) {
    answer = { id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(answer);
});

function keepWatching(): void {
  const { dev, ino } = statSync(path);
  const place = `${dev} ${ino}`;
  if (watched?.place === place) return;
  watched?.watcher.close();
  // Without a watch, say for want of inotify, the server's looks have to do.
  watched = undefined;
  const watcher = watch(path, (_event, file) => note(file));
  watcher.on('error', () => {
    watcher.close();
    watched = undefined;
  });
  watched = { place, watcher };
}

function note(file: string | null): void {
  const name = file === null ? undefined : nameOfFile(file);
  if (name === undefined) return;
  if (changed.size === 0) setTimeout(tell, gatherMs);
  changed.add(name);
}

function tell(): void {
  process.send?.({ changed: [...changed] } satisfies KeeperMessage);
  changed.clear();
}
