// `mq run` in the newer words: the console on stdout, everything else on stderr, and an exit code that tells a fault of
// the lab from one of the image. The old letters are in cli/legacy/run.ts.
import type { Client } from '../../client/client.ts';
import type { Ticket } from '../../client/ticket.ts';
import type { JobSpec } from '../../protocol/schema.ts';
import { settledOrWithdrawn, submitWatched, tellLink } from '../await-ticket.ts';
import { ConsoleLog } from '../console-log.ts';
import { Interrupted, takeSignals } from '../interrupt.ts';
import { misuse } from '../options.ts';
import { followJob, untilFree } from '../run/follow-job.ts';
import { fileOrderWarning, isPlainFile, type RunPlan, sendJob } from '../run/job-files.ts';
import { JobNews } from '../run/job-news.ts';
import { endJson, endText, runExit } from '../run/run-report.ts';
import { type RunWish, runOptions, runWish } from '../run/run-words.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';
import { notHad } from './lock.ts';

interface Context {
  readonly client: Client;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

export function runInWords(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('run', argv, terminal, runOptions, async ({ options, connect }) => {
    const request = runWish(options, process.env);
    checkFiles(request.plan);
    const warning = fileOrderWarning(request.plan.files);
    if (warning !== undefined) terminal.hint(warning);
    const log = await ConsoleLog.open(request.logPath);
    try {
      const onFirst = request.isDetached ? undefined : 'Stopping; once more to leave at once.';
      const signal = takeSignals(terminal, onFirst);
      const client = await connect({ onLink: tellLink(terminal) });
      const about = { client, terminal, signal };
      const { isDetached: detached } = request;
      const job = await sendJob(client, request.plan, { terminal, signal, detached });
      return await (detached
        ? submitDetached(request, job, about)
        : runWatched(request, job, { ...about, log }));
    } finally {
      await log.close();
    }
  });
}

/** Before anybody is asked for a board. */
function checkFiles({ files, dtb, bitstream }: RunPlan): void {
  for (const path of [...files, dtb, bitstream]) {
    if (path !== undefined && !isPlainFile(path)) throw misuse('run', `There is no file '${path}'.`);
  }
}

/** From the wish to the verdict. Returns the exit code. */
async function runWatched(
  request: RunWish,
  job: JobSpec,
  { client, terminal, signal, log }: Context & { log: ConsoleLog },
): Promise<number> {
  const news = new JobNews();
  const askedAt = performance.now();
  const wish = wishOf(request, job);
  const onJob = news.hear.bind(news);
  const ticket = await submitWatched(client, wish, { terminal, signal, onJob });
  const settled = await settledOrWithdrawn(ticket, { signal });
  const waitedMs = performance.now() - askedAt;
  terminal.wipe();
  if (settled.state !== 'started') throw notHad(request.target, settled);
  terminal.complain(escapeText(`mq: board ${settled.board}, job ${ticket.id}`));
  const { plan, logPath, isJson } = request;
  const about = { client, ticket, plan, terminal, log, signal, news, isShown: !isJson };
  const report = (view: NonNullable<Ticket['job']>) => {
    const end = { view, message: news.message, waitedMs, logPath };
    terminal.complain(escapeText(`mq: ${endText(end)}`));
    if (isJson) terminal.print(jsonLines(endJson(end)));
  };
  try {
    const { view } = await followJob(about);
    report(view);
    return runExit(view);
  } catch (error) {
    if (error instanceof Interrupted && ticket.job?.state === 'ended') report(ticket.job);
    throw error;
  } finally {
    if (!request.ownLock) await untilFree(client, settled);
  }
}

/** Hands the run over to the server. Returns the exit code: whether it waits or runs now. */
async function submitDetached(request: RunWish, job: JobSpec, about: Context): Promise<number> {
  const { client, terminal, signal } = about;
  const ticket = await submitWatched(client, wishOf(request, job), { terminal, signal });
  const settled = ticket.grantedAtOnce ? await settledOrWithdrawn(ticket, { signal }) : undefined;
  if (settled?.state === 'ended') throw notHad(request.target, settled);
  const board = settled?.state === 'started' ? settled.board : undefined;
  ticket.close();
  terminal.wipe();
  const { id } = ticket;
  if (request.isJson)
    terminal.print(
      jsonLines({ job: id, ...(board === undefined ? { state: 'waiting' } : { state: 'started', board }) }),
    );
  else {
    terminal.print([String(id)]);
    const where = board === undefined ? `waits for ${request.target}` : `runs on ${board}`;
    terminal.hint(
      escapeText(`Job ${id} ${where}. How it stands: mq jobs ${id}; once it runs: mq logs -f ${id}`),
    );
  }
  return 0;
}

function wishOf({ target, ownLock, wish }: RunWish, job: JobSpec) {
  return { target, kind: ownLock ? ('slot' as const) : ('run' as const), ...wish, job };
}
