// Tickets: submit, confirm, withdraw. States: waiting ⇄ parked, waiting → offered → ended, and offered → parked when a
// grant is taken back. Each ends exactly once, through Step.endTicket.
import type { CommandTypes, ConfirmReply, Member, Submit, SubmitReply } from './commands.ts';
import { freeOffer } from './grants.ts';
import { mayEnd, startJob, stopJob } from './jobs.ts';
import { isMaking } from './lock-files.ts';
import { beginEnding, holdLock } from './locks.ts';
import { closeStep } from './match.ts';
import type { LockRecord, TargetSpec, TicketRecord } from './records.ts';
import { sameToken } from './records.ts';
import { findRefusal } from './refusals.ts';
import { offerSlotOf } from './slots.ts';
import type { Step } from './step.ts';
import { formatTarget, type ResolvedTarget } from './target.ts';
import { grantedBy } from './ticket-parts.ts';

export function submit(step: Step, body: Submit): SubmitReply {
  const boards = step.state.labIndex.resolve(body.target, body.needs);
  const members = (until?: string) => (body.members ? membersOf(step, boards.boards, until) : []);
  const mine = findMine(step, body, boards);
  // A lock from a file has no ticket that could be given back.
  if (mine && body.reuse && body.target.kind !== 'several' && mine.origin !== 'file')
    return { kind: 'reused', lock: mine, members: members(mine.board) };
  const refusal = findRefusal(step, body, boards, mine);
  if (refusal) return { kind: 'refused', why: refusal, members: members() };
  const before = members();
  const ticket = enqueue(step, body, boards);
  closeStep(step);
  const now = step.state.tickets.get(ticket.id) ?? ticket;
  if (now.offer) {
    const { board, token } = now.offer;
    const seen = body.members ? lookedAt(before, board) : [];
    return { kind: 'offered', ticket: now.id, board, token, members: seen };
  }
  if (body.waitSeconds === 0 && step.state.meta.mode !== 'settling') {
    step.endTicket(now, { kind: 'timed-out' }, { quiet: true });
    return { kind: 'refused', why: { kind: 'not-granted' }, members: before };
  }
  return { kind: 'waiting', ticket: now.id, members: before };
}

/** A lock the caller has on the board (or, with reuse, on one of the boards) under the same key. */
function findMine(step: Step, body: Submit, boards: ResolvedTarget): LockRecord | undefined {
  if (body.kind === 'slot') return undefined;
  const { target } = body;
  if (target.kind !== 'several' && boards.boards.length > 1 && !body.reuse) return undefined;
  // Of several, the ones that are asked for by name.
  const named = target.kind === 'several' ? target.needs.map((need) => need.target) : [];
  const meant =
    target.kind === 'several'
      ? named.flatMap((one) => (one.kind === 'board' ? one.name : []))
      : boards.boards;
  return meant
    .map((board) => step.state.lockOn(board))
    .find(
      (lock) =>
        lock?.user === body.caller.user &&
        lock.key === body.key &&
        (lock.state === 'held' || (lock.state === 'granted' && !body.reuse)),
    );
}

function enqueue(step: Step, body: Submit, boards: ResolvedTarget): TicketRecord {
  const id = step.drawNumber();
  const ticket: TicketRecord = {
    id,
    user: body.caller.user,
    key: body.key,
    set: body.set,
    priority: body.priority,
    kind: body.kind,
    target: body.target,
    ...(body.needs ? { needs: body.needs } : {}),
    ...queuesFor(step, body, boards),
    turnFloor: 0,
    state: 'waiting',
    settling: false,
    ...(body.waitSeconds === undefined ? {} : { deadline: step.now + body.waitSeconds * 1000 }),
    holdSeconds: body.holdSeconds,
    submittedWallAt: step.wallAt,
    ...(body.job === undefined ? {} : { job: body.job }),
    ...(body.consoleOnly ? { consoleOnly: true } : {}),
    detached: body.detached,
    note: body.note,
  };
  step.putTicket(ticket);
  step.audit.push({
    event: 'submitted',
    by: ticket.user,
    ticket: id,
    key: ticket.key,
    detail: formatTarget(ticket.target),
  });
  return ticket;
}

function queuesFor(
  step: Step,
  body: Submit,
  boards: ResolvedTarget,
): Pick<TicketRecord, 'queue' | 'parts' | 'slotBoards'> {
  if (body.kind === 'slot') return { queue: '', slotBoards: boards.boards };
  if (body.target.kind !== 'several') return { queue: joinSet(step, boards) };
  const parts = body.target.needs.map((need) => ({
    ...need,
    queue: joinSet(step, step.state.labIndex.resolve(need.target, body.needs)),
    turnFloor: 0,
  }));
  return { queue: '', parts };
}

/** The key of the boards' target set; an ad-hoc set gets its queue record here. */
export function joinSet(step: Step, boards: ResolvedTarget): string {
  const found = step.state.findSetKey(boards);
  if (found !== undefined) return found;
  const id = `q:${step.drawNumber()}`;
  step.put('queue', id, { id, boards: boards.boards });
  return id;
}

function membersOf(step: Step, boards: readonly string[], until?: string): Member[] {
  const end = until === undefined ? boards.length : boards.indexOf(until) + 1;
  return boards.slice(0, end).map((board) => ({ board, lock: step.state.lockOn(board) }));
}

/** The members passed over, and the one taken, as they stood before. */
function lookedAt(before: readonly Member[], taken: string): Member[] {
  const end = before.findIndex((member) => member.board === taken);
  return before.filter((member, at) => at === end || (at < end && member.lock !== undefined));
}

// ---- confirm, withdraw ----

export function confirm(step: Step, body: CommandTypes['confirm']['body']): ConfirmReply {
  const ticket = step.state.tickets.get(body.ticket);
  if (!ticket || ticket.user !== body.user) return { kind: 'unknown' };
  const offer = ticket.offer;
  if (!offer || !sameToken(offer.token, body.token) || isMaking(step.state, ticket)) {
    // A late confirm is a sign of life.
    if (ticket.state === 'parked') unpark(step, ticket);
    return { kind: 'gone' };
  }
  const place = { board: offer.board, token: offer.token };
  if (ticket.kind === 'lock') {
    const locks = grantedBy(ticket, offer).map(({ board }) =>
      holdLock(step, grantedLock(step, ticket, board)),
    );
    const [lock] = locks;
    if (!lock) throw new Error(`ticket ${ticket.id} was offered nothing`);
    const all = offer.all ? { all: offer.all.map(({ board, token }) => ({ board, token })) } : {};
    step.endTicket(ticket, { kind: 'confirmed', ...place, ...all }, { quiet: true });
    const about = { event: 'confirmed', by: ticket.user, ticket: ticket.id, key: ticket.key };
    for (const { board } of locks) step.audit.push({ ...about, board });
    for (const { board } of locks) offerSlotOf(step, board);
    return { kind: 'held', lock, locks };
  }
  const lock = grantedLock(step, ticket, offer.board);
  const held = ticket.kind === 'run' ? holdLock(step, lock) : lock;
  const token = ticket.kind === 'run' ? step.drawToken() : offer.token;
  step.endTicket(ticket, { kind: 'started', ...place }, { quiet: true });
  return { kind: 'started', job: startJob(step, held, ticket, token) };
}

function grantedLock(step: Step, ticket: TicketRecord, board: string): LockRecord {
  const lock = step.state.locks.get(board);
  if (!lock) throw new Error(`ticket ${ticket.id} was offered ${board}, which has no lock`);
  return lock;
}

/** Back into its queue at its own place. */
export function unpark(step: Step, ticket: TicketRecord): void {
  const { graceUntil: _grace, ...rest } = ticket;
  step.putTicket({ ...rest, state: 'waiting', settling: false });
}

export function withdraw(
  step: Step,
  body: CommandTypes['withdraw']['body'],
): CommandTypes['withdraw']['reply'] {
  const { caller } = body;
  const ticket = step.state.tickets.get(body.ticket);
  if (ticket) {
    if (!mayEnd(caller, ticket.user)) return { kind: 'not-allowed' };
    withdrawTicket(step, ticket, { by: caller.user, why: body.why });
    return { kind: 'withdrawn' };
  }
  const job = step.state.jobs.get(body.ticket);
  if (job) {
    if (!mayEnd(caller, job.user)) return { kind: 'not-allowed' };
    stopJob(step, job, caller.user, `cancelled by ${caller.user}`);
    return { kind: 'released' };
  }
  const boards = [...(step.state.boardsByTicket.get(body.ticket) ?? [])];
  const locks = boards.flatMap((board) => step.state.locks.get(board) ?? []);
  const [lock] = locks;
  if (!lock || lock.state === 'granted') return { kind: 'unknown' };
  if (!mayEnd(caller, lock.user)) return { kind: 'not-allowed' };
  for (const one of locks) {
    if (one.state === 'held')
      beginEnding(step, one, { reason: 'released', by: caller.user, note: 'withdrawn' });
  }
  return { kind: 'released' };
}

export function withdrawTicket(
  step: Step,
  ticket: TicketRecord,
  why: { by: string; why: 'client' | 'cancelled' | 'gone' | 'grace' },
): void {
  step.endTicket(ticket, { kind: 'withdrawn', ...why }, { quiet: why.why === 'gone' });
  if (ticket.offer) freeOffer(step, ticket, ticket.offer);
  step.audit.push({ event: 'withdrawn', by: why.by, user: ticket.user, ticket: ticket.id, detail: why.why });
}

export function cancelWaiting(
  step: Step,
  body: CommandTypes['cancelWaiting']['body'],
): { tickets: readonly number[] } {
  const mine = [...(step.state.ticketsByUser.get(body.caller.user) ?? [])];
  const tickets = mine.filter((id) => {
    const ticket = step.state.tickets.get(id);
    return ticket?.key === body.key && sameTarget(ticket.target, body.target);
  });
  for (const id of tickets) {
    const ticket = step.state.tickets.get(id);
    if (ticket) withdrawTicket(step, ticket, { by: body.caller.user, why: 'cancelled' });
  }
  return { tickets };
}

function sameTarget(a: TargetSpec, b: TargetSpec): boolean {
  return a.kind === b.kind && formatTarget(a) === formatTarget(b);
}
