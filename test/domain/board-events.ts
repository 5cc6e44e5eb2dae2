// Every event in every state of a board and its lock, for docs/ARCHITECTURE.md.
import { answerPower, endAny, powerOff, reclaim, serve, switchPower, withLab } from './event-scenes.ts';
import type { Event, EventTable, Scene, Situation } from './event-table.ts';
import { asCaller, Lab } from './lab.ts';

const holdBoard =
  (make?: (lab: Lab) => void): (() => Scene) =>
  () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    make?.(lab);
    return { lab, id: 1 };
  };

/** A board that its last holder has left on. */
const leftOn = (): Scene => {
  const lab = new Lab({ boards: [{ name: 'b1', betweenHolders: 'leave' }] });
  lab.take('ana', 'b1');
  lab.power('ana', 'b1', 'on');
  lab.powered('b1');
  lab.release('ana', 'b1');
  return { lab, id: 0 };
};

/** Free, and kept for a ticket of ana that wants another board too, which bob holds. */
const kept = (): Scene => {
  const lab = new Lab({ boards: ['b1', 'b2'] });
  lab.take('bob', 'b2');
  return { lab, id: lab.askAll('ana', ['b1', 'b2']) };
};

/** A lab in which old clients lock by files too. */
function byFiles(make: (lab: Lab) => unknown): Scene {
  const lab = new Lab({ lockFiles: '/locks' });
  make(lab);
  return { lab, id: 1 };
}

function made(lab: Lab, ticket: number): number {
  lab.made('b1');
  return ticket;
}

function takeByFile(lab: Lab): void {
  lab.seen('b1', { user: 'ana', holdSeconds: 10 });
}

const boardSituations: readonly Situation[] = [
  ['free', () => ({ lab: new Lab(), id: 0 })],
  ['granted', () => ({ id: 1, lab: withLab((lab) => lab.ask('ana', 'b1', { holdSeconds: 10 })) })],
  ['held', holdBoard()],
  ['held, job', holdBoard((lab) => lab.run('ana', 'b1', { kind: 'slot' }))],
  ['held, switching', holdBoard((lab) => lab.power('ana', 'b1', 'cycle'))],
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
  ['free, left on', leftOn],
  ['free, kept', kept],
  ['out of service', () => ({ id: 0, lab: withLab((lab) => serve(lab, 'drain')) })],
  ['agent away, free', () => ({ id: 0, lab: withLab((lab) => lab.away('b1')) })],
  ['granted, file being made', () => byFiles((lab) => lab.ask('ana', 'b1', { holdSeconds: 10 }))],
  ['granted, file made', () => byFiles((lab) => made(lab, lab.ask('ana', 'b1', { holdSeconds: 10 })))],
  [
    'held, file made',
    () => byFiles((lab) => lab.confirm(made(lab, lab.ask('ana', 'b1', { holdSeconds: 10 })))),
  ],
  ['held by a file', () => byFiles(takeByFile)],
  [
    'held by a file, job',
    () =>
      byFiles((lab) => {
        takeByFile(lab);
        lab.run('ana', 'b1', { kind: 'slot' });
      }),
  ],
  [
    'ending, file to be removed',
    () =>
      byFiles((lab) => {
        takeByFile(lab);
        lab.release('ana', 'b1');
      }),
  ],
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
  ['its holder switches on', ({ lab }) => switchPower(lab, 'on')],
  ['its holder switches off', ({ lab }) => switchPower(lab, 'off')],
  ['the switch is done', ({ lab }) => answerPower(lab, true)],
  ['the switch failed', ({ lab }) => answerPower(lab, false)],
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
  ['its lock file is made', ({ lab }) => (lab.state.locks.has('b1') ? lab.made('b1') : undefined)],
  ['the lock file of another is there', ({ lab }) => lab.seen('b1', { id: 'other', user: 'cyd' })],
  ['there is no lock file', ({ lab }) => lab.seen('b1')],
  ['lock files fail', ({ lab }) => lab.fileFault('b1', 'no space')],
  ['3 s pass', ({ lab }) => lab.pass(3)],
  ['20 s pass', ({ lab }) => lab.pass(20)],
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
    board.keptFor === undefined ? '' : 'kept',
    board.fileFault ? 'no lock file' : '',
  ].filter((part) => part !== '');
  const holder = lock && lock.user !== 'ana' ? ` by ${lock.user}` : '';
  const power = [lock?.power ? ', switching' : '', board.mayBeOn ? ', on' : ''].join('');
  const file = lock?.file === undefined ? '' : `, file ${lock.file}`;
  return [`${lock?.state ?? 'free'}${holder}${job}${power}${file}`, ...usable].join(', ');
}

export const boardTable: EventTable = {
  title: 'Board and lock',
  intro:
    'The lock of `ana` on a board, with a hold of 10 s; nobody waits. **Bold**: what board and lock are afterwards; `on`: the board may be on; `switching`: its power is being switched by its holder; `kept`: for a ticket of `ana` that wants a board of `bob`’s too. In brackets: what is sent to clients and agent. In quotes: the answer.',
  situations: boardSituations,
  events: boardEvents,
  describe: describeBoard,
};
