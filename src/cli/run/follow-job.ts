// A job of `run` from its start to its end: its console, what is typed into it, and its end where the command stops.
import type { Client } from '../../client/client.ts';
import type { Ticket } from '../../client/ticket.ts';
import { MqError } from '../../protocol/errors.ts';
import type { JobView } from '../../protocol/views.ts';
import { abortable, settlesWithin } from '../abortable.ts';
import type { ConsoleLog } from '../console-log.ts';
import { Interrupted } from '../interrupt.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { copyConsole } from './job-console.ts';
import type { RunPlan } from './job-files.ts';
import { sendInput } from './job-input.ts';
import type { JobNews } from './job-news.ts';

export interface FollowedJob {
  readonly client: Client;
  readonly ticket: Ticket;
  readonly plan: Pick<RunPlan, 'endText' | 'keepOn'>;
  readonly terminal: Terminal;
  readonly log: ConsoleLog;
  /** false: the console goes to the log alone. */
  readonly isShown: boolean;
  /** Aborts when the command is to stop. */
  readonly signal: AbortSignal;
  readonly news: JobNews;
}

/** How long a stopped job's clean-up may take; the server has shorter limits of its own. */
const cleanUpMsMax = 180_000;
/** How long the rest of the console may take after a stopped job has ended; its reader may be gone. */
const restMsMax = 3_000;
/** How long the power off behind a job that ended badly is waited for. */
const freeSeconds = 60;

/**
 * Shows the console until the job has ended. When the signal aborts, or something of this side fails, the job is
 * stopped first, and then the promise rejects.
 *
 * @returns how it ended, and whether stdout stands at the start of a line
 */
export async function followJob(job: FollowedJob): Promise<{ view: JobView; isAtLineStart: boolean }> {
  const { client, ticket, plan, terminal, log, isShown, signal } = job;
  const onBytes = () => job.news.hearConsole();
  const copied = copyConsole(client, ticket, { terminal, log, isShown, keepOn: plan.keepOn, onBytes });
  const ended = new AbortController();
  try {
    if (plan.keepOn) void typeInto(job, ended.signal);
    const [{ isAtLineStart }, view] = await abortable(Promise.all([copied, ticket.jobEnded()]), signal);
    return { view, isAtLineStart };
  } catch (error) {
    await stopJob(job, error, copied);
    throw error;
  } finally {
    ended.abort();
  }
}

/** Stops the job and waits until the board is off, after a signal or an error of this side. */
export async function stopJob(
  { client, ticket, terminal }: Pick<FollowedJob, 'client' | 'ticket' | 'terminal'>,
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

/** A lock that the run took is gone when the command ends, not merely about to be: the next command may want the board. */
export async function untilFree(
  client: Client,
  { board, token }: { board: string; token: string },
): Promise<void> {
  const body = { board, token, seconds: freeSeconds };
  await client.request('await-free', body, { timeoutMs: (freeSeconds + 5) * 1000 }).catch(() => undefined);
}

/** -a: standard input goes to the board from the end text on, or from the start where there is none to wait for. */
async function typeInto(job: FollowedJob, signal: AbortSignal): Promise<void> {
  const { client, ticket, plan, terminal, news } = job;
  try {
    await news.reached(plan.endText === '' ? ['speaking', 'completed', 'ended'] : ['completed', 'ended']);
    if (news.hasEnded || signal.aborted) return;
    terminal.hint('The console takes input now. Ctrl+D ends the input, Ctrl+C stops the job.');
    await sendInput(client, ticket.id, { input: process.stdin, terminal, signal });
    // Without a text to wait for, only a person can say that it is enough: a pipe that ran dry has not seen the answers.
    if (signal.aborted || (plan.endText === '' && process.stdin.isTTY !== true)) return;
    await client.request('finish', { requestId: client.newRequestId(), job: ticket.id });
  } catch (error) {
    // The job may end while somebody types, and then its own end is told.
    if (news.hasEnded || signal.aborted) return;
    const why = error instanceof Error ? error.message : String(error);
    terminal.complain(`Input no longer reaches the board: ${escapeText(why)}`);
  }
}
