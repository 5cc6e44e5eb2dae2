// `mq run`: takes a board, runs files on it and shows its console, by the old words.
import type { Client } from '../../client/client.ts';
import type { Settled, Ticket } from '../../client/ticket.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LabListing } from '../../protocol/lab.ts';
import type { JobSpec, MemberView } from '../../protocol/schema.ts';
import { settledOrWithdrawn, submitWatched, tellLink } from '../await-ticket.ts';
import { connectTo } from '../connect/connect.ts';
import { ConsoleLog } from '../console-log.ts';
import { takeSignals } from '../interrupt.ts';
import { untilFree } from '../run/follow-job.ts';
import { fileOrderWarning, isPlainFile, sendJob } from '../run/job-files.ts';
import { JobNews } from '../run/job-news.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import {
  acquiringLines,
  alreadyYoursLine,
  failedLine,
  lockAcquiredLine,
  roundDoneLines,
  slotRefusedLines,
  type TargetName,
} from './lock-lines.ts';
import { misfitLine } from './misfit.ts';
import { refusalDetails } from './refusal.ts';
import { parseRun, type RunRequest } from './run-flags.ts';
import { followImage, followReservation } from './run-job.ts';

export async function run(argv: readonly string[], terminal: Terminal, program: string): Promise<number> {
  const request = parseRun(argv, { env: process.env, isFile: isPlainFile });
  if (request.kind === 'unusable') {
    const { tellUnusable } = await import('./unusable.ts');
    return tellUnusable('run', request, { terminal, program });
  }
  const warning = fileOrderWarning(request.files);
  if (warning !== undefined) terminal.hint(warning);
  try {
    const log = await ConsoleLog.open(request.logPath);
    try {
      return await withServer(request, terminal, log);
    } finally {
      await log.close();
    }
  } catch (error) {
    const { failLegacy } = await import('./failure.ts');
    return failLegacy(error, request.target, terminal);
  } finally {
    terminal.wipe();
  }
}

async function withServer(request: RunRequest, terminal: Terminal, log: ConsoleLog): Promise<number> {
  const signal = takeSignals(terminal, 'Stopping; once more to leave at once.');
  const client = await connectTo(request.server, { onLink: tellLink(terminal) });
  try {
    const misfit =
      request.dtb !== undefined && !request.linux ? await findMisfit(client, request) : undefined;
    if (misfit !== undefined) {
      terminal.print([misfit]);
      return 1;
    }
    const job = await jobOf(client, request, { terminal, signal });
    const news = new JobNews();
    const ticket = await submit(client, request, { job, terminal, signal, news });
    if (typeof ticket === 'number') return ticket;
    const settled = await waitForBoard(ticket, request, { terminal, signal });
    if (settled.state !== 'started')
      return notHad(settled, { kind: ticket.kind, target: request.target }, terminal);
    terminal.print([lockAcquiredLine]);
    const about = { client, ticket, request, terminal, log, signal, news, board: settled.board };
    try {
      return await (request.what === 'reserve' ? followReservation(about) : followImage(about));
    } finally {
      if (!request.ownLock) await untilFree(client, settled);
    }
  } finally {
    client.close();
  }
}

/** Brings the files to the server; returns what is to be run. */
async function jobOf(
  client: Client,
  request: RunRequest,
  about: { terminal: Terminal; signal: AbortSignal },
): Promise<JobSpec> {
  if (request.what === 'image') return sendJob(client, request, about);
  const nothing = { files: [], dtb: undefined, bitstream: undefined, endText: '', errorText: '' };
  const plan = { ...request, ...nothing, timeoutSeconds: -1, keepOn: false };
  return { ...(await sendJob(client, plan, about)), kind: 'reserve' };
}

interface SubmitAbout {
  readonly job: JobSpec;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly news: JobNews;
}

/** The ticket, its first lines printed, or the exit code of a refusal. */
async function submit(client: Client, request: RunRequest, about: SubmitAbout): Promise<Ticket | number> {
  const { terminal, signal, job, news } = about;
  const { target, ownLock, wish } = request;
  const kind = ownLock ? 'slot' : 'run';
  try {
    const ticket = await submitWatched(
      client,
      { target, kind, ...wish, job },
      { terminal, signal, onJob: (view, message) => news.hear(view, message) },
    );
    if (ownLock) {
      const { kind: of, members } = ticket;
      const passedOver = ticket.grantedAtOnce ? members.slice(0, -1) : members;
      await printSlotLines(client, { kind: of, passedOver }, request, terminal);
    } else {
      const name = { kind: ticket.kind, target };
      terminal.print(acquiringLines(name, ticket.members));
      if (!ticket.grantedAtOnce) terminal.print(roundDoneLines(name, ticket.members));
    }
    return ticket;
  } catch (error) {
    if (error instanceof MqError) return refused(client, error, request, terminal);
    throw error;
  }
}

/** -n on a pool: why each member that was passed over does not do. A board is refused at once or has no lines. */
async function printSlotLines(
  client: Client,
  { kind, passedOver }: { kind: 'board' | 'pool'; passedOver: readonly MemberView[] },
  { wish }: RunRequest,
  terminal: Terminal,
): Promise<void> {
  if (kind === 'board' || passedOver.length === 0) return;
  const { user } = await client.request('hello', {});
  for (const { board, lock } of passedOver) {
    // Held with that key, but a job of it runs already.
    if (lock?.user === user && lock.key === wish.key) continue;
    terminal.print(slotRefusedLines(board, lock, user));
  }
}

async function waitForBoard(
  ticket: Ticket,
  request: RunRequest,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
): Promise<Settled> {
  const settled = await settledOrWithdrawn(ticket, { signal });
  terminal.wipe();
  if (settled.state !== 'started' || ticket.grantedAtOnce || ticket.kind === 'board' || request.ownLock)
    return settled;
  // The board that came free, as if a last round had found it so.
  terminal.print(acquiringLines({ kind: 'pool', target: request.target }, [{ board: settled.board }]));
  return settled;
}

function notHad(settled: Settled, about: TargetName, terminal: Terminal): number {
  terminal.print([failedLine(about)]);
  if (settled.state === 'ended') terminal.hint(`The ticket has ended: ${escapeText(settled.text)}.`);
  return 2;
}

/** A submit that was refused at once. */
async function refused(
  client: Client,
  error: MqError,
  request: RunRequest,
  terminal: Terminal,
): Promise<number> {
  const { kind, members, key } = refusalDetails(error);
  const { target } = request;
  const about = { kind, target };
  const lock = members[0]?.lock;
  switch (error.code) {
    case 'ALREADY_YOURS':
      terminal.print([...acquiringLines(about, members), alreadyYoursLine(key), failedLine(about)]);
      return 2;
    case 'NOT_GRANTED_IN_TIME':
      if (request.ownLock) await printSlotLines(client, { kind, passedOver: members }, request, terminal);
      else terminal.print([...acquiringLines(about, members), ...roundDoneLines(about, members)]);
      terminal.print([failedLine(about)]);
      return 2;
    case 'NOT_HOLDER':
      // No user has this name: the board is not the caller's, whoever that is.
      terminal.print(slotRefusedLines(target, lock, ''));
      return 2;
    case 'WRONG_KEY':
      terminal.print(slotRefusedLines(target, lock, lock?.user ?? ''));
      return 2;
    case 'NO_BOARD_FITS': {
      const misfit = await findMisfit(client, request);
      if (misfit === undefined) throw error;
      terminal.print([misfit]);
      return 1;
    }
    default:
      throw error;
  }
}

async function findMisfit(client: Client, request: RunRequest): Promise<string | undefined> {
  const { lab } = await client.request('lab', {});
  const { files, linux, dtb } = request;
  return misfitLine(lab as LabListing, request.target, {
    count: files.length,
    linux,
    dtb: dtb !== undefined,
  });
}
