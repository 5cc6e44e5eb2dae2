// Runs inside each test file's process, as the reporter of Node's test runner: passes on what is for the reader
// and tells the parent, on file descriptor 3, how each test went. Writes to that and to stdout.

import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { spec, type TestEvent } from 'node:test/reporters';
import type { TestNote } from './notes.ts';

// A process that lives on without a test has left something open; what, is told before the parent ends it.
const idleMilliseconds = 5_000;

/** Node calls this with all events of the file. What it yields goes to stdout. */
// biome-ignore lint/style/noDefaultExport: it is how Node finds a reporter
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  yield* Readable.from(noting(events)).compose(new spec());
}

async function* noting(events: AsyncIterable<TestEvent>): AsyncGenerator<TestEvent> {
  let running = 0;
  let idle: NodeJS.Timeout | undefined;
  for await (const event of events) {
    clearTimeout(idle);
    if (event.type === 'test:dequeue') running += 1;
    if (event.type === 'test:complete') running -= 1;
    if (running === 0) idle = setTimeout(tellWhatIsOpen, idleMilliseconds).unref();
    const note = noteOf(event);
    if (note !== undefined) tell(note);
    if (!isCount(event)) yield event;
  }
}

/** The counts of each file would drown the tests; the parent prints one count for all. What tests say of themselves stays. */
function isCount({ type, data }: TestEvent): boolean {
  if (type === 'test:summary') return true;
  return (
    type === 'test:diagnostic' &&
    /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/.test(data.message)
  );
}

function noteOf(event: TestEvent): TestNote | undefined {
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return undefined;
  const { name, skip, details } = event.data;
  const ended = { kind: 'ended', isSuite: details.type === 'suite', name } as const;
  if (event.type === 'test:fail') return { ...ended, outcome: 'failed' };
  if (skip === undefined || skip === false) return { ...ended, outcome: 'passed' };
  return { ...ended, outcome: 'left out', reason: typeof skip === 'string' ? skip : '' };
}

function tellWhatIsOpen(): void {
  tell({ kind: 'open', resources: process.getActiveResourcesInfo() });
}

function tell(note: TestNote): void {
  writeSync(3, `${JSON.stringify(note)}\n`);
}
