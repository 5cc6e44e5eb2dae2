// A job of `run` by the old words: an image with its console, or a reservation, and the lines behind it.
import type { JobView } from '../../protocol/views.ts';
import { abortable } from '../abortable.ts';
import { type FollowedJob, followJob, stopJob } from '../run/follow-job.ts';
import { lineOrEnd } from '../run/job-input.ts';
import { escapeText } from '../terminal/escape.ts';
import type { RunRequest } from './run-flags.ts';
import { exitCodeOf, verdictLine, verdictText } from './verdict.ts';

export interface RunningJob extends Omit<FollowedJob, 'plan' | 'isShown'> {
  readonly request: RunRequest;
  readonly board: string;
}

/** Shows the console until the job has ended. Returns the exit code. */
export async function followImage(job: RunningJob): Promise<number> {
  const { view, isAtLineStart } = await followJob({ ...job, plan: job.request, isShown: true });
  const line = verdictLine(view);
  if (line !== undefined) job.terminal.print(isAtLineStart ? [line] : ['', line]);
  tellVerdict(job, view);
  return exitCodeOf(view);
}

/** Keeps the board until Enter, end of input or a signal. Returns the exit code. */
export async function followReservation(job: RunningJob): Promise<number> {
  const { client, ticket, request, terminal, signal } = job;
  const board = escapeText(ticket.kind === 'board' ? request.target : job.board);
  terminal.print([
    `This is a reservation. You now own ${board} and`,
    'can do what you want. Press ctrl+d or enter here when done',
  ]);
  const ended = new AbortController();
  try {
    const done = lineOrEnd(process.stdin, { signal: ended.signal });
    await abortable(Promise.race([done, ticket.jobEnded()]), signal);
    if (!job.news.hasEnded) {
      terminal.print(['Attempting to power off machine now that you are done']);
      await client.request('finish', { requestId: client.newRequestId(), job: ticket.id }, { signal });
    }
    const view = await abortable(ticket.jobEnded(), signal);
    tellVerdict(job, view);
    return exitCodeOf(view);
  } catch (error) {
    await stopJob(job, error, Promise.resolve());
    throw error;
  } finally {
    ended.abort();
  }
}

function tellVerdict({ terminal, news }: RunningJob, view: JobView): void {
  const told = verdictText(view, news.message);
  if (!told) return;
  if (told.isTrouble) terminal.complain(escapeText(told.text));
  else terminal.hint(escapeText(told.text));
}
