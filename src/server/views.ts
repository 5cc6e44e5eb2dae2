// From records to what clients see. Pure; the state they read is committed.
import { isMaking } from '../domain/lock-files.ts';
import type { BoardRecord, LockRecord, TicketOutcome, TicketRecord } from '../domain/records.ts';
import { formatToken } from '../domain/records.ts';
import type { State } from '../domain/state.ts';
import { formatTarget } from '../domain/target.ts';
import type { JobSpec, LockView, MemberView } from '../protocol/schema.ts';
import type { BoardView, JobView, QueueEntry, StatusView, TicketView } from '../protocol/views.ts';
import type { StoredJob } from '../store/contract.ts';
import { placeOf } from './places.ts';
import { reasonsFor } from './reasons.ts';
import { clockTime } from './text.ts';

const priorities = ['high', 'normal', 'low'] as const;

/** Entries of the queue in one status; the rest is counted in the boards. */
const queueShownMax = 2_000;
/** With more tickets than this a status leaves the places out. */
const placesShownMax = 300;

export function viewLock(lock: LockRecord): LockView {
  return {
    board: lock.board,
    token: formatToken(lock.token),
    user: lock.user,
    key: lock.key,
    state: lock.state,
    sinceAt: lock.heldWallAt ?? lock.grantedWallAt,
    holdSeconds: lock.holdSeconds,
    ...(lock.endsWallAt === undefined ? {} : { untilAt: lock.endsWallAt }),
    ...(lock.job === undefined ? {} : { job: lock.job }),
    ...(lock.origin === undefined ? {} : { origin: lock.origin }),
    ...(lock.note === '' ? {} : { note: lock.note }),
  };
}

export function viewMember(member: { board: string; lock: LockRecord | undefined }): MemberView {
  return { board: member.board, ...(member.lock ? { lock: viewLock(member.lock) } : {}) };
}

/** `places`: also work out place and reasons, which cost more. */
export function viewTicket(state: State, ticket: TicketRecord, options: { places: boolean }): TicketView {
  if (ticket.state === 'ended' && ticket.outcome) return viewOutcome(ticket, ticket.outcome);
  if (ticket.offer && !isMaking(state, ticket)) {
    return {
      state: 'offered',
      ticket: ticket.id,
      board: ticket.offer.board,
      token: formatToken(ticket.offer.token),
      ...(ticket.offer.all ? { boards: ticket.offer.all.map(({ board }) => board) } : {}),
    };
  }
  const place = options.places && !ticket.offer ? placeOf(state, ticket) : undefined;
  return {
    state: 'waiting',
    ticket: ticket.id,
    reasons: options.places ? reasonsFor(state, ticket, place) : [],
    ...(place === undefined ? {} : { place }),
    ...(ticket.deadline === undefined ? {} : { deadlineAt: ticket.deadline }),
  };
}

/** How a ticket ended; `locks`: those of what it got that are still there. */
export function viewOutcome(
  ticket: { readonly id: number },
  outcome: TicketOutcome,
  locks: readonly LockRecord[] = [],
): TicketView {
  const base = { ticket: ticket.id };
  switch (outcome.kind) {
    case 'confirmed':
      if (locks[0]) return viewHeld(ticket.id, locks[0], outcome.all ? locks : undefined);
      return {
        state: 'ended',
        ...base,
        reason: 'released',
        text: `the lock on ${outcome.board} has been released meanwhile`,
      };
    case 'started':
      return { state: 'started', ...base, board: outcome.board, token: formatToken(outcome.token) };
    case 'timed-out':
      return { state: 'ended', ...base, reason: 'timed-out', text: 'no board came free in time' };
    case 'refused':
      return { state: 'ended', ...base, reason: 'refused', text: refusedText(outcome) };
    case 'withdrawn':
      return { state: 'ended', ...base, ...withdrawnView(outcome) };
  }
}

/** `locks`: of a ticket for several boards. */
export function viewHeld(
  ticket: number,
  lock: LockRecord,
  locks: readonly LockRecord[] | undefined,
): TicketView {
  const all = locks ? { locks: locks.map(viewLock) } : {};
  return { state: 'held', ticket, lock: viewLock(lock), ...all };
}

function withdrawnView(outcome: Extract<TicketOutcome, { kind: 'withdrawn' }>) {
  switch (outcome.why) {
    case 'client':
      return { reason: 'withdrawn', text: 'withdrawn' } as const;
    case 'cancelled':
      return { reason: 'cancelled', text: `cancelled by ${outcome.by}` } as const;
    case 'grace':
      return { reason: 'grace', text: 'its client was away for too long' } as const;
    case 'gone':
      return { reason: 'gone', text: 'its client has ended' } as const;
    case 'forced':
      return { reason: 'forced', text: `ended by ${outcome.by}, who forced the board's release` } as const;
  }
}

function refusedText(outcome: Extract<TicketOutcome, { kind: 'refused' }>): string {
  const { why } = outcome;
  if (why.kind === 'no-board') return why.message;
  if (why.kind === 'lock-ended') return `the lock on ${why.board}, whose job slot it waited for, has ended`;
  return why.kind;
}

export interface JobExtras {
  /** Bytes of console the server has. */
  readonly consoleLength?: number | undefined;
  /** The end or error text came: where in the console it ends, and whether the job stays open for its client (-a). */
  readonly match?: { readonly end: number; readonly open: boolean } | undefined;
}

export function viewJob(job: StoredJob, extras: JobExtras = {}): JobView {
  const spec = job.spec as JobSpec;
  const completed = extras.match?.open === true && job.state === 'running';
  const matchEnd = job.result?.matchEnd ?? extras.match?.end;
  const consoleLength = job.result?.consoleLength ?? extras.consoleLength;
  return {
    id: job.id,
    state: completed ? 'completed' : job.state,
    target: job.board,
    board: job.board,
    user: job.user,
    key: job.key,
    set: job.set,
    startedAt: job.startedWallAt,
    files: spec.files.map((file) => file.name),
    ...(spec.kind === 'image' ? {} : { kind: spec.kind }),
    ...(job.state !== 'ended' && takesInput(spec) ? { takesInput: true as const } : {}),
    ...(job.endedWallAt === undefined ? {} : { endedAt: job.endedWallAt }),
    ...(job.result ? { verdict: job.result.verdict, detail: job.result.detail } : {}),
    ...(job.result?.exitCode === undefined ? {} : { exitCode: job.result.exitCode }),
    ...(consoleLength === undefined ? {} : { consoleLength }),
    ...(matchEnd === undefined ? {} : { matchEnd }),
    ...(job.logGoneWallAt === undefined ? {} : { logGoneAt: job.logGoneWallAt }),
  };
}

function takesInput(spec: JobSpec): boolean {
  return spec.kind === 'console' || (spec.kind === 'image' && spec.keepOn);
}

/** A run that still waits, as `mq jobs` lists it. */
export function viewWaitingJob(ticket: TicketRecord): JobView {
  const spec = ticket.job as JobSpec | undefined;
  return {
    id: ticket.id,
    state: 'waiting',
    target: formatTarget(ticket.target),
    user: ticket.user,
    key: ticket.key,
    set: ticket.set,
    submittedAt: ticket.submittedWallAt,
    files: spec?.files.map((file) => file.name) ?? [],
  };
}

export function viewBoard(
  state: State,
  board: BoardRecord,
  context: { pools: readonly string[]; extras: (job: number) => JobExtras },
): BoardView {
  const lock = state.locks.get(board.name);
  const job = lock?.job === undefined ? undefined : state.jobs.get(lock.job);
  const { health } = board;
  return {
    board: board.name,
    state: stateOf(board, lock),
    health: health.state,
    ...(health.state === 'good'
      ? {}
      : { healthNote: `${health.why} (${health.by}, ${clockTime(health.sinceWallAt)})` }),
    ...viewService(board),
    ...(board.removed ? { leaving: true } : {}),
    ...(board.fileFault
      ? { lockFileNote: `${board.fileFault.why} (${clockTime(board.fileFault.sinceWallAt)})` }
      : {}),
    agentPresent: board.agent === 'present',
    ...(board.mayBeOn ? { mayBeOn: true as const } : {}),
    pools: [...context.pools],
    ...(lock ? { lock: viewLock(lock) } : {}),
    ...(job ? { job: viewJob(job, context.extras(job.id)) } : {}),
    waiting: state.setsOf(board.name).reduce((sum, set) => sum + set.waiting, 0),
  };
}

function viewService({ service, succeeds }: BoardRecord) {
  const { by, note, sinceWallAt } = service;
  const until = service.state === 'in' ? undefined : service.untilWallAt;
  const waits = succeeds === undefined ? undefined : `was ${succeeds.join(', ')}, which is still in use`;
  const text = [waits, note].filter((part) => part).join('; ');
  return {
    service: service.state,
    ...(text === '' ? {} : { serviceNote: text }),
    ...(by === undefined ? {} : { serviceBy: by }),
    ...(sinceWallAt === undefined ? {} : { serviceSinceAt: sinceWallAt }),
    ...(until === undefined ? {} : { serviceUntilAt: until }),
  };
}

/** In one word; `lock` is the board's. */
export function stateOf(board: BoardRecord, lock: LockRecord | undefined): BoardView['state'] {
  if (board.health.state === 'broken') return 'broken';
  if (lock) return lock.state;
  if (board.fileFault) return 'no-lock-file';
  if (board.service.state !== 'in' || board.succeeds) return 'out';
  if (board.agent === 'away') return 'away';
  return board.keptFor === undefined ? 'free' : 'kept';
}

/** `places`: work out the place, which for a long queue is the dearest part of a status. */
export function viewQueueEntry(state: State, ticket: TicketRecord, options: { places: boolean }): QueueEntry {
  const place = options.places && !ticket.offer ? placeOf(state, ticket) : undefined;
  return {
    ticket: ticket.id,
    target: formatTarget(ticket.target),
    kind: ticket.kind,
    user: ticket.user,
    key: ticket.key,
    set: ticket.set,
    priority: priorities[ticket.priority],
    state: ticket.state === 'ended' ? 'waiting' : ticket.state,
    submittedAt: ticket.submittedWallAt,
    ...(ticket.deadline === undefined ? {} : { deadlineAt: ticket.deadline }),
    ...(place === undefined ? {} : { place }),
    reasons: reasonsFor(state, ticket, place),
  };
}

export function viewStatus(
  state: State,
  context: { lab: string; at: number; extras: (job: number) => JobExtras },
): StatusView {
  const poolsOf = new Map<string, string[]>();
  for (const pool of state.lab.pools) {
    for (const board of pool.boards) poolsOf.set(board, [...(poolsOf.get(board) ?? []), pool.name]);
  }
  const listed = state.lab.boards.flatMap(({ name }) => state.boards.get(name) ?? []);
  const leaving = [...state.boards.values()].filter((board) => board.removed);
  const tickets = [...state.tickets.values()].sort((a, b) => a.id - b.id).slice(0, queueShownMax);
  const jobs = [...state.jobs.values()].sort((a, b) => a.id - b.id);
  return {
    lab: context.lab,
    at: context.at,
    mode: state.meta.mode,
    boards: [...listed, ...leaving].map((board) =>
      viewBoard(state, board, { pools: poolsOf.get(board.name) ?? [], extras: context.extras }),
    ),
    pools: state.lab.pools.map((pool) => viewPool(state, pool)),
    queue: tickets.map((ticket) =>
      viewQueueEntry(state, ticket, { places: tickets.length <= placesShownMax }),
    ),
    jobs: jobs.map((job) => viewJob(job, context.extras(job.id))),
  };
}

/** A pool is derived, never stored: capacity is its usable boards, taken is those that are not free. */
function viewPool(
  state: State,
  pool: { name: string; boards: readonly string[] },
): StatusView['pools'][number] {
  const usable = pool.boards.filter((name) => {
    const board = state.boards.get(name);
    return board !== undefined && state.isUsable(board);
  });
  const key = state.findSetKey(state.labIndex.resolve({ kind: 'pool', name: pool.name }, undefined));
  return {
    pool: pool.name,
    boards: [...pool.boards],
    usable: usable.length,
    taken: usable.filter((name) => !state.isFree(name)).length,
    waiting: key === undefined ? 0 : (state.findSet(key)?.waiting ?? 0),
  };
}
