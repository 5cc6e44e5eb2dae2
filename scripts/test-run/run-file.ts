// Runs one test file in a process group of its own, and ends the whole group when the file is done or its time is
// up: a test that hangs, spins or leaves a server running delays no other. Starts processes, writes nothing.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { EndedNote, TestNote } from './notes.ts';

export type FileOutcome = {
  file: string;
  /** What the file wrote: the results of its tests, and whatever else. */
  output: string;
  ended: EndedNote[];
  /** What was wrong with the file as a whole, beside tests that failed. */
  problems: string[];
  seconds: number;
};

type RunOptions = {
  file: string;
  /** Flags for node, before the file. */
  flags: readonly string[];
  /** For one test. */
  testSeconds: number;
  /** For all of the file. */
  fileSeconds: number;
  /** Ends the file at once. */
  signal: AbortSignal;
};

const reporter = new URL('./reporter.ts', import.meta.url).href;

/** Never rejects on account of the tests: what went wrong stands in the outcome. */
export async function runTestFile(options: RunOptions): Promise<FileOutcome> {
  const { file, flags, testSeconds, fileSeconds, signal } = options;
  const outcome: FileOutcome = { file, output: '', ended: [], problems: [], seconds: 0 };
  const begin = performance.now();
  const args = [...flags, `--test-reporter=${reporter}`, `--test-timeout=${testSeconds * 1000}`, file];
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const end = (problem: string): void => {
    outcome.problems.push(problem);
    killGroup(child);
  };
  const late = setTimeout(() => end(`was not done in ${fileSeconds} s, and was ended`), fileSeconds * 1000);
  const abort = (): void => end('was ended');
  signal.addEventListener('abort', abort);
  readNotes(child.stdio[3] as Readable, outcome, end);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      outcome.output += text;
    });
  }
  const exit = await exitOf(child);
  killGroup(child);
  clearTimeout(late);
  signal.removeEventListener('abort', abort);
  addExit(outcome, exit);
  outcome.seconds = (performance.now() - begin) / 1000;
  return outcome;
}

function readNotes(stream: Readable, outcome: FileOutcome, end: (problem: string) => void): void {
  createInterface({ input: stream }).on('line', (line) => {
    const note = JSON.parse(line) as TestNote;
    if (note.kind === 'ended') outcome.ended.push(note);
    else end(`its tests are done but it does not end; still open: ${note.resources.join(', ')}`);
  });
}

/** What the process ended with. Children it left behind may hold its pipes, so their end is not waited for long. */
async function exitOf(child: ChildProcess): Promise<string> {
  const closed = new Promise((settle) => child.on('close', settle));
  const exit = await new Promise<string>((settle) => {
    child.on('error', (error) => settle(`could not start: ${error.message}`));
    child.on('exit', (code, signal) => settle(signal ?? String(code)));
  });
  killGroup(child);
  await Promise.race([closed, new Promise((settle) => setTimeout(settle, 1_000).unref())]);
  return exit;
}

// A file that breaks off before its tests have run has no failed test to show for it.
function addExit({ ended, problems }: FileOutcome, exit: string): void {
  if (problems.length > 0) return;
  const failed = ended.some(({ outcome, isSuite }) => outcome === 'failed' && !isSuite);
  if (exit !== '0' && !failed) problems.push(`ended with ${exit}`);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended by itself: what we want.
  }
}
