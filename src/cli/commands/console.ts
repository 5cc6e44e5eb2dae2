// `mq console`: a board's console. Of a job that runs there it is followed; else, by the holder of the board, it is opened.
import type { Client } from '../../client/client.ts';
import type { Ticket } from '../../client/ticket.ts';
import { MqError } from '../../protocol/errors.ts';
import type { JobSpec, LockView } from '../../protocol/schema.ts';
import type { JobView } from '../../protocol/views.ts';
import { notHolderText, otherKeyText } from '../../server/text.ts';
import { abortable, settlesWithin } from '../abortable.ts';
import { settledOrWithdrawn, submitWatched, tellLink } from '../await-ticket.ts';
import { type InputEnd, typeIntoConsole } from '../console/console-input.ts';
import { escapeHelp } from '../console/escape-keys.ts';
import { ShownConsole, tailBytes } from '../console/show-console.ts';
import { takeSignals } from '../interrupt.ts';
import { noKey } from '../legacy/lock-lines.ts';
import { verdictText } from '../legacy/verdict.ts';
import { misuse, onlyWord } from '../options.ts';
import { JobNews } from '../run/job-news.ts';
import { runExit } from '../run/run-report.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runCommand } from './command.ts';
import { notHad } from './lock.ts';

const options = { key: { kind: 'text' } } as const;

/** How long the end of a console that was left may take; the server goes on with it. */
const endMsMax = 40_000;

interface Opened {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly board: string;
}

export function console(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('console', argv, terminal, options, async ({ options, connect }) => {
    const name = onlyWord('console', options.words, 'board');
    const key = options.texts.get('key') ?? noKey;
    const signal = takeSignals(terminal);
    const client = await connect({ onLink: tellLink(terminal) });
    const { user } = await client.request('hello', {});
    const { kind, members } = await client.request('info', { target: name });
    const [member] = members;
    if (kind !== 'board' || !member) throw misuse('console', `${name} is no board.`);
    const { board, lock } = member;
    const opened = { client, terminal, signal, board };
    const isMine = lock?.state === 'held' && lock.user === user && lock.key === key;
    if (lock?.job !== undefined) return follow(opened, { id: lock.job, isMine });
    if (!isMine) throw notMine(lock, { board, user });
    return open(opened, key);
  });
}

function notMine(lock: LockView | undefined, { board, user }: { board: string; user: string }): MqError {
  if (lock?.state === 'held' && lock.user === user)
    return new MqError('WRONG_KEY', otherKeyText(board, lock.key));
  return new MqError('NOT_HOLDER', notHolderText(board, lock));
}

/** A job runs there: its last lines, then what comes, to its end. Its holder may type where it takes input. */
async function follow(opened: Opened, { id, isMine }: { id: number; isMine: boolean }): Promise<number> {
  const { client, terminal, signal, board } = opened;
  const { job } = await client.request('job', { id });
  const leaving = new AbortController();
  const shown = new ShownConsole();
  const from = Math.max(0, (job.consoleLength ?? 0) - tailBytes);
  const readUntil = AbortSignal.any([signal, leaving.signal]);
  const ended = shown.show(client, id, { from, terminal, signal: readUntil });
  const mayType = isMine && job.takesInput === true && job.state !== 'ending';
  terminal.complain(escapeText(followText(job, { board, isMine, mayType })));
  if (mayType && terminal.isWatched) terminal.hint(escapeHelp);
  try {
    await (mayType ? Promise.race([ended, leftBy(opened, shown, { id, ended })]) : ended);
  } finally {
    leaving.abort(new Error('the console was left'));
    ended.catch(() => undefined);
  }
  return 0;
}

/** Resolves when the person has left, or the input is over and answered; never where it is refused. */
async function leftBy(
  { client, terminal, signal }: Opened,
  shown: ShownConsole,
  { id, ended }: { id: number; ended: Promise<void> },
): Promise<void> {
  const over = new AbortController();
  const stop = () => over.abort();
  ended.then(stop, stop);
  const both = AbortSignal.any([signal, over.signal]);
  const end = await typeIntoConsole(client, id, { input: process.stdin, terminal, signal: both });
  await afterInput(end, shown, client);
}

function followText(
  job: JobView,
  { board, isMine, mayType }: { board: string; isMine: boolean; mayType: boolean },
): string {
  const whose = isMine ? 'yours' : job.user;
  const what = job.kind === 'console' ? 'A console' : 'Job';
  const about = `${what} ${job.id} of ${whose} is on ${board}`;
  if (mayType) return `mq: ${about}; what you type goes to it.`;
  const why = isMine && !job.takesInput ? ', which takes no input' : '';
  return `mq: ${about}${why}: you only read along.`;
}

/** Under the lock of the caller; it ends with this command. */
async function open(opened: Opened, key: string): Promise<number> {
  const { client, terminal, signal, board } = opened;
  const news = new JobNews();
  const onJob = (view: JobView, message: string | undefined) => news.hear(view, message);
  const wish = { target: board, kind: 'slot', key, job: consoleSpec } as const;
  const ticket = await submitWatched(client, wish, { terminal, signal, onJob });
  const settled = await settledOrWithdrawn(ticket, { signal });
  terminal.wipe();
  if (settled.state !== 'started') throw notHad(board, settled);
  terminal.hint(escapeText(`The console of ${board}, as job ${ticket.id}. ${escapeHelp}`));
  const view = await useConsole(opened, ticket);
  const told = verdictText(view, news.message);
  if (told) terminal.complain(escapeText(`mq: ${told.text}`));
  return runExit(view);
}

/** Until the person leaves, the input ends, or the job does by itself. Returns how the job ended. */
async function useConsole(opened: Opened, ticket: Ticket): Promise<JobView> {
  const { client, terminal, signal } = opened;
  const leaving = new AbortController();
  const shown = new ShownConsole();
  const copied = shown.show(client, ticket.id, { from: 0, terminal, signal: leaving.signal });
  const jobOver = new AbortController();
  const hasEnded = ticket.jobEnded().finally(() => jobOver.abort());
  const typed = typeIntoConsole(client, ticket.id, {
    input: process.stdin,
    terminal,
    signal: AbortSignal.any([signal, jobOver.signal]),
  }).then((end) => afterInput(end, shown, client));
  typed.catch(() => undefined);
  try {
    await abortable(Promise.race([hasEnded, typed]), signal);
    if (!jobOver.signal.aborted) await finish(client, ticket);
    const view = await hasEnded;
    await copied;
    return view;
  } catch (error) {
    const isGone = error instanceof MqError && error.code === 'SERVER_UNREACHABLE';
    if (!isGone) {
      await finish(client, ticket).catch(() => undefined);
      await settlesWithin(hasEnded, endMsMax, client.timers);
    }
    throw error;
  } finally {
    leaving.abort(new Error('the console was left'));
    copied.catch(() => undefined);
    hasEnded.catch(() => undefined);
  }
}

/** A terminal that was left is left at once; a pipe that ran dry has not seen the answers. */
async function afterInput(end: InputEnd, shown: ShownConsole, client: Client): Promise<void> {
  if (end === 'ended' && process.stdin.isTTY !== true) await shown.quiet(client.timers);
  // The console is followed on, to its end or to a signal.
  if (end === 'refused' || end === 'aborted') await new Promise<never>(() => undefined);
}

async function finish(client: Client, ticket: Ticket): Promise<void> {
  await client.request('finish', { requestId: client.newRequestId(), job: ticket.id });
}

const consoleSpec: JobSpec = {
  kind: 'console',
  files: [],
  linux: false,
  endText: '',
  errorText: '',
  timeoutSeconds: -1,
  keepOn: true,
  detached: false,
};
