// The job slot of a lock, for `run -n`: tickets that wait for an idle lock of their own user and key.

import { waitOn } from './grants.ts';
import type { LockRecord, TicketRecord } from './records.ts';
import { holderKey } from './state.ts';
import type { Step } from './step.ts';

/** Offers the ticket the first idle member, in listed order, that its user holds with its key. */
export function offerIdleSlot(step: Step, ticket: TicketRecord): void {
  const held = step.state.heldBy.get(holderKey(ticket.user, ticket.key));
  if (!held) return;
  const board = ticket.slotBoards?.find((name) => held.has(name) && isIdle(step.state.locks.get(name)));
  const lock = board === undefined ? undefined : step.state.locks.get(board);
  if (lock) offerSlot(step, ticket, lock);
}

/** A lock became idle: the longest-waiting slot ticket that it suits gets its slot. */
export function offerSlotOf(step: Step, board: string): void {
  const lock = step.state.locks.get(board);
  if (!isIdle(lock) || step.state.meta.mode !== 'open') return;
  const waiting = step.state.slotTickets.get(holderKey(lock.user, lock.key));
  for (const id of waiting?.sorted() ?? []) {
    const ticket = step.state.tickets.get(Number(id));
    if (ticket?.slotBoards?.includes(board)) return offerSlot(step, ticket, lock);
  }
}

/** Frees a slot that was offered and not taken, and offers it on. */
export function unofferSlot(step: Step, lock: LockRecord, ticket: number): void {
  if (lock.slotTicket !== ticket) return;
  const { slotTicket: _slot, ...rest } = lock;
  step.put('lock', lock.board, rest);
  offerSlotOf(step, lock.board);
}

/**
 * The lock is ending or changes hands. Tickets that named this very board are refused; one that would take any
 * of a pool waits on.
 */
export function endSlotsOf(step: Step, lock: LockRecord, why: { by: string }): void {
  const offered = lock.slotTicket === undefined ? undefined : step.state.tickets.get(lock.slotTicket);
  if (lock.slotTicket !== undefined) {
    const { slotTicket: _slot, ...rest } = lock;
    step.put('lock', lock.board, rest);
  }
  if (offered?.offer) {
    if (offered.target.kind === 'board') refuse(step, offered, lock.board);
    else {
      waitOn(step, offered);
      step.effects.push({ kind: 'ticket-waiting', ticket: offered.id });
    }
  }
  // Only those of the holder can wait for it; in order of arrival.
  const slots = step.state.slotsByHolder.get(holderKey(lock.user, lock.key)) ?? [];
  for (const id of [...slots].sort((a, b) => a - b)) {
    const ticket = step.state.tickets.get(id);
    if (ticket?.target.kind === 'board' && ticket.target.name === lock.board)
      refuse(step, ticket, lock.board);
  }
  if (offered) step.audit.push({ event: 'slot-lost', by: why.by, board: lock.board, ticket: offered.id });
}

/** Whether a job may start under this lock now. */
export function isIdle(lock: LockRecord | undefined): lock is LockRecord {
  return (
    lock?.state === 'held' &&
    lock.kind === 'lock' &&
    lock.job === undefined &&
    lock.power === undefined &&
    lock.slotTicket === undefined
  );
}

function offerSlot(step: Step, ticket: TicketRecord, lock: LockRecord): void {
  const token = step.drawToken();
  step.put('lock', lock.board, { ...lock, slotTicket: ticket.id });
  const offer = { board: lock.board, token, confirmBy: step.now + step.timing.confirmMs, grantNumber: 0 };
  step.putTicket({ ...ticket, state: 'offered', offer });
  step.effects.push({ kind: 'offer', ticket: ticket.id, board: lock.board, token });
}

function refuse(step: Step, ticket: TicketRecord, board: string): void {
  step.endTicket(ticket, { kind: 'refused', why: { kind: 'lock-ended', board } });
}
