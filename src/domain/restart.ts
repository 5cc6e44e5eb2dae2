// A server's start and its leaving. After a start the lab settles: clients get a moment to come back before
// anything is granted, so that nobody loses a place to somebody who was merely quicker to reconnect.
import { restEndings } from './boards.ts';
import type { CommandTypes } from './commands.ts';
import { isMaking } from './lock-files.ts';
import type { TicketRecord } from './records.ts';
import { letAllGo } from './several.ts';
import type { Step } from './step.ts';
import { offerEffect } from './ticket-parts.ts';

export function restart(step: Step, body: CommandTypes['restart']['body']): undefined {
  const settleUntil = step.now + body.settleMs;
  step.putMeta({ mode: 'settling', settleUntil });
  letAllGo(step);
  for (const ticket of [...step.state.tickets.values()]) resettleTicket(step, ticket, settleUntil);
  for (const job of [...step.state.jobs.values()]) {
    if (job.detached || job.state === 'ending') continue;
    step.put('job', String(job.id), { ...job, graceUntil: settleUntil + step.timing.graceMs });
  }
  for (const board of [...step.state.boards.values()]) {
    if (board.agent === 'present') step.put('board', board.name, { ...board, agent: 'away' });
    restEndings(step, board.name);
  }
}

/** Whoever was connected is waited for; graces begin anew; an unconfirmed grant stays with its ticket for now. */
function resettleTicket(step: Step, ticket: TicketRecord, settleUntil: number): void {
  const { graceUntil: _grace, ...rest } = gatherAnew(ticket);
  const away = ticket.detached ? {} : { graceUntil: settleUntil + step.timing.graceMs };
  if (ticket.offer) {
    const making = isMaking(step.state, ticket);
    const { confirmMs, lockFileMs } = step.timing;
    const offer = { ...ticket.offer, confirmBy: settleUntil + (making ? lockFileMs : confirmMs) };
    step.putTicket({ ...rest, ...away, offer, settling: !ticket.detached });
    // Nobody attaches to a detached one; the server itself confirms it.
    if (ticket.detached && !making) step.effects.push(offerEffect(ticket.id, offer));
  } else if (ticket.detached) step.putTicket({ ...rest, state: 'waiting', settling: false });
  else {
    // Whoever was waited for by a start that was cut short was connected too.
    const settling = ticket.state === 'waiting' || ticket.settling;
    step.putTicket({ ...rest, ...away, state: 'parked', settling });
  }
}

/** Nothing is kept over a start: the time for it begins anew too. */
function gatherAnew(ticket: TicketRecord): TicketRecord {
  const { gather } = ticket;
  if (gather?.state !== 'gathering') return ticket;
  return { ...ticket, gather: { state: 'rested', restMs: gather.restMs } };
}

/** Everybody is back, or has had time: grant what is free. */
export function openDoors(step: Step): void {
  const { settleUntil: _until, ...meta } = step.state.meta;
  step.put('meta', '', { ...meta, mode: 'open' });
  for (const ticket of [...step.state.tickets.values()]) {
    if (ticket.settling) step.putTicket({ ...ticket, settling: false });
    if (ticket.state === 'waiting') step.ticketsToMatch.add(ticket.id);
  }
  for (const board of step.state.boards.keys()) step.boardsToMatch.add(board);
  for (const set of step.state.allSets()) step.setsToReview.add(set.key);
}

/** The server is about to leave: it grants nothing more; tickets keep their place for the next one. */
export function drain(step: Step): undefined {
  if (step.state.meta.mode === 'draining') return;
  const { settleUntil: _until, ...meta } = step.state.meta;
  step.put('meta', '', { ...meta, mode: 'draining' });
}
