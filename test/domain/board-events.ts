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
  const power = [lock?.power ? ', switching' : '', board.mayBeOn ? ', on' : ''].join('');
  return [`${lock?.state ?? 'free'}${holder}${job}${power}`, ...usable].join(', ');
}

export const boardTable: EventTable = {
  title: 'Board and lock',
  intro:
    'The lock of `ana` on a board, with a hold of 10 s; nobody waits. **Bold**: what board and lock are afterwards; `on`: the board may be on; `switching`: its power is being switched by its holder. In brackets: what is sent to clients and agent. In quotes: the answer.',
  situations: boardSituations,
  events: boardEvents,
  describe: describeBoard,
};
