// A job of `run` from its start to its end: an image with its console, or a reservation.
import type { Client } from '../../client/client.ts';
import type { Ticket } from '../../client/ticket.ts';
import { MqError } from '../../protocol/errors.ts';
import type { JobView } from '../../protocol/views.ts';
import { abortable, settlesWithin } from '../abortable.ts';
import type { ConsoleLog } from '../console-log.ts';
import { Interrupted } from '../interrupt.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { lineOrEnd, sendInput } from './job-input.ts';
import type { JobNews } from './job-news.ts';
import { copyConsole } from './run-console.ts';
import type { RunRequest } from './run-flags.ts';
import { exitCodeOf, verdictLine, verdictText } from './verdict.ts';

export interface RunningJob {
  readonly client: Client;
  readonly ticket: Ticket;
  readonly request: RunRequest;
  readonly board: string;
  readonly terminal: Terminal;
  readonly log: ConsoleLog;
  /** Aborts when the command is to stop. */
  readonly signal: AbortSignal;
  readonly news: JobNews;
}

/** How long a stopped job's clean-up may take; the server has shorter limits of its own. */
const cleanUpMsMax = 180_000;
/** How long the rest of the console may take after a stopped job has ended; its reader may be gone. */
const restMsMax = 3_000;

/** Shows the console until the job has ended. Returns the exit code. */
export async function followImage(job: RunningJob): Promise<number> {
  const { client, ticket, request, terminal, log, signal } = job;
  const onBytes = () => job.news.hearConsole();
  const copied = copyConsole(client, ticket, { terminal, log, keepOn: request.keepOn, onBytes });
  const ended = new AbortController();
  try {
    if (request.keepOn) void typeInto(job, ended.signal);
    const [{ isAtLineStart }, view] = await abortable(Promise.all([copied, ticket.jobEnded()]), signal);
    const line = verdictLine(view);
    if (line !== undefined) terminal.print(isAtLineStart ? [line] : ['', line]);
    tellVerdict(job, view);
    return exitCodeOf(view);
  } catch (error) {
    await stop(job, error, copied);
    throw error;
  } finally {
    ended.abort();
  }
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
    await stop(job, error, Promise.resolve());
    throw error;
  } finally {
    ended.abort();
  }
}

/** Stops the job and waits until the board is off, after a signal or an error of this side. */
async function stop(
  { client, ticket, terminal }: RunningJob,
  error: unknown,
  copied: Promise<unknown>,
): Promise<void> {
  copied.catch(() => {});
  if (error instanceof MqError && error.code === 'SERVER_UNREACHABLE') return;
  try {
    await ticket.cancelJob();
  } catch (refusal) {
    // It may have ended by itself in this very moment.
    if (!(refusal instanceof MqError) || refusal.code === 'SERVER_UNREACHABLE') throw refusal;
  }
  if (!(await settlesWithin(ticket.jobEnded(), cleanUpMsMax, client.timers))) {
    terminal.complain(
      `Job ${ticket.id} has not ended in ${cleanUpMsMax / 60_000} minutes; the server goes on with it.`,
    );
  }
  if (error instanceof Interrupted) await settlesWithin(copied, restMsMax, client.timers);
}

function tellVerdict({ terminal, news }: RunningJob, view: JobView): void {
  const told = verdictText(view, news.message);
  if (!told) return;
  if (told.isTrouble) terminal.complain(escapeText(told.text));
  else terminal.hint(escapeText(told.text));
}

/** -a: standard input goes to the board from the end text on, or from the start where there is none to wait for. */
async function typeInto(job: RunningJob, signal: AbortSignal): Promise<void> {
  const { client, ticket, request, terminal, news } = job;
  try {
    await news.reached(request.endText === '' ? ['speaking', 'completed', 'ended'] : ['completed', 'ended']);
    if (news.hasEnded || signal.aborted) return;
    terminal.hint('The console takes input now. Ctrl+D ends the input, Ctrl+C stops the job.');
    await sendInput(client, ticket.id, { input: process.stdin, terminal, signal });
    // Without a text to wait for, only a person can say that it is enough: a pipe that ran dry has not seen the answers.
    if (signal.aborted || (request.endText === '' && process.stdin.isTTY !== true)) return;
    await client.request('finish', { requestId: client.newRequestId(), job: ticket.id });
  } catch (error) {
    // The job may end while somebody types, and then its own end is told.
    if (news.hasEnded || signal.aborted) return;
    terminal.complain(`Input no longer reaches the board: ${error instanceof Error ? error.message : error}`);
  }
}
