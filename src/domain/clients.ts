// Clients come and go. A ticket whose client is away is parked, and withdrawn after a grace; a job is cancelled.
import type { CommandTypes } from './commands.ts';
import { stopJob } from './jobs.ts';
import { isMaking } from './lock-files.ts';
import { reclaimFor } from './match.ts';
import type { Step } from './step.ts';
import { offerEffect } from './ticket-parts.ts';
import { unpark, withdrawTicket } from './tickets.ts';

export function attach(step: Step, body: CommandTypes['attach']['body']): CommandTypes['attach']['reply'] {
  const ticket = step.state.tickets.get(body.ticket);
  if (ticket) {
    if (ticket.state === 'parked') unpark(step, ticket);
    else if (ticket.settling || ticket.graceUntil !== undefined) {
      const { graceUntil: _grace, ...rest } = ticket;
      step.putTicket({ ...rest, settling: false });
    }
    if (ticket.offer && !isMaking(step.state, ticket))
      step.effects.push(offerEffect(ticket.id, ticket.offer));
    return { kind: 'ticket' };
  }
  const job = step.state.jobs.get(body.ticket);
  if (!job) return { kind: 'unknown' };
  if (job.graceUntil !== undefined) {
    const { graceUntil: _grace, ...rest } = job;
    step.put('job', String(job.id), rest);
  }
  return { kind: 'job' };
}

export function detach(step: Step, body: CommandTypes['detach']['body']): undefined {
  const graceUntil = step.now + step.timing.graceMs;
  const ticket = step.state.tickets.get(body.ticket);
  if (ticket) {
    if (ticket.detached) return;
    const parked = ticket.state === 'waiting' ? ({ state: 'parked' } as const) : {};
    if (body.gone) withdrawTicket(step, ticket, { by: ticket.user, why: 'gone' });
    else step.putTicket({ ...ticket, ...parked, graceUntil });
    return;
  }
  const job = step.state.jobs.get(body.ticket);
  if (!job || job.detached || job.state === 'ending') return;
  if (body.gone) stopJob(step, job, job.user, 'the client has ended');
  else step.put('job', String(job.id), { ...job, graceUntil });
}

/** A ping was answered: the client lives, so it may wait again, and may be given a board that somebody must leave. */
export function alive(step: Step, body: CommandTypes['alive']['body']): undefined {
  const ticket = step.state.tickets.get(body.ticket);
  if (!ticket) return;
  if (ticket.state === 'parked') unpark(step, ticket);
  else reclaimFor(step, ticket);
}
