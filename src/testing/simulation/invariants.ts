// What must always hold (see locking.md), worked out from the records alone and by brute force, so that it shares no
// shortcut with the scheduler. For the simulation and for tests: far too slow for a server. Pure.

import type { LockRecord, TicketRecord } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import { checkIndexes } from './index-checks.ts';
import { boardsFor, checkQueues, checkRecords, isUsable } from './record-checks.ts';
import { checkGathering } from './several-needs.ts';

/** Every breach as a sentence; empty where all is well. O(everything squared). */
export function checkInvariants(state: State): string[] {
  return [
    ...checkRecords(state),
    ...checkQueues(state),
    ...checkNobodyIdles(state),
    ...checkGathering(state),
    ...checkIndexes(state),
  ];
}

/**
 * No free usable board beside an eligible waiting ticket for it, and no idle lock beside a ticket that waits for its
 * job slot, unless the server drains or settles.
 */
export function checkNobodyIdles(state: State): string[] {
  if (state.meta.mode !== 'open') return [];
  const problems: string[] = [];
  const free = [...state.boards.values()].filter(
    (board) => isUsable(board) && !state.locks.has(board.name) && board.keptFor === undefined,
  );
  for (const ticket of state.tickets.values()) {
    if (ticket.state !== 'waiting' || ticket.parts) continue;
    const boards = boardsFor(state.lab, ticket);
    if (ticket.kind === 'slot') {
      const idle = boards.find((board) => isIdleFor(state.locks.get(board), ticket));
      if (idle !== undefined) problems.push(`ticket ${ticket.id} waits for a job slot while ${idle} is idle`);
      continue;
    }
    const board = free.find(({ name }) => boards.includes(name));
    if (board) problems.push(`ticket ${ticket.id} waits while ${board.name} is free`);
  }
  return problems;
}

/** Whether a job of this ticket may start under the lock now. */
export function isIdleFor(lock: LockRecord | undefined, ticket: TicketRecord): boolean {
  if (lock?.state !== 'held' || lock.kind !== 'lock' || lock.job !== undefined || lock.power) return false;
  return lock.slotTicket === undefined && lock.user === ticket.user && lock.key === ticket.key;
}
