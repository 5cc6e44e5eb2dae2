// Operations on jobs and their consoles.
import type { JobRecord } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import { MqError } from '../../protocol/errors.ts';
import type { JobView } from '../../protocol/views.ts';
import type { Session } from '../sessions.ts';
import { clockTime } from '../text.ts';
import { viewJob, viewOutcome, viewWaitingJob } from '../views.ts';
import { type Call, type Handler, identify } from './call.ts';

const jobsDefault = 100;
/** A look at a job that waits is worth it after so long even without news. */
const newsMsMax = 30_000;

export const jobs: Handler<'jobs'> = async (call, body) => {
  const limit = body.limit ?? jobsDefault;
  const user = body.mine ? call.caller.user : undefined;
  const waiting = await call.lab.core.read((state) =>
    [...state.tickets.values()]
      .filter((ticket) => ticket.kind !== 'lock' && (user === undefined || ticket.user === user))
      .map(viewWaitingJob),
  );
  const stored = await call.lab.store.listJobs({ limit, ...(user === undefined ? {} : { user }) });
  const started = stored.map((job) => viewJob(job, call.lab.extras(job.id)));
  // One may have started between the two questions.
  const isStarted = new Set(started.map((job) => job.id));
  const stillWaiting = waiting.filter((job) => !isStarted.has(job.id));
  return { jobs: [...stillWaiting, ...started].sort((a, b) => b.id - a.id).slice(0, limit) };
};

export const job: Handler<'job'> = async (call, body) => ({ job: await findJob(call, body.id) });

/** The job as it stands, live or ended, waiting or started. Throws UNKNOWN_JOB. */
export async function findJob(call: Call, id: number): Promise<JobView> {
  const live = await findLive(call, id);
  if (live) return viewJob(live, call.lab.extras(id));
  const waiting = await call.lab.core.read((state) => {
    const ticket = state.tickets.get(id);
    return ticket && ticket.kind !== 'lock' ? viewWaitingJob(ticket) : undefined;
  });
  if (waiting) return waiting;
  const stored = await call.lab.store.findJob(id);
  if (!stored) throw unknownJob(id);
  return viewJob(stored);
}

function findLive(call: Call, id: number): Promise<JobRecord | undefined> {
  return call.lab.core.read((state) => state.jobs.get(id));
}

function unknownJob(id: number): MqError {
  return new MqError('UNKNOWN_JOB', `There is no job ${id}. \`mq jobs\` lists them.`);
}

/** Answers, and then sends the bytes as data frames until the job has ended or the channel closes. */
export const console: Handler<'console'> = async (call, body) => {
  const { session } = call;
  if (!session)
    throw new MqError('BAD_REQUEST', 'The console is a stream; over HTTP ask /v1/jobs/ID/console.');
  const view = await findJob(call, body.job);
  if (view.state === 'waiting' && body.follow === false)
    throw new MqError('UNKNOWN_JOB', `Job ${body.job} still waits for a board; it has no console yet.`);
  await checkLog(call, view);
  const leave = call.lab.consoleReaders.take();
  session.streams.get(body.job)?.abort();
  const stream = new AbortController();
  session.streams.set(body.job, stream);
  const from = body.from ?? 0;
  // Behind the answer, so that the client knows the stream before its first byte.
  const follow = body.follow ?? true;
  setImmediate(() => void sendConsole(call, session, { job: body.job, from, follow, stream }).finally(leave));
  return { from };
};

async function sendConsole(
  call: Call,
  session: Session,
  options: { job: number; from: number; follow: boolean; stream: AbortController },
): Promise<void> {
  const { job: id, stream } = options;
  const signal = AbortSignal.any([stream.signal, session.closed.signal, call.lab.consoles.leaving]);
  let length = options.from;
  try {
    await whenBegun(call, id, signal);
    for await (const range of readConsole(call, { ...options, signal, splitByTime: true })) {
      if (range.kind === 'gap') {
        session.port.send({ event: 'console-gap', job: id, offset: range.offset, length: range.length });
        length = range.offset + range.length;
        continue;
      }
      const { offset, atMs, bytes } = range;
      await session.port.sendData({ streamId: id, offset, atMs, bytes });
      length = offset + bytes.length;
    }
    if (!signal.aborted) session.port.send({ event: 'console-end', job: id, length });
  } catch (error) {
    if (error instanceof MqError) {
      session.port.send({ event: 'console-error', job: id, code: error.code, message: error.message });
      return;
    }
    call.lab.logger.error('a console could not be read', { job: id, error });
    session.port.send({
      event: 'console-error',
      job: id,
      code: 'INTERNAL',
      message: 'The console could not be read; ask again.',
    });
  } finally {
    if (session.streams.get(id) === stream) session.streams.delete(id);
  }
}

/** Resolves when the job does not wait any more, or with the signal. Throws UNKNOWN_JOB where it ended without a board. */
async function whenBegun({ lab }: Call, id: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const news = lab.ticketNews.next(id, newsMsMax);
    const find = (state: State) => ({ waits: state.tickets.has(id), runs: state.jobs.has(id) });
    const { waits, runs } = await lab.core.read(find);
    if (runs) return;
    if (!waits) return refuseUnbegun(lab, id);
    await Promise.race([news, aborted(signal)]);
  }
}

async function refuseUnbegun(lab: Call['lab'], id: number): Promise<void> {
  if (await lab.store.findJob(id)) return;
  const ticket = await lab.store.findTicket(id);
  const view = ticket?.outcome && viewOutcome(ticket, ticket.outcome);
  const why = view?.state === 'ended' ? `: ${view.text}` : '';
  throw new MqError('UNKNOWN_JOB', `Job ${id} has ended before it began${why}.`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Throws LOG_GONE where the job's console was removed: it would look like a job that said nothing. */
export async function checkLog(call: Call, job: JobView): Promise<void> {
  if (job.state !== 'ended') return;
  const isThere = job.logGoneAt === undefined && (await call.lab.consoles.has(job.id));
  if (isThere || (job.logGoneAt === undefined && (job.consoleLength ?? 0) === 0)) return;
  const since = job.logGoneAt === undefined ? '' : ` since ${clockTime(job.logGoneAt)}`;
  const message = `The log of job ${job.id} is gone${since}: this lab removes those of old jobs. \`mq jobs\` has what else is known.`;
  throw new MqError('LOG_GONE', message, {
    details: { job: job.id, ...(job.logGoneAt === undefined ? {} : { goneAt: job.logGoneAt }) },
  });
}

/** The kept bytes of a job, and with `follow` what comes until it has ended. None of an unknown job. */
export async function* readConsole(
  call: Call,
  options: { job: number; from: number; follow: boolean; splitByTime: boolean; signal: AbortSignal },
) {
  const live = await findLive(call, options.job);
  if (live) await call.lab.consoles.open(live.id);
  yield* call.lab.consoles.read(options.job, options);
}

export const consoleClose: Handler<'console-close'> = async (call, body) => {
  call.session?.streams.get(body.job)?.abort();
  return {};
};

export const write: Handler<'write'> = async (call, body) => {
  const { live, lock } = await call.lab.core.read((state) => {
    const job = state.jobs.get(body.job);
    return { live: job, lock: job && state.locks.get(job.board) };
  });
  if (!live || live.state === 'ending') throw unknownJob(body.job);
  if (live.user !== call.caller.user) {
    throw new MqError('NOT_HOLDER', `Only ${live.user}, who holds ${live.board}, may write to its console.`);
  }
  if (!call.lab.agents.isConnected) {
    throw new MqError('TRY_AGAIN', `The agent of ${live.board} is away; nothing was written. Try again.`);
  }
  if (!call.lab.input.claim(live.id, call.session)) {
    const message = `Another command of yours writes to the console of ${live.board}; only one does at a time.`;
    throw new MqError('BOARD_BUSY', message, { details: { board: live.board } });
  }
  call.lab.agents.write(live, body.bytes);
  if (lock) call.lab.input.noteUse(lock);
  return {};
};

export const finish: Handler<'finish'> = async (call, body) => {
  const command = { name: 'finishJob' as const, body: { caller: call.caller, job: body.job } };
  const { kind } = await call.lab.core.answer(command, identify(call, 'finish', body), (reply) => reply);
  if (kind === 'not-allowed') throw new MqError('NOT_ALLOWED', `Job ${body.job} belongs to another user.`);
  if (kind === 'unknown') await findJob(call, body.job);
  return {};
};
