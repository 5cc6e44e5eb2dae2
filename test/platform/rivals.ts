// Several processes that go for the same thing at the same instant, and what each of them says.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export type Rival = { child: ChildProcessWithoutNullStreams; pid: number; outcome: string };

export async function startRivals(
  t: TestContext,
  kind: 'folder' | 'socket',
  path: string,
  count: number,
): Promise<Rival[]> {
  const script = fileURLToPath(new URL('rival.ts', import.meta.url));
  const started = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, [script, kind, path]);
    child.stderr.pipe(process.stderr);
    t.after(() => child.kill('SIGKILL'));
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
  });
  for (const { lines } of started) await lines.next();
  for (const { child } of started) child.stdin.write('go\n');
  return await Promise.all(
    started.map(async ({ child, lines }) => {
      const { value } = await lines.next();
      return { child, pid: child.pid ?? 0, outcome: value ?? 'no answer' };
    }),
  );
}

export async function killRival(rival: Rival): Promise<void> {
  rival.child.kill('SIGKILL');
  await once(rival.child, 'exit');
}
