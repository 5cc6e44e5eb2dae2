// Any command at all, in any order, for property tests: what no honest client or agent would send is in here too.
import fc from 'fast-check';
import type { Caller, Command, Submit } from '../../src/domain/commands.ts';
import type { JobResult, LabDefinition, TargetSpec, Token } from '../../src/domain/records.ts';
import type { State } from '../../src/domain/state.ts';
import { defineLab, type LabOptions } from './lab.ts';

/** Commands name tickets, jobs and boards by position among those that are there, so that shrinking keeps sense. */
export interface Draft {
  readonly what: string;
  readonly seconds: number;
  readonly who: number;
  readonly which: number;
  readonly wish: number;
  readonly flag: boolean;
}

export const drafts: fc.Arbitrary<Draft> = fc.record({
  what: fc.constantFrom(
    ...[
      'submit',
      'submit',
      'submit',
      'submit',
      'confirm',
      'confirm',
      'confirm',
      'release',
      'release',
      'withdraw',
    ],
    ...[
      'extend',
      'give',
      'steal',
      'cancelWaiting',
      'cancelJob',
      'finishJob',
      'attach',
      'detach',
      'alive',
      'alive',
    ],
    ...[
      'present',
      'present',
      'away',
      'jobStarted',
      'jobEnded',
      'jobEnded',
      'poweredOff',
      'boardFailed',
      'touch',
      'power',
      'power',
      'powered',
    ],
    ...['drain', 'resume', 'configure', 'restart', 'leave', 'tick'],
    ...['fileMade', 'fileMade', 'fileMade', 'fileSeen', 'fileSeen', 'fileGone', 'fileFault'],
  ),
  seconds: fc.constantFrom(0, 0, 0, 0.001, 1, 3, 5, 15, 60, 200),
  who: fc.nat(2),
  which: fc.nat(9),
  wish: fc.nat(35),
  flag: fc.boolean(),
});

const boards = [
  'b1',
  { name: 'b2', holdMaxSeconds: 20, betweenHolders: 'leave' as const },
  { name: 'b3', idleMaxSeconds: 20, files: { min: 1, max: 2 } },
];
const labs: readonly LabOptions[] = [
  {
    boards,
    pools: { p: ['b1', 'b2'], q: ['b3', 'b2'], 'r*': ['b2', 'b1'] },
    limits: { adHocQueuesPerBoard: 2 },
    gatherSeconds: 10,
  },
  { boards: ['b1', 'b2'], pools: { p: ['b2'], q: ['b1'] }, gatherSeconds: 0 },
  { boards, pools: { p: ['b1', 'b2'], q: ['b3', 'b2'] }, lockFiles: '/locks' },
  { boards: [{ name: 'b1', lockFile: 'old' }, 'b2'], pools: { p: ['b2', 'b1'] }, lockFiles: '/old' },
  { boards, pools: { p: ['b3', 'b1'], q: ['b2', 'b3'] }, discipline: 'fifo' },
  { boards: boards.slice(1), pools: { p: ['b3', 'b2'] }, limits: { ticketsPerUser: 3, queueLength: 2 } },
  {
    boards: [{ name: 'b9', aliases: ['b1'] }, ...boards.slice(1)],
    pools: { p: ['b9', 'b2'], q: ['b3', 'b2'] },
  },
];
const targets: readonly TargetSpec[] = [
  { kind: 'board', name: 'b1' },
  { kind: 'board', name: 'b2' },
  { kind: 'pool', name: 'p' },
  { kind: 'pool', name: 'q' },
  { kind: 'pool', name: 'r' },
  { kind: 'boards', names: ['b3', 'b1'] },
  { kind: 'boards', names: ['b3', 'b1', 'b2'] },
];
const several: readonly TargetSpec[] = [
  { kind: 'several', needs: [{ target: { kind: 'pool', name: 'p' }, count: 2 }] },
  {
    kind: 'several',
    needs: [
      { target: { kind: 'pool', name: 'q' }, count: 1 },
      { target: { kind: 'board', name: 'b2' }, count: 1 },
    ],
  },
  {
    kind: 'several',
    needs: [
      { target: { kind: 'board', name: 'b1' }, count: 1 },
      { target: { kind: 'board', name: 'b3' }, count: 1 },
    ],
  },
];
const callers: readonly Caller[] = [
  { user: 'ana', admin: false },
  { user: 'bob', admin: false },
  { user: 'root', admin: true },
];
const verdicts: readonly JobResult['verdict'][] = [
  'completed',
  'lab-fault',
  'cancelled',
  'error-text',
  'timed-out',
];

export function firstLab(): LabDefinition {
  return defineLab(labs[0] ?? {});
}

/** The command that a draft means in this state. */
export function toCommand(draft: Draft, state: State): Command {
  const { what, which, flag } = draft;
  const caller = at(callers, draft.who);
  const ids = [...state.tickets.keys(), ...state.jobs.keys(), ...state.boardsByTicket.keys()].sort(
    (a, b) => a - b,
  );
  const ticket = ids.length > 0 ? at(ids, which) : which;
  const board = `b${1 + (which % 3)}`;
  const token = state.locks.get(board)?.token ?? { generation: 1, number: which };
  switch (what) {
    case 'submit':
      return { name: 'submit', body: toSubmit(draft, caller) };
    case 'confirm':
      return confirmOf(state, ticket, draft.wish % 6 === 0);
    case 'release':
      return {
        name: 'release',
        body: {
          caller,
          boards: flag ? [board] : ['b1', 'b2', 'b3'],
          key: at(keys, draft.wish),
          force: which > 7,
          note: '',
        },
      };
    case 'withdraw':
      return { name: 'withdraw', body: { caller, ticket, why: flag ? 'client' : 'cancelled' } };
    case 'extend':
      return { name: 'extend', body: { caller, board, key: at(keys, draft.wish), holdSeconds: which } };
    case 'give':
      return { name: 'give', body: { caller, board, key: at(keys, draft.wish), user: 'bob', newKey: '0' } };
    case 'steal':
      return { name: 'steal', body: { caller, board, newKey: '0', note: '' } };
    case 'cancelWaiting':
      return { name: 'cancelWaiting', body: { caller, target: at(targets, which), key: '0' } };
    case 'touch':
      return { name: 'touch', body: { board, token } };
    case 'configure':
      return { name: 'configure', body: { lab: defineLab(at(labs, which)), by: 'root' } };
    case 'restart':
      return { name: 'restart', body: { settleMs: 2_000 } };
    case 'leave':
      return flag ? { name: 'drain', body: {} } : { name: 'restart', body: { settleMs: 2_000 } };
    case 'drain':
    case 'resume':
      return { name: 'service', body: { caller: at(callers, 2), boards: [board], action: what, note: '' } };
    case 'tick':
      return { name: 'tick', body: {} };
    case 'power':
    case 'powered':
      return powerCommand(draft, state, { board, caller });
    default:
      if (what.startsWith('file')) return lockFileCommand(draft, state, board);
      return clientOrAgentCommand(draft, state, { ticket, board, caller });
  }
}

const keys = ['0', 'k'];

function toSubmit(draft: Draft, caller: Caller): Submit {
  const { wish, which, flag } = draft;
  const kind = at(['lock', 'lock', 'run', 'slot'] as const, wish);
  return {
    caller,
    kind,
    target: kind === 'lock' && wish % 5 < 2 ? at(several, which) : at(targets, which),
    key: at(keys, wish),
    set: wish % 3 === 0 ? `${caller.user}/ci` : caller.user,
    priority: at([1, 1, 1, 0, 2] as const, wish),
    holdSeconds: wish % 2 === 0 ? 0 : wish,
    ...(wish % 4 === 0 ? { waitSeconds: wish } : {}),
    ...(kind === 'run' && flag ? { needs: { fileCount: 1 + (wish % 2), linux: false, dtb: false } } : {}),
    ...(kind === 'lock' ? {} : { job: { image: 'hello' } }),
    ...(kind === 'slot' && flag ? { consoleOnly: true as const } : {}),
    detached: kind === 'run' && wish % 5 === 0,
    note: '',
    reuse: wish % 7 === 0,
    members: flag,
  };
}

function confirmOf(state: State, ticket: number, stale: boolean): Command {
  const offered = [...state.tickets.values()].find((one) => one.offer);
  const meant = state.tickets.get(ticket)?.offer ? state.tickets.get(ticket) : offered;
  const late: Token = { generation: 1, number: 1 };
  const token = stale ? late : (meant?.offer?.token ?? late);
  return { name: 'confirm', body: { user: meant?.user ?? 'ana', ticket: meant?.id ?? ticket, token } };
}

function powerCommand(
  draft: Draft,
  state: State,
  { board, caller }: { board: string; caller: Caller },
): Command {
  const { what, which, wish, flag } = draft;
  const request = `request ${which} ${wish}`;
  if (what === 'power') {
    const action = at(['on', 'off', 'cycle'] as const, wish);
    return { name: 'power', body: { caller, board, key: at(keys, wish), action, request } };
  }
  const asked = state.locks.get(board)?.power?.request ?? request;
  return { name: 'powered', body: { board, request: asked, ok: flag, detail: '' } };
}

function lockFileCommand({ what, which, flag, wish }: Draft, state: State, board: string): Command {
  const making = [...state.locks.values()].find((lock) => lock.file === 'making');
  const lock = what === 'fileMade' || flag ? (making ?? state.locks.get(board)) : state.locks.get(board);
  const folder = flag || which % 4 > 0 ? '/locks' : '/old';
  const about = { folder, board: lock?.board ?? board, ...(lock ? { token: lock.token } : {}) };
  switch (what) {
    case 'fileMade':
      return { name: 'lockFileMade', body: { token: { generation: 1, number: which }, ...about } };
    case 'fileSeen': {
      const times = { sinceWallAt: 1_000_000 + which * 1000, holdSeconds: wish % 3 === 0 ? 0 : wish };
      const found = { id: `${which % 3}`, user: at(['ana', 'old'], wish), key: at(keys, which), ...times };
      return { name: 'lockFileSeen', body: { ...about, found } };
    }
    case 'fileGone':
      return { name: 'lockFileSeen', body: about };
    default:
      return {
        name: 'lockFileFault',
        body: { folder, boards: [board], ...(flag ? { why: 'no space' } : {}) },
      };
  }
}

function clientOrAgentCommand(
  draft: Draft,
  state: State,
  about: { ticket: number; board: string; caller: Caller },
): Command {
  const { what, which, flag, wish } = draft;
  const { ticket, board, caller } = about;
  const jobs = [...state.jobs.values()];
  const job = jobs.length > 0 ? at(jobs, which) : undefined;
  const jobToken: Token = job?.token ?? { generation: 1, number: which };
  switch (what) {
    case 'attach':
    case 'alive':
      return { name: what, body: { ticket } };
    case 'detach':
      return { name: 'detach', body: { ticket, gone: flag } };
    case 'cancelJob':
      return { name: 'cancelJob', body: { caller, job: job?.id ?? which, why: '' } };
    case 'finishJob':
      return { name: 'finishJob', body: { caller, job: job?.id ?? which } };
    case 'jobStarted':
      return { name: 'jobStarted', body: { job: job?.id ?? which, token: jobToken } };
    case 'jobEnded': {
      const result: JobResult = { verdict: at(verdicts, wish), detail: '', mayBeOn: flag };
      return { name: 'jobEnded', body: { job: job?.id ?? which, token: jobToken, result } };
    }
    case 'poweredOff': {
      const ending = [...state.locks.values()].find((lock) => lock.state === 'ending');
      const token = ending?.lastToken ?? jobToken;
      return {
        name: 'poweredOff',
        body: { board: ending?.board ?? board, token, ok: which < 8, detail: '' },
      };
    }
    case 'boardFailed':
      return { name: 'boardFailed', body: { board, why: 'no console' } };
    case 'away':
      return { name: 'agentAway', body: { boards: flag ? [board] : ['b1', 'b2', 'b3'] } };
    default: {
      const known = jobs.filter((_, index) => flag || index % 2 === 0);
      return {
        name: 'agentPresent',
        body: {
          boards: ['b1', 'b2', 'b3'],
          jobs: known.map(({ id }) => ({ id, state: at(['running', 'starting', 'ended'] as const, wish) })),
          highest: { generation: 1, number: wish },
        },
      };
    }
  }
}

function at<T>(items: readonly T[], position: number): T {
  const item = items[position % items.length];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}
