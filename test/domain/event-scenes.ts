// What happens in the tables of every event in every state.
import type { CommandTypes } from '../../src/domain/commands.ts';
import type { JobResult, PowerAction } from '../../src/domain/records.ts';
import { admin, asCaller, Lab } from './lab.ts';

export function withLab(make: (lab: Lab) => unknown): Lab {
  const lab = new Lab();
  make(lab);
  return lab;
}

export function serve(lab: Lab, action: 'drain' | 'resume'): CommandTypes['service']['reply'] {
  return lab.send('service', { caller: admin, boards: ['b1'], action, note: '' });
}

export function endAny(lab: Lab, mayBeOn: boolean, verdict: JobResult['verdict'] = 'completed'): void {
  const job = [...lab.state.jobs.values()][0];
  if (job) lab.endJob(job, { mayBeOn, verdict });
}

export function powerOff(lab: Lab, ok: boolean): void {
  if (lab.state.locks.has('b1')) lab.poweredOff('b1', ok);
}

export function switchPower(lab: Lab, action: PowerAction): CommandTypes['power']['reply'] {
  return lab.power('ana', 'b1', action);
}

/** The agent says that what the holder asked for is done, or was not. */
export function answerPower(lab: Lab, ok: boolean): void {
  lab.powered('b1', ok);
}

/** Bob comes for the board, waits till its hold is over, and answers a ping. */
export function reclaim(lab: Lab): void {
  const id = lab.ask('bob', 'b1');
  if (lab.fate(id) !== 'waiting') return;
  lab.pass(10);
  if (lab.state.tickets.has(id)) lab.send('alive', { ticket: id });
}

export function confirm(lab: Lab, ticket: number, right: boolean): CommandTypes['confirm']['reply'] {
  const token = right ? lab.state.tickets.get(ticket)?.offer?.token : undefined;
  return lab.send('confirm', { user: 'bob', ticket, token: token ?? { generation: 1, number: 0 } });
}

export function cancelWaiting(lab: Lab, id: number): void {
  const target = lab.state.tickets.get(id)?.target ?? { kind: 'pool', name: 'p' };
  lab.send('cancelWaiting', { caller: asCaller('bob'), target, key: '0' });
}

export function drainAndFree(lab: Lab): void {
  lab.send('drain', {});
  lab.release('ana', 'b2');
  endAny(lab, false);
}

export function cutForLong(lab: Lab, id: number): void {
  lab.detach(id);
  lab.pass(15);
}

export function restartAlone(lab: Lab): void {
  lab.restart();
  lab.pass(17);
}

export function passBoth(lab: Lab): void {
  lab.pass(3);
  lab.pass(15);
}

export function awayAndBack(lab: Lab, known: readonly number[]): void {
  lab.away('b1');
  lab.present(
    ['b1'],
    known.map((id) => lab.job(id)),
  );
}
