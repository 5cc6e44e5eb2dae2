// A lab's own board program for tests, in shell as they are: it takes the words of the old scripts, and runs
// its "kernel", which is shell too.

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BoardJob } from '../../src/drivers/board/contract.ts';
import { createScriptDriver, type ScriptOptions } from '../../src/drivers/board/script.ts';
import { hasProcessTable, isRunning, readStartTime } from '../../src/platform/process-table.ts';
import { boardJob, neverAborted, testFolder, writeBoardFile } from '../../src/testing/board-suite.ts';
import { ConsoleRecord } from '../../src/testing/console-record.ts';

const runsItsKernel = `#!/bin/sh
if [ "$1" = --shutdown ]; then echo "$0" >> "\${0%/*}/power-offs"; exit 0; fi
for word in "$@"; do [ "$previous" = -k ] && kernel=$word; previous=$word; done
. "$kernel"
`;

/** Writes an executable into the folder; returns its path. */
export async function writeProgram(folder: string, text = runsItsKernel, name = 'reboot'): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

interface ScriptRun {
  readonly changes?: Partial<BoardJob>;
  readonly options?: Partial<ScriptOptions>;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs shell text as a job of a script board. */
export async function runShell(t: TestContext, text: string, run: ScriptRun = {}) {
  const folder = await testFolder(t);
  const console = new ConsoleRecord();
  const children: number[] = [];
  const driver = createScriptDriver({ path: await writeProgram(folder), ...run.options });
  const job = boardJob([await writeBoardFile(folder, 'kernel', text)], folder, run.changes);
  const hooks = {
    onConsole: console.onConsole,
    onChild: ({ pid }: { readonly pid: number }) => children.push(pid),
    ...(run.env === undefined ? {} : { env: run.env }),
  };
  const session = await driver.start(job, hooks, { signal: neverAborted() });
  t.after(() => session.stop());
  return { session, console, folder, children, driver };
}

/** Whether the process runs; one that has ended and that nobody waited for does not. */
export function processRuns(pid: number): boolean {
  if (hasProcessTable()) return isRunning({ pid, startTime: readStartTime(pid) ?? 'none' });
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
