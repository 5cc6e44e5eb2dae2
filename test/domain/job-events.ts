// Every event in every state of a job, for docs/ARCHITECTURE.md.
import { awayAndBack, cutForLong, endAny, restartAlone } from './event-scenes.ts';
import type { Event, EventTable, Scene, Situation } from './event-table.ts';
import { asCaller, Lab, type Wish } from './lab.ts';

const jobOf =
  (kind: 'run' | 'slot', make?: (lab: Lab, id: number) => void, wish: Wish = {}): (() => Scene) =>
  () => {
    const lab = new Lab();
    if (kind === 'slot') lab.take('ana', 'b1');
    const id = lab.ask('ana', 'b1', { kind, ...wish });
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
  ['running, console', jobOf('slot', started, { consoleOnly: true })],
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
  ['its holder switches the power', ({ lab }) => lab.power('ana', 'b1', 'cycle')],
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
  intro:
    'A job of `ana` under the lock that `mq run` took, or under one of her own (`run -n`), or only following the console.',
  situations: jobSituations,
  events: jobEvents,
  describe: describeJob,
};
