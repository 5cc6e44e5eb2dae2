// Operations on tickets: submit, confirm, withdraw, attach, cancel.
import type { ConfirmReply, SubmitReply } from '../../domain/commands.ts';
import {
  formatToken,
  type LockRecord,
  parseToken,
  type Refusal,
  type TargetSpec,
  type TicketOutcome,
} from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import { compilePattern } from '../../platform/match/compile.ts';
import { MqError } from '../../protocol/errors.ts';
import type { ResponseOf } from '../../protocol/operations.ts';
import type { JobSpec } from '../../protocol/schema.ts';
import type { TicketView } from '../../protocol/views.ts';
import { viewHeld, viewJob, viewLock, viewMember, viewOutcome, viewTicket } from '../views.ts';
import { type Call, type Handler, identify, resolveTarget } from './call.ts';
import { whenMade } from './told-offer.ts';
import { type SubmitBody, toSubmit } from './wish.ts';

export const submit: Handler<'submit'> = async (call, body) => {
  const { core } = call.lab;
  const earlier = await core.recall<ResponseOf<'submit'>>(identify(call, 'submit', body));
  const answer = earlier?.answer ?? (await submitNew(call, body));
  if (!isOpen(answer.view)) return answer;
  // In the turn of the commit, ahead of the first event; not before it, since a refused one leaves no ticket.
  if (call.session) call.lab.sessions.own(call.session, answer.ticket, { places: false });
  // Without a stream of its own the ticket's grace begins now.
  else if (!call.lab.sessions.ownerOf(answer.ticket))
    await core.run({ name: 'detach', body: { ticket: answer.ticket, gone: false } });
  return call.lab.config.lockFiles === undefined ? answer : answerWhenMade(call, body, answer);
};

/** Its events rest until then, so that a client knows its ticket before it hears of it. */
async function answerWhenMade(
  call: Call,
  body: SubmitBody,
  answer: ResponseOf<'submit'>,
): Promise<ResponseOf<'submit'>> {
  const { lab, session, signal } = call;
  const { ticket, kind } = answer;
  session?.unanswered.add(ticket);
  const onTold = () => session?.unanswered.delete(ticket);
  try {
    const told = await whenMade(lab, answer, { target: body.target, signal, onTold });
    if (told.view) return { ...told, view: told.view };
    const view = await findEnded(call, ticket);
    if (body.waitSeconds === 0 && view.state === 'ended' && view.reason === 'timed-out')
      throw refusal({ kind: 'not-granted' }, { body, kind, members: told.members });
    return { ...told, view };
  } finally {
    onTold();
  }
}

async function submitNew(call: Call, body: SubmitBody): Promise<ResponseOf<'submit'>> {
  const { core } = call.lab;
  const target = await core.read((state) => wantedTarget(state, body));
  if (body.kind !== 'lock') await checkJob(call, body, target);
  const command = { name: 'submit' as const, body: toSubmit(call, body, target) };
  return core.answer(command, identify(call, 'submit', body), (reply, state) =>
    submitResponse(reply, body, state),
  );
}

/** One board of the target, or several of it and of others. Throws UNKNOWN_TARGET, BAD_REQUEST. */
function wantedTarget(state: State, body: SubmitBody): TargetSpec {
  const { target, count = 1, also = [] } = body;
  if (body.reuse && body.kind !== 'lock')
    throw new MqError('BAD_REQUEST', 'A job does not take a lock that you have by --reuse: run it with -n.');
  if (count === 1 && also.length === 0) return resolveTarget(state, target);
  if (body.kind !== 'lock')
    throw new MqError('BAD_REQUEST', 'A job runs on one board. Lock several, then run on each.');
  if (body.reuse)
    throw new MqError('BAD_REQUEST', 'A lock that you have already can do for one board, not for several.');
  const needs = [{ target, count }, ...also].map((need) => ({
    target: resolveTarget(state, need.target),
    count: need.count ?? 1,
  }));
  return { kind: 'several', needs };
}

function isOpen(view: TicketView): boolean {
  return view.state === 'waiting' || view.state === 'offered';
}

/** What can be told about a job before it waits: its images are here, its texts can be matched. */
async function checkJob(call: Call, body: SubmitBody, target: TargetSpec): Promise<void> {
  const { job } = body;
  if (!job) throw new MqError('BAD_REQUEST', `A submit of kind ${body.kind} needs a job.`);
  if (job.kind === 'console') return checkConsole(call, body, target);
  const files = [...job.files, ...(job.dtb ? [job.dtb] : []), ...(job.bitstream ? [job.bitstream] : [])];
  const missing = await call.lab.images.missing(files.map((file) => file.hash));
  if (missing.length > 0) {
    throw new MqError('UNKNOWN_IMAGE', 'The server does not have all files of this job. Send them first.', {
      details: { missing },
    });
  }
  const members = await call.lab.core.read((state) => state.labIndex.members(target));
  const machines = call.lab.config.boards
    .filter((board) => members.includes(board.name))
    .map((board) => board.machine.driver);
  // A board's own script matches by itself, with its own kind of expression.
  if (machines.some((driver) => driver !== 'script')) checkTexts(job);
}

/** It is the holder's, and the holder's alone: it ends with its client. */
async function checkConsole(call: Call, body: SubmitBody, target: TargetSpec): Promise<void> {
  if (body.kind !== 'slot' || target.kind !== 'board' || body.job?.detached || body.job?.files.length) {
    throw new MqError('BAD_REQUEST', 'A console takes a board that you hold (kind slot), and no files.');
  }
  call.lab.agents.powers.check(target.name, 'console');
}

function checkTexts(job: JobSpec): void {
  for (const [which, source] of [
    ['end', job.endText],
    ['error', job.errorText],
  ] as const) {
    if (source === '') continue;
    const compiled = compilePattern(source);
    if (compiled.ok) continue;
    const message = `The ${which} text can't be used, at column ${compiled.column}: ${compiled.message}`;
    throw new MqError('BAD_PATTERN', message, { details: { which, column: compiled.column } });
  }
}

function submitResponse(reply: SubmitReply, body: SubmitBody, state: State): ResponseOf<'submit'> {
  const parsed = state.labIndex.parseTarget(body.target);
  const kind = isOneBoard(body) && parsed.ok && parsed.target.kind === 'board' ? 'board' : 'pool';
  const members = reply.members.map(viewMember);
  if (reply.kind === 'refused') throw refusal(reply.why, { body, kind, members });
  if (reply.kind === 'reused') {
    const { lock } = reply;
    return {
      ticket: lock.ticket,
      kind,
      members,
      view: { state: 'held', ticket: lock.ticket, lock: viewLock(lock) },
    };
  }
  const ticket = state.tickets.get(reply.ticket);
  if (!ticket) throw new Error(`ticket ${reply.ticket} vanished in its own step`);
  return { ticket: reply.ticket, kind, members, view: viewTicket(state, ticket, { places: false }) };
}

function refusal(why: Refusal, about: { body: SubmitBody; kind: string; members: unknown }): MqError {
  const { key } = about.body;
  const details = { kind: about.kind, members: about.members };
  switch (why.kind) {
    case 'already-yours': {
      const hint = isOneBoard(about.body) ? ', or ask with --reuse' : ', or ask with another key';
      const message = `You already hold ${why.board} with key '${key}'. Release it first${hint}.`;
      return new MqError('ALREADY_YOURS', message, {
        details: { ...details, board: why.board, key: why.key },
      });
    }
    case 'no-board':
      return new MqError('NO_BOARD_FITS', why.message, { details });
    case 'not-granted':
      return new MqError('NOT_GRANTED_IN_TIME', notFreeText(about.body), { details });
    case 'not-holder':
    case 'lock-ended':
      return new MqError('NOT_HOLDER', `You do not hold ${why.board}.`, {
        details: { ...details, board: why.board },
      });
    case 'wrong-key':
      return new MqError('WRONG_KEY', `You hold ${why.board} with another key.`, {
        details: { ...details, board: why.board },
      });
    case 'limit':
      return new MqError('LIMIT_REACHED', limitText(why), {
        details: { ...details, limit: why.limit, value: why.value },
      });
  }
}

/** Whether it asks for one board, be it of many. */
function isOneBoard({ count = 1, also = [] }: SubmitBody): boolean {
  return count === 1 && also.length === 0;
}

function notFreeText(body: SubmitBody): string {
  const { target, count = 1, also = [] } = body;
  if (isOneBoard(body)) return `${target} was not free.`;
  const needs = [{ target, count }, ...also];
  const text = needs.map((need) =>
    (need.count ?? 1) === 1 ? need.target : `${need.count} of ${need.target}`,
  );
  return `${text.join(' + ')} were not all free.`;
}

function limitText(why: Extract<Refusal, { kind: 'limit' }>): string {
  switch (why.limit) {
    case 'ticketsPerUser':
      return `You have ${why.value} tickets already, which is this lab's limit. Cancel some: mq cancel --mine.`;
    case 'queueLength':
      return `${why.value} tickets wait for this target already, which is this lab's limit. Try again later.`;
    case 'boardsPerTicket':
      return `One ticket may ask for ${why.value} boards, which is this lab's limit.`;
    case 'adHocQueuesPerBoard':
      return `Too many different sets of boards are asked for now (limit ${why.value}). Ask for a pool or a board.`;
  }
}

export const confirm: Handler<'confirm'> = async (call, body) => {
  const { user } = call.caller;
  const command = {
    name: 'confirm' as const,
    body: { user, ticket: body.ticket, token: parseToken(body.token) },
  };
  const done = await call.lab.core.answer(command, identify(call, 'confirm', body), (reply, state) => {
    return { view: confirmView(reply, body.ticket, state) };
  });
  if (done.view?.state === 'held') leaveTicket(call, done.view);
  return { view: done.view ?? (await findEnded(call, body.ticket)) };
};

/** The ticket is over. Whoever follows it on another stream is told what became of it. */
function leaveTicket({ lab, session }: Call, view: TicketView): void {
  lab.sessions.send(view.ticket, { event: 'ticket', view }, session);
  lab.sessions.disown(view.ticket);
}

function confirmView(reply: ConfirmReply, id: number, state: State): TicketView | undefined {
  switch (reply.kind) {
    case 'held':
      return viewHeld(id, reply.lock, reply.locks.length > 1 ? reply.locks : undefined);
    case 'started':
      return { state: 'started', ticket: id, board: reply.job.board, token: formatToken(reply.job.token) };
    case 'gone': {
      const ticket = state.tickets.get(id);
      return ticket && viewTicket(state, ticket, { places: true });
    }
    default:
      return undefined;
  }
}

export const withdraw: Handler<'withdraw'> = async (call, body) => {
  const command = {
    name: 'withdraw' as const,
    body: { caller: call.caller, ticket: body.ticket, why: 'client' as const },
  };
  const { kind } = await call.lab.core.answer(command, identify(call, 'withdraw', body), (reply) => reply);
  if (kind === 'not-allowed') throw notYours(body.ticket);
  return { view: await findView(call, body.ticket) };
};

export const attach: Handler<'attach'> = async (call, body) => {
  const { lab, session } = call;
  const live = await lab.core.read((state) => state.tickets.get(body.ticket) ?? state.jobs.get(body.ticket));
  if (live && live.user !== call.caller.user) throw notYours(body.ticket);
  if (live && session) {
    lab.sessions.own(session, body.ticket, { places: body.places ?? false });
    await lab.core.run({ name: 'attach', body: { ticket: body.ticket } });
    // Closed while it was asked for: the ticket's client is away again.
    if (session.closed.signal.aborted) lab.sessions.own(session, body.ticket, { places: false });
  }
  const job = await findJobView(call, body.ticket);
  return { view: await findView(call, body.ticket), ...(job ? { job } : {}) };
};

/** How the ticket stands now: waiting, with the board, or how it ended. */
export async function findView(call: Call, id: number): Promise<TicketView> {
  const live = await call.lab.core.read((state) => {
    const ticket = state.tickets.get(id);
    return ticket && viewTicket(state, ticket, { places: true });
  });
  return live ?? findEnded(call, id);
}

async function findEnded(call: Call, id: number): Promise<TicketView> {
  const ticket = await call.lab.store.findTicket(id);
  if (!ticket?.outcome) throw new MqError('UNKNOWN_TICKET', `There is no ticket ${id}.`);
  const { outcome } = ticket;
  const locks = await call.lab.core.read((state) =>
    [...(state.boardsByTicket.get(id) ?? [])]
      .flatMap((board) => state.locks.get(board) ?? [])
      .filter((lock) => lock.state === 'held'),
  );
  return viewOutcome(ticket, outcome, inOrder(locks, outcome));
}

/** As the ticket asked for them. */
function inOrder(locks: readonly LockRecord[], outcome: TicketOutcome): readonly LockRecord[] {
  if (outcome.kind !== 'confirmed' || !outcome.all) return locks;
  const order = outcome.all.map(({ board }) => board);
  return locks.toSorted((a, b) => order.indexOf(a.board) - order.indexOf(b.board));
}

async function findJobView(call: Call, id: number) {
  const live = await call.lab.core.read((state) => state.jobs.get(id));
  const job = live ?? (await call.lab.store.findJob(id));
  return job && viewJob(job, call.lab.extras(id));
}

export const cancelWaiting: Handler<'cancel-waiting'> = async (call, body) => {
  const target = await call.lab.core.read((state) => resolveTarget(state, body.target));
  const command = { name: 'cancelWaiting' as const, body: { caller: call.caller, target, key: body.key } };
  const { tickets } = await call.lab.core.answer(
    command,
    identify(call, 'cancel-waiting', body),
    (reply) => reply,
  );
  return { tickets: [...tickets] };
};

export const cancel: Handler<'cancel'> = async (call, body) => {
  const ids = body.id === undefined ? await findMine(call) : [body.id];
  if (body.id === undefined && !body.mine)
    throw new MqError('BAD_REQUEST', 'Name a ticket or job, or say --mine.');
  const cancelled: number[] = [];
  for (const id of ids) {
    const kind = await cancelOne(
      call,
      id,
      body.id === undefined ? undefined : identify(call, 'cancel', body),
    );
    if (kind === 'not-allowed') throw notYours(id);
    if (kind === 'done') cancelled.push(id);
    else if (body.id !== undefined)
      throw new MqError('UNKNOWN_TICKET', `${id} neither waits nor runs. \`mq jobs\` lists what does.`);
  }
  return { cancelled };
};

/** By its number whatever it is now, a ticket or a job. A lock that it became stays: releasing is another word. */
async function cancelOne(
  { lab, caller }: Call,
  id: number,
  identity: ReturnType<typeof identify> | undefined,
): Promise<'done' | 'not-allowed' | 'unknown'> {
  const { core } = lab;
  const isTicket = await core.read((state) => state.tickets.has(id));
  const withdrawal = { name: 'withdraw' as const, body: { caller, ticket: id, why: 'cancelled' as const } };
  const ending = {
    name: 'cancelJob' as const,
    body: { caller, job: id, why: `cancelled by ${caller.user}` },
  };
  // Of many at once a repeat finds only those that are left, and needs no answer stored.
  const run = isTicket
    ? identity
      ? core.answer(withdrawal, identity, (reply) => reply)
      : core.run(withdrawal)
    : identity
      ? core.answer(ending, identity, (reply) => reply)
      : core.run(ending);
  const reply = await run;
  return reply.kind === 'not-allowed' || reply.kind === 'unknown' ? reply.kind : 'done';
}

function findMine(call: Call): Promise<number[]> {
  const { user } = call.caller;
  return call.lab.core.read((state) => [
    ...(state.ticketsByUser.get(user) ?? []),
    ...[...state.jobs.values()].filter((job) => job.user === user).map((job) => job.id),
  ]);
}

function notYours(id: number): MqError {
  return new MqError('NOT_ALLOWED', `${id} belongs to another user.`);
}
