// Every event in every state, as the scheduler does it: each cell is carried out on a lab of its own and told in a few
// words. docs/ARCHITECTURE.md holds the tables; every-event.test.ts compares.
import type { CommandTypes } from '../../src/domain/commands.ts';
import type { JobResult } from '../../src/domain/records.ts';
import { admin, asCaller, Lab } from './lab.ts';

/** A lab in some state, and what of it a table looks at. */
export interface Scene {
  readonly lab: Lab;
  /** The ticket, or the job, that the table is about. */
  readonly id: number;
}

type Event = readonly [name: string, happen: (scene: Scene) => unknown];
type Situation = readonly [name: string, make: () => Scene];

export interface EventTable {
  readonly title: string;
  readonly intro: string;
  readonly situations: readonly Situation[];
  readonly events: readonly Event[];
  readonly describe: (scene: Scene) => string;
}

const two = { boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } };

/** Writes a table as Markdown. A cell that changes nothing says so. */
export function writeTable(table: EventTable): string {
  const names = table.situations.map(([name]) => name);
  const lines = table.events.map(([event, happen]) => {
    const cells = table.situations.map(([, make]) => tellCell(table, make(), happen));
    return `| ${event} | ${cells.join(' | ')} |`;
  });
  return [
    `### ${table.title}`,
    '',
    table.intro,
    '',
    `| event | ${names.join(' | ')} |`,
    `|---${'|---'.repeat(names.length)}|`,
    ...lines,
  ].join('\n');
}

function tellCell(table: EventTable, scene: Scene, happen: Event[1]): string {
  const { lab } = scene;
  const before = table.describe(scene);
  const seen = lab.effects.length;
  const reply = happen(scene);
  const after = table.describe(scene);
  const effects = new Set(lab.effects.slice(seen).map((effect) => effect.kind));
  const told = (['offer', 'ping', 'start-job', 'cancel-job', 'finish-job', 'power-off'] as const)
    .filter((kind) => effects.has(kind))
    .map((kind) => kind);
  const parts = [
    after === before ? '' : `**${after}**`,
    told.length > 0 ? `(${told.join(', ')})` : '',
    tellReply(reply),
  ];
  return parts.filter((part) => part !== '').join(' ') || '–';
}

function tellReply(reply: unknown): string {
  if (typeof reply === 'string') return `‘${reply}’`;
  if (Array.isArray(reply)) return `‘${reply.join(', ')}’`;
  if (reply && typeof reply === 'object' && 'kind' in reply) {
    const why =
      'why' in reply && reply.why && typeof reply.why === 'object' && 'kind' in reply.why
        ? ` ${reply.why.kind}`
        : '';
    return `‘${reply.kind}${why}’`;
  }
  return '';
}

// ---- boards and locks ----

const holdBoard =
  (make?: (lab: Lab) => void): (() => Scene) =>
  () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    make?.(lab);
    return { lab, id: 1 };
  };

const boardSituations: readonly Situation[] = [
  ['free', () => ({ lab: new Lab(), id: 0 })],
  ['granted', () => ({ id: 1, lab: withLab((lab) => lab.ask('ana', 'b1', { holdSeconds: 10 })) })],
  ['held', holdBoard()],
  ['held, job', holdBoard((lab) => lab.run('ana', 'b1', { kind: 'slot' }))],
  ['held by a run', () => ({ id: 1, lab: withLab((lab) => lab.run('ana', 'b1', { holdSeconds: 10 })) })],
  [
    'ending, job',
    holdBoard((lab) => {
      lab.run('ana', 'b1', { kind: 'slot' });
      lab.release('ana', 'b1');
    }),
  ],
  [
    'ending, power',
    holdBoard((lab) => {
      lab.endJob(lab.run('ana', 'b1', { kind: 'slot' }), { mayBeOn: true });
      lab.release('ana', 'b1');
    }),
  ],
  [
    'broken, free',
    () => ({ id: 0, lab: withLab((lab) => lab.send('boardFailed', { board: 'b1', why: 'x' })) }),
  ],
  ['out of service', () => ({ id: 0, lab: withLab((lab) => serve(lab, 'drain')) })],
  ['agent away, free', () => ({ id: 0, lab: withLab((lab) => lab.away('b1')) })],
];

const boardEvents: readonly Event[] = [
  ['another user submits', ({ lab }) => lab.submit('bob', 'b1')],
  ['the holder submits, same key', ({ lab }) => lab.submit('ana', 'b1')],
  ['the holder submits, another key', ({ lab }) => lab.submit('ana', 'b1', { key: 'k' })],
  ['the holder submits, reuse', ({ lab }) => lab.submit('ana', 'b1', { reuse: true })],
  ['the holder runs under it (`-n`)', ({ lab }) => lab.submit('ana', 'b1', { kind: 'slot' })],
  ['release by the holder', ({ lab }) => lab.release('ana', 'b1')],
  ['release, wrong key', ({ lab }) => lab.release('ana', 'b1', { key: 'k' })],
  ['release by another', ({ lab }) => lab.release('bob', 'b1')],
  ['release, forced', ({ lab }) => lab.release('bob', 'b1', { force: true })],
  [
    'release, another lock named',
    ({ lab }) => lab.release('ana', 'b1', { token: { generation: 1, number: 0 } }),
  ],
  [
    'extend',
    ({ lab }) => lab.send('extend', { caller: asCaller('ana'), board: 'b1', key: '0', holdSeconds: 5 }),
  ],
  [
    'give',
    ({ lab }) =>
      lab.send('give', { caller: asCaller('ana'), board: 'b1', key: '0', user: 'bob', newKey: '0' }),
  ],
  ['steal', ({ lab }) => lab.send('steal', { caller: asCaller('bob'), board: 'b1', newKey: '0', note: '' })],
  [
    'withdraw of its ticket',
    ({ lab, id }) => lab.send('withdraw', { caller: asCaller('ana'), ticket: id, why: 'client' }),
  ],
  ['its job ends, board off', ({ lab }) => endAny(lab, false)],
  ['its job ends, board may be on', ({ lab }) => endAny(lab, true)],
  ['its job ends, lab fault', ({ lab }) => endAny(lab, false, 'lab-fault')],
  ['power off done', ({ lab }) => powerOff(lab, true)],
  ['power off failed', ({ lab }) => powerOff(lab, false)],
  ['the board can not be driven', ({ lab }) => lab.send('boardFailed', { board: 'b1', why: 'x' })],
  ['agent away', ({ lab }) => lab.away('b1')],
  ['agent present, knows its job', ({ lab }) => lab.present(['b1'], [...lab.state.jobs.values()])],
  ['agent present, knows no job', ({ lab }) => lab.present(['b1'])],
  ['drain', ({ lab }) => serve(lab, 'drain')],
  ['resume', ({ lab }) => serve(lab, 'resume')],
  ['configuration without it', ({ lab }) => void lab.configure({ boards: ['b9'] })],
  ['server restarts', ({ lab }) => lab.restart()],
  ['hold over, next in line answers', ({ lab }) => reclaim(lab)],
  ['3 s pass', ({ lab }) => lab.pass(3)],
  ['the ending limit passes', ({ lab }) => lab.pass(lab.timing.endingMs / 1000)],
];

function describeBoard({ lab }: Scene): string {
  const board = lab.state.boards.get('b1');
  if (!board) return 'gone';
  const lock = lab.state.locks.get('b1');
  const job = lock?.job === undefined ? '' : ', job';
  const usable = [
    board.health.state === 'good' ? '' : board.health.state,
    board.service.state === 'in' ? '' : board.service.state,
    board.agent === 'present' ? '' : 'away',
    board.removed ? 'removed' : '',
  ].filter((part) => part !== '');
  const holder = lock && lock.user !== 'ana' ? ` by ${lock.user}` : '';
  return [`${lock?.state ?? 'free'}${holder}${job}`, ...usable].join(', ');
}

export const boardTable: EventTable = {
  title: 'Board and lock',
  intro:
    'The lock of `ana` on a board, with a hold of 10 s; nobody waits. **Bold**: what board and lock are afterwards. In brackets: what is sent to clients and agent. In quotes: the answer.',
  situations: boardSituations,
  events: boardEvents,
  describe: describeBoard,
};

// ---- tickets ----

const waitFor =
  (target: string, make?: (lab: Lab, id: number) => void): (() => Scene) =>
  () => {
    const lab = new Lab(two);
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const id = lab.ask('bob', target, { waitSeconds: 60 });
    make?.(lab, id);
    return { lab, id };
  };

const slotFor =
  (target: string): (() => Scene) =>
  () => {
    const lab = new Lab(two);
    lab.take('bob', 'b1');
    lab.run('bob', 'b1', { kind: 'slot' });
    return { lab, id: lab.ask('bob', target, { kind: 'slot', waitSeconds: 60 }) };
  };

const offeredSlot =
  (target: string): (() => Scene) =>
  () => {
    const lab = new Lab(two);
    lab.take('bob', 'b1');
    return { lab, id: lab.ask('bob', target, { kind: 'slot', waitSeconds: 60 }) };
  };

const ticketSituations: readonly Situation[] = [
  ['waiting', waitFor('p')],
  ['parked', waitFor('p', (lab, id) => lab.detach(id))],
  ['offered', waitFor('p', (lab) => lab.release('ana', 'b1'))],
  ['slot of a board, waiting', slotFor('b1')],
  ['slot of a board, offered', offeredSlot('b1')],
  ['slot in a pool, waiting', slotFor('p')],
  ['slot in a pool, offered', offeredSlot('p')],
  ['ended', waitFor('p', (lab, id) => lab.detach(id, true))],
];

const ticketEvents: readonly Event[] = [
  ['a board of it comes free', ({ lab }) => void lab.release('ana', 'b2')],
  ['a job slot of it comes free', ({ lab }) => endAny(lab, false)],
  ['its lock is released', ({ lab }) => void lab.release('bob', 'b1')],
  ['confirm, right token', ({ lab, id }) => confirm(lab, id, true)],
  ['confirm, another token', ({ lab, id }) => confirm(lab, id, false)],
  ['withdraw', ({ lab, id }) => lab.send('withdraw', { caller: asCaller('bob'), ticket: id, why: 'client' })],
  [
    'withdraw by another user',
    ({ lab, id }) => lab.send('withdraw', { caller: asCaller('eve'), ticket: id, why: 'client' }),
  ],
  ['`-cancel` of its target', ({ lab, id }) => void cancelWaiting(lab, id)],
  ['its line is cut', ({ lab, id }) => lab.detach(id)],
  ['its process ends', ({ lab, id }) => lab.detach(id, true)],
  ['its client is back', ({ lab, id }) => lab.send('attach', { ticket: id })],
  ['its client answers a ping', ({ lab, id }) => lab.send('alive', { ticket: id })],
  ['3 s pass', ({ lab }) => lab.pass(3)],
  ['3 s, then the grace pass', ({ lab }) => passBoth(lab)],
  ['its deadline passes', ({ lab }) => lab.pass(60)],
  ['b1 is released by force', ({ lab }) => void lab.release('eve', 'b1', { force: true })],
  ['configuration without its boards', ({ lab }) => void lab.configure({ boards: ['b9'] })],
  ['server drains, a board comes free', ({ lab }) => drainAndFree(lab)],
  ['server restarts', ({ lab }) => lab.restart()],
];

function describeTicket({ lab, id }: Scene): string {
  const outcome = lab.outcome(id);
  const away = lab.state.tickets.get(id)?.graceUntil === undefined ? '' : ', client away';
  if (!outcome) return lab.fate(id) === 'offered' ? `offered${away}` : lab.fate(id);
  if (outcome.kind === 'withdrawn') return `ended: withdrawn, ${outcome.why}`;
  return outcome.kind === 'refused' ? `ended: refused, ${outcome.why.kind}` : `ended: ${outcome.kind}`;
}

export const ticketTable: EventTable = {
  title: 'Ticket',
  intro:
    'A ticket of `bob` with a deadline in 60 s: for a pool whose boards `b1` and `b2` are held by `ana`, or for the job slot of his own lock on `b1` (`run -n`).',
  situations: ticketSituations,
  events: ticketEvents,
  describe: describeTicket,
};

// ---- jobs ----

const jobOf =
  (kind: 'run' | 'slot', make?: (lab: Lab, id: number) => void): (() => Scene) =>
  () => {
    const lab = new Lab();
    if (kind === 'slot') lab.take('ana', 'b1');
    const id = lab.ask('ana', 'b1', { kind });
    lab.confirm(id);
    make?.(lab, id);
    return { lab, id };
  };

const started = (lab: Lab, id: number): void => lab.send('jobStarted', { job: id, token: lab.job(id).token });
const cancel = (lab: Lab, id: number) =>
  lab.send('cancelJob', { caller: asCaller('ana'), job: id, why: 'x' });

const jobSituations: readonly Situation[] = [
  ['starting, run', jobOf('run')],
  ['running, run', jobOf('run', started)],
  ['ending, run', jobOf('run', cancel)],
  ['starting, `-n`', jobOf('slot')],
  ['running, `-n`', jobOf('slot', started)],
  ['ending, `-n`', jobOf('slot', cancel)],
  ['ended', jobOf('run', (lab, id) => lab.endJob(lab.job(id)))],
];

const jobEvents: readonly Event[] = [
  ['the agent has started it', ({ lab, id }) => lab.state.jobs.has(id) && started(lab, id)],
  ['it ends, board off', ({ lab }) => endAny(lab, false)],
  ['it ends, board may be on', ({ lab }) => endAny(lab, true)],
  ['cancel', ({ lab, id }) => cancel(lab, id)],
  [
    'cancel by another user',
    ({ lab, id }) => lab.send('cancelJob', { caller: asCaller('eve'), job: id, why: '' }),
  ],
  [
    'its client is done (`-a`, `-r`)',
    ({ lab, id }) => lab.send('finishJob', { caller: asCaller('ana'), job: id }),
  ],
  ['its line is cut', ({ lab, id }) => lab.detach(id)],
  ['its line is cut, the grace passes', ({ lab, id }) => cutForLong(lab, id)],
  ['its process ends', ({ lab, id }) => lab.detach(id, true)],
  ['its client is back', ({ lab, id }) => lab.send('attach', { ticket: id })],
  ['its lock is released', ({ lab }) => lab.release('ana', 'b1')],
  ['agent away', ({ lab }) => lab.away('b1')],
  ['agent back, knows it', ({ lab }) => awayAndBack(lab, [...lab.state.jobs.keys()])],
  ['agent back, knows it not', ({ lab }) => awayAndBack(lab, [])],
  ['the ending limit passes', ({ lab }) => lab.pass(lab.timing.endingMs / 1000)],
  ['server restarts, nobody comes back', ({ lab }) => restartAlone(lab)],
];

function describeJob({ lab, id }: Scene): string {
  const job = lab.state.jobs.get(id);
  const ended = lab.effects.findLast((effect) => effect.kind === 'job-changed' && effect.job.id === id);
  const verdict = ended?.kind === 'job-changed' ? ended.job.result?.verdict : undefined;
  const health = lab.state.boards.get('b1')?.health.state;
  const lock = `lock ${lab.state.locks.get('b1')?.state ?? 'gone'}`;
  const away = job?.graceUntil === undefined ? '' : ', client away';
  return [`${job?.state ?? `ended: ${verdict}`}${away}`, lock, ...(health === 'good' ? [] : [health])].join(
    ', ',
  );
}

export const jobTable: EventTable = {
  title: 'Job',
  intro: 'A job of `ana` under the lock that `mq run` took, or under one of her own (`run -n`).',
  situations: jobSituations,
  events: jobEvents,
  describe: describeJob,
};

// ---- what happens ----

function withLab(make: (lab: Lab) => unknown): Lab {
  const lab = new Lab();
  make(lab);
  return lab;
}

function serve(lab: Lab, action: 'drain' | 'resume'): CommandTypes['service']['reply'] {
  return lab.send('service', { caller: admin, board: 'b1', action, note: '' });
}

function endAny(lab: Lab, mayBeOn: boolean, verdict: JobResult['verdict'] = 'completed'): void {
  const job = [...lab.state.jobs.values()][0];
  if (job) lab.endJob(job, { mayBeOn, verdict });
}

function powerOff(lab: Lab, ok: boolean): void {
  if (lab.state.locks.has('b1')) lab.poweredOff('b1', ok);
}

/** Bob comes for the board, waits till its hold is over, and answers a ping. */
function reclaim(lab: Lab): void {
  const id = lab.ask('bob', 'b1');
  if (lab.fate(id) !== 'waiting') return;
  lab.pass(10);
  if (lab.state.tickets.has(id)) lab.send('alive', { ticket: id });
}

function confirm(lab: Lab, ticket: number, right: boolean): CommandTypes['confirm']['reply'] {
  const token = right ? lab.state.tickets.get(ticket)?.offer?.token : undefined;
  return lab.send('confirm', { user: 'bob', ticket, token: token ?? { generation: 1, number: 0 } });
}

function cancelWaiting(lab: Lab, id: number): void {
  const target = lab.state.tickets.get(id)?.target ?? { kind: 'pool', name: 'p' };
  lab.send('cancelWaiting', { caller: asCaller('bob'), target, key: '0' });
}

function drainAndFree(lab: Lab): void {
  lab.send('drain', {});
  lab.release('ana', 'b2');
  endAny(lab, false);
}

function cutForLong(lab: Lab, id: number): void {
  lab.detach(id);
  lab.pass(15);
}

function restartAlone(lab: Lab): void {
  lab.restart();
  lab.pass(17);
}

function passBoth(lab: Lab): void {
  lab.pass(3);
  lab.pass(15);
}

function awayAndBack(lab: Lab, known: readonly number[]): void {
  lab.away('b1');
  lab.present(
    ['b1'],
    known.map((id) => lab.job(id)),
  );
}
