// The guard of `mq with`, a process of its own: when its input ends, `mq with` was killed. Ends the processes that the
// locks were for, then gives the locks back. Loads what it needs only then.
import { text } from 'node:stream/consumers';
import { filterMarked, hasProcessTable, listProcesses } from '../../platform/process-table.ts';
import type { Guarded } from './guard-process.ts';

/** How long they may take to end after a TERM, before they are killed; and how long a KILL may take. */
const termMsMax = 5_000;
const killMsMax = 2_000;
const pollMs = 50;

const input = await text(process.stdin);
if (input !== '') {
  const guarded = JSON.parse(input) as Guarded;
  if (hasProcessTable() && !(await end(guarded, 'SIGTERM', termMsMax)))
    await end(guarded, 'SIGKILL', killMsMax);
  await release(guarded);
}
process.exit();

/** Sends each of them the signal once. Returns whether all are gone within the time. */
async function end({ mark }: Guarded, name: NodeJS.Signals, ms: number): Promise<boolean> {
  const endAt = performance.now() + ms;
  const told = new Set<number>();
  while (true) {
    const running = await filterMarked(await listProcesses(), { MQ_WITH: mark });
    if (running.length === 0) return true;
    if (performance.now() > endAt) return false;
    for (const { pid } of running) if (!told.has(pid)) signal(pid, name);
    for (const { pid } of running) told.add(pid);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

async function release({ server, locks }: Guarded): Promise<void> {
  const { connectTo } = await import('../connect/connect.ts');
  const client = await connectTo(server);
  const ends = locks.map(({ board, key, token }) =>
    client.request('release', { requestId: client.newRequestId(), target: board, key, token }),
  );
  // A board that has left the lab keeps none of the others.
  await Promise.allSettled(ends);
  client.close();
}
