// What was promised of jobs: one that was acknowledged has a result and its console, runs once, and has the board for itself. Judged
// by what the boards noted themselves. Pure.

import type { Digest, View } from './attempts.ts';
import { views } from './attempts.ts';
import { consoleOf, type Touch, tokenNumber, tokenText } from './history.ts';

interface StartedJob {
  readonly id: number;
  readonly label: string;
  readonly lines: number;
  readonly board: string;
  readonly token: number;
}

export function checkJobs(digested: Digest): string[] {
  const started = findStarted(digested);
  const { history } = digested;
  return [
    ...history.touches.flatMap(({ board, what, label }, at) =>
      what === 'overlap' ? [`${board} was touched by two at once${around(history.touches, at, label)}`] : [],
    ),
    ...checkStarts(digested, started),
    ...(history.isOver ? checkResults(digested, started) : []),
    ...checkCommands(digested),
  ];
}

function around(touches: readonly Touch[], at: number, label: string): string {
  const lines = touches.slice(Math.max(0, at - 5), at + 3).map((one) => `\n    ${one.what} ${one.label}`);
  return ` (${label}):${lines.join('')}`;
}

function findStarted({ history, byTicket }: Digest): Map<string, StartedJob> {
  const found = new Map<string, StartedJob>();
  for (const { view } of views(history)) {
    const { state, board, token, ticket }: View = view;
    const job = byTicket.get(ticket)?.job;
    if (state === 'started' && board && token && job)
      found.set(job.label, { id: ticket, ...job, board, token: tokenNumber(token) });
  }
  return found;
}

/** On each board tokens of jobs rise, and a job starts once unless its agent was killed. */
function checkStarts({ history }: Digest, started: ReadonlyMap<string, StartedJob>): string[] {
  const problems: string[] = [];
  const kills = history.events.filter(({ what }) => what.startsWith('agent killed')).length;
  for (const board of history.boards) {
    const starts = history.touches.filter((touch) => touch.board === board && touch.what === 'start');
    const times = new Map<string, number>();
    let last: StartedJob | undefined;
    for (const { label } of starts) {
      times.set(label, (times.get(label) ?? 0) + 1);
      const job = started.get(label);
      if (!job) continue;
      if (job.board !== board) problems.push(`job ${job.id} was to run on ${job.board}, and ran on ${board}`);
      if (last && job.token < last.token)
        problems.push(
          `${board} was touched under ${tokenText(job.token)} (job ${job.id}) after ${tokenText(last.token)} (job ${last.id})`,
        );
      last = job;
    }
    for (const [label, count] of times)
      if (count > 1 + kills)
        problems.push(`${label} was started ${count} times on ${board}, with ${kills} agents killed`);
  }
  return problems;
}

function checkResults({ history }: Digest, started: ReadonlyMap<string, StartedJob>): string[] {
  const problems: string[] = [];
  const known = new Map(history.jobs.map((job) => [job.id, job]));
  for (const { id, label, lines } of started.values()) {
    const job = known.get(id);
    if (job?.state !== 'ended' || job.verdict === undefined) {
      problems.push(`job ${id} (${label}) was acknowledged and has no result: ${JSON.stringify(job)}`);
      continue;
    }
    const wanted = consoleOf(label, lines);
    const isRight = job.verdict === 'completed' ? job.console === wanted : isPart(job.console, wanted);
    if (!job.isWhole || !isRight)
      problems.push(
        `the console of job ${id} (${label}, ${job.verdict}) is ${JSON.stringify(job.console)}, not ${JSON.stringify(wanted)}`,
      );
    const didStart = history.touches.some((touch) => touch.what === 'start' && touch.label === label);
    if (job.verdict === 'completed' && !didStart) problems.push(`job ${id} completed, and no board ran it`);
  }
  return problems;
}

/** A command that ran a job and says that it went well has printed all of its console, to the end. */
function checkCommands({ history }: Digest): string[] {
  return history.calls.flatMap(({ op, body, answer, client }) => {
    const { code, stdout = '' } = (answer ?? {}) as { code?: number | null; stdout?: string };
    const wanted = consoleOf(String(body.key), Number(body.lines));
    if (op !== 'mq run' || code !== 0 || stdout.endsWith(wanted)) return [];
    return [
      `${client} ended well, and printed ${JSON.stringify(stdout)}, not ${JSON.stringify(wanted)} at the end`,
    ];
  });
}

/** What a job that was cut short printed is a beginning; what its shell said of that may follow. */
function isPart(text: string, wanted: string): boolean {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return wanted.startsWith(whole);
}
