// Every event in every state of a ticket, for docs/ARCHITECTURE.md.
import { cancelWaiting, confirm, drainAndFree, endAny, passBoth } from './event-scenes.ts';
import type { Event, EventTable, Scene, Situation } from './event-table.ts';
import { asCaller, Lab } from './lab.ts';

const two = { boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } };

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

/** Of bob for both boards, of which b1 has come free: it is kept. */
const gathering = (make?: (lab: Lab, id: number) => void) => (): Scene => {
  const lab = new Lab({ ...two, gatherSeconds: 30 });
  lab.take('ana', 'b1');
  lab.take('ana', 'b2');
  const id = lab.askAll('bob', ['b1', 'b2'], { waitSeconds: 60 });
  lab.release('ana', 'b1');
  make?.(lab, id);
  return { lab, id };
};

const ticketSituations: readonly Situation[] = [
  ['waiting', waitFor('p')],
  ['parked', waitFor('p', (lab, id) => lab.detach(id))],
  ['offered', waitFor('p', (lab) => lab.release('ana', 'b1'))],
  ['slot of a board, waiting', slotFor('b1')],
  ['slot of a board, offered', offeredSlot('b1')],
  ['slot in a pool, waiting', slotFor('p')],
  ['slot in a pool, offered', offeredSlot('p')],
  ['for two, gathering', gathering()],
  ['for two, resting', gathering((lab) => lab.pass(30))],
  ['for two, offered', gathering((lab) => lab.release('ana', 'b2'))],
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
  ['30 s pass', ({ lab }) => lab.pass(30)],
  ['its deadline passes', ({ lab }) => lab.pass(60)],
  ['b1 is released by force', ({ lab }) => void lab.release('eve', 'b1', { force: true })],
  ['configuration without its boards', ({ lab }) => void lab.configure({ boards: ['b9'] })],
  ['server drains, a board comes free', ({ lab }) => drainAndFree(lab)],
  ['server restarts', ({ lab }) => lab.restart()],
];

function describeTicket({ lab, id }: Scene): string {
  const outcome = lab.outcome(id);
  const ticket = lab.state.tickets.get(id);
  const away = ticket?.graceUntil === undefined ? '' : ', client away';
  const kept = [...lab.state.kept].filter(([, keeper]) => keeper === id).map(([board]) => board);
  const gather =
    kept.length > 0 ? `, ${kept.join(' and ')} kept` : ticket?.gather?.state === 'resting' ? ', resting' : '';
  if (!outcome) return lab.fate(id) === 'offered' ? `offered${away}` : `${lab.fate(id)}${gather}`;
  if (outcome.kind === 'withdrawn') return `ended: withdrawn, ${outcome.why}`;
  return outcome.kind === 'refused' ? `ended: refused, ${outcome.why.kind}` : `ended: ${outcome.kind}`;
}

export const ticketTable: EventTable = {
  title: 'Ticket',
  intro:
    'A ticket of `bob` with a deadline in 60 s: for a pool whose boards `b1` and `b2` are held by `ana`, for the job slot of his own lock on `b1` (`run -n`), or for both boards at once, where `b1` has come free and a gathering lasts 30 s.',
  situations: ticketSituations,
  events: ticketEvents,
  describe: describeTicket,
};
