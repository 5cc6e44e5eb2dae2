// Tickets: submit, confirm, withdraw. States: waiting ⇄ parked, waiting → offered → ended, and offered → parked when a
// grant is taken back. Each ends exactly once, through Step.endTicket.
import type { CommandTypes, ConfirmReply, Member, Submit, SubmitReply } from './commands.ts';
import { mayEnd, startJob, stopJob } from './jobs.ts';
import { beginEnding, holdLock } from './locks.ts';
import { closeStep, freeOffer } from './match.ts';
import type { LockRecord, Refusal, TargetSpec, TicketRecord } from './records.ts';
import { sameToken } from './records.ts';
import { offerSlotOf } from './slots.ts';
import type { Step } from './step.ts';
import { formatTarget, type ResolvedTarget } from './target.ts';

export function submit(step: Step, body: Submit): SubmitReply {
  const boards = step.state.labIndex.resolve(body.target, body.needs);
  const members = (until?: string) => (body.members ? membersOf(step, boards.boards, until) : []);
  const mine = findMine(step, body, boards);
  if (mine && body.reuse) return { kind: 'reused', lock: mine, members: members(mine.board) };
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
  if (boards.boards.length > 1 && !body.reuse) return undefined;
  return boards.boards
    .map((board) => step.state.lockOn(board))
    .find(
      (lock) =>
        lock?.user === body.caller.user &&
        lock.key === body.key &&
        (lock.state === 'held' || (lock.state === 'granted' && !body.reuse)),
    );
}

function findRefusal(
  step: Step,
  body: Submit,
  boards: ResolvedTarget,
  mine: LockRecord | undefined,
): Refusal | undefined {
  const { state } = step;
  const only = boards.boards[0];
  if (only === undefined) return { kind: 'no-board', message: noBoardText(step, body) };
  if (mine && body.target.kind === 'board')
    return { kind: 'already-yours', board: mine.board, token: mine.token, key: mine.key };
  const { limits } = state.lab;
  if ((state.ticketsByUser.get(body.caller.user)?.size ?? 0) >= limits.ticketsPerUser) {
    return { kind: 'limit', limit: 'ticketsPerUser', value: limits.ticketsPerUser };
  }
  if (body.kind === 'slot') return findSlotRefusal(step, body, only);
  const key = state.findSetKey(boards);
  if (key !== undefined) {
    const full = (state.findSet(key)?.queue.size ?? 0) >= limits.queueLength;
    return full ? { kind: 'limit', limit: 'queueLength', value: limits.queueLength } : undefined;
  }
  const crowded = boards.boards.some((board) => countAdHoc(step, board) >= limits.adHocQueuesPerBoard);
  return crowded
    ? { kind: 'limit', limit: 'adHocQueuesPerBoard', value: limits.adHocQueuesPerBoard }
    : undefined;
}

function findSlotRefusal(step: Step, body: Submit, board: string): Refusal | undefined {
  if (body.target.kind !== 'board') return undefined;
  const lock = step.state.locks.get(board);
  if (lock?.state !== 'held' || lock.user !== body.caller.user || lock.kind !== 'lock')
    return { kind: 'not-holder', board };
  return lock.key === body.key ? undefined : { kind: 'wrong-key', board };
}

function countAdHoc(step: Step, board: string): number {
  return step.state.setsOf(board).filter((set) => set.key.startsWith('q:')).length;
}

function noBoardText(step: Step, body: Submit): string {
  const members = step.state.labIndex.members(body.target);
  const target = formatTarget(body.target);
  if (members.length === 0) return `No board matches ${target} now.`;
  return `No board of ${target} can take this job: see the number of files, -L and -b.`;
}

function enqueue(step: Step, body: Submit, boards: ResolvedTarget): TicketRecord {
  const id = step.drawNumber();
  const slot = body.kind === 'slot';
  const ticket: TicketRecord = {
    id,
    user: body.caller.user,
    key: body.key,
    set: body.set,
    priority: body.priority,
    kind: body.kind,
    target: body.target,
    ...(body.needs ? { needs: body.needs } : {}),
    queue: slot ? '' : joinSet(step, boards),
    ...(slot ? { slotBoards: boards.boards } : {}),
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
  if (!offer || !sameToken(offer.token, body.token)) {
    // A late confirm is a sign of life.
    if (ticket.state === 'parked') unpark(step, ticket);
    return { kind: 'gone' };
  }
  const lock = step.state.locks.get(offer.board);
  if (!lock) throw new Error(`ticket ${ticket.id} was offered ${offer.board}, which has no lock`);
  const place = { board: offer.board, token: offer.token };
  if (ticket.kind === 'lock') {
    const held = holdLock(step, lock);
    step.endTicket(ticket, { kind: 'confirmed', ...place }, { quiet: true });
    step.audit.push({
      event: 'confirmed',
      by: ticket.user,
      board: lock.board,
      ticket: ticket.id,
      key: ticket.key,
    });
    offerSlotOf(step, lock.board);
    return { kind: 'held', lock: held };
  }
  const held = ticket.kind === 'run' ? holdLock(step, lock) : lock;
  const token = ticket.kind === 'run' ? step.drawToken() : offer.token;
  step.endTicket(ticket, { kind: 'started', ...place }, { quiet: true });
  return { kind: 'started', job: startJob(step, held, ticket, token) };
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
  const board = step.state.boardByTicket.get(body.ticket);
  const lock = board === undefined ? undefined : step.state.locks.get(board);
  if (!lock || lock.state === 'granted') return { kind: 'unknown' };
  if (!mayEnd(caller, lock.user)) return { kind: 'not-allowed' };
  if (lock.state === 'held')
    beginEnding(step, lock, { reason: 'released', by: caller.user, note: 'withdrawn' });
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
