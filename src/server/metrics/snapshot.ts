// What the lab is like at the moment of a scrape, from committed state. Pure; one walk over boards, locks, jobs and tickets.
import type { State } from '../../domain/state.ts';
import { stateOf } from '../views.ts';
import type { Family, Sample } from './exposition.ts';
import { otherTargets, poolLabel } from './tally.ts';

const boardStates = [
  'free',
  'kept',
  'granted',
  'held',
  'ending',
  'broken',
  'out',
  'away',
  'no-lock-file',
] as const;
const healths = ['good', 'suspect', 'broken'] as const;
const ticketStates = ['waiting', 'parked', 'offered'] as const;
const lockStates = ['granted', 'held', 'ending'] as const;
const jobStates = ['starting', 'running', 'ending'] as const;

/** `at`: the wall clock, in milliseconds. */
export function snapshot(state: State, at: number): Family[] {
  return [
    ...boardFamilies(state),
    ...ticketFamilies(state, at),
    ...poolFamilies(state),
    ...useFamilies(state),
  ];
}

function boardFamilies(state: State): Family[] {
  const boards = [...state.boards.values()];
  const states = counts('state', boardStates);
  const health = counts('health', healths);
  for (const board of boards) {
    states.add(stateOf(board, state.locks.get(board.name)));
    health.add(board.health.state);
  }
  const broken = boards.map(({ name, health }) => ({
    labels: { board: name },
    value: health.state === 'broken' ? 1 : 0,
  }));
  return [
    gauge('mq_boards', 'Boards by state, as mq status shows it.', states.samples()),
    gauge('mq_boards_health', 'Boards by health.', health.samples()),
    gauge('mq_board_broken', 'Whether the board is broken: it needs somebody to look at it.', broken),
  ];
}

function ticketFamilies(state: State, at: number): Family[] {
  const states = counts('state', ticketStates);
  const labels = [...state.lab.pools.map(({ name }) => name), ...otherTargets];
  const waiting = counts('pool', labels);
  const oldest = new Map<string, number>();
  for (const ticket of state.tickets.values()) {
    if (ticket.state === 'ended') continue;
    states.add(ticket.state);
    if (ticket.state !== 'waiting' || ticket.kind === 'slot') continue;
    const label = poolLabel(ticket);
    waiting.add(label);
    const since = oldest.get(label);
    if (since === undefined || ticket.submittedWallAt < since) oldest.set(label, ticket.submittedWallAt);
  }
  const ages = labels.map((label) => ({
    labels: { pool: label },
    value: Math.max(0, at - (oldest.get(label) ?? at)) / 1000,
  }));
  const others = '(board): a single board; (boards): several, or those with certain attributes';
  return [
    gauge('mq_tickets', 'Live tickets by state.', states.samples()),
    gauge('mq_waiting_tickets', `Tickets that wait, by pool. ${others}.`, waiting.samples()),
    gauge('mq_oldest_wait_seconds', 'How long the oldest ticket waits, by pool; 0 where none does.', ages),
  ];
}

function poolFamilies(state: State): Family[] {
  const rows = state.lab.pools.map(({ name, boards }) => {
    const usable = boards.filter((board) => {
      const record = state.boards.get(board);
      return record !== undefined && state.isUsable(record);
    });
    return { pool: name, usable: usable.length, free: usable.filter((board) => state.isFree(board)).length };
  });
  return [
    gauge(
      'mq_pool_boards_usable',
      'Boards of the pool that can be had: not broken, not out of service, their agent present.',
      rows.map(({ pool, usable }) => ({ labels: { pool }, value: usable })),
    ),
    gauge(
      'mq_pool_boards_free',
      'Boards of the pool that are free.',
      rows.map(({ pool, free }) => ({ labels: { pool }, value: free })),
    ),
  ];
}

function useFamilies(state: State): Family[] {
  const locks = counts('state', lockStates);
  for (const lock of state.locks.values()) locks.add(lock.state);
  const jobs = counts('state', jobStates);
  for (const job of state.jobs.values()) if (job.state !== 'ended') jobs.add(job.state);
  const isDraining = state.meta.mode === 'draining' ? 1 : 0;
  return [
    gauge('mq_locks', 'Locks by state.', locks.samples()),
    gauge('mq_jobs', 'Live jobs by state.', jobs.samples()),
    gauge('mq_draining', 'Whether the server is about to leave and grants nothing.', [{ value: isDraining }]),
  ];
}

export function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'gauge', samples };
}

/** One sample for each value that there may be, so that a series is there before its first count. */
function counts(label: string, values: readonly string[]) {
  const found = new Map(values.map((value) => [value, 0]));
  return {
    add: (value: string): void => void found.set(value, (found.get(value) ?? 0) + 1),
    samples: (): Sample[] =>
      [...found].map(([value, count]) => ({ labels: { [label]: value }, value: count })),
  };
}
