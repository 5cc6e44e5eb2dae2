// A server's start and its leaving. After a start the lab settles: clients get a moment to come back before
// anything is granted, so that nobody loses a place to somebody who was merely quicker to reconnect.
import { restEndings } from './boards.ts';
import type { CommandTypes } from './commands.ts';
import type { TicketRecord } from './records.ts';
import type { Step } from './step.ts';

export function restart(step: Step, body: CommandTypes['restart']['body']): undefined {
  const settleUntil = step.now + body.settleMs;
  step.putMeta({ mode: 'settling', settleUntil });
  for (const ticket of [...step.state.tickets.values()]) resettleTicket(step, ticket, settleUntil);
  for (const job of [...step.state.jobs.values()]) {
    if (job.detached || job.state === 'ending') continue;
    step.put('job', String(job.id), { ...job, graceUntil: settleUntil + step.timing.graceMs });
  }
  for (const board of [...step.state.boards.values()]) {
    if (board.agent === 'present') step.put('board', board.name, { ...board, agent: 'away' });
    restEndings(step, board.name);
  }
  if (step.state.settlingTickets === 0) openDoors(step);
}

/** Whoever was connected is waited for; graces begin anew; an unconfirmed grant stays with its ticket for now. */
function resettleTicket(step: Step, ticket: TicketRecord, settleUntil: number): void {
  const away = ticket.detached ? {} : { graceUntil: settleUntil + step.timing.graceMs };
  if (ticket.state === 'waiting' && !ticket.detached) {
    step.putTicket({ ...ticket, ...away, state: 'parked', settling: true });
  } else if (ticket.state === 'offered' && ticket.offer) {
    const offer = { ...ticket.offer, confirmBy: settleUntil + step.timing.confirmMs };
    step.putTicket({ ...ticket, ...away, offer, settling: true });
  } else step.putTicket({ ...ticket, ...away, settling: false });
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
  step.putMeta({ mode: 'draining' });
}
