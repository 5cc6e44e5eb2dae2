// What a grant writes, and what taking it back undoes: the lock, the turn of its set, the ticket's offer.
import { removeLock } from './locks.ts';
import type { Granted, Offer } from './offer.ts';
import type { TicketRecord } from './records.ts';
import { canEverHave } from './several.ts';
import { unofferSlot } from './slots.ts';
import { turnKey } from './state.ts';
import type { Step } from './step.ts';
import { formatTarget } from './target.ts';
import { grantedBy, offerEffect, queuesOf } from './ticket-parts.ts';

/** Locks a free board for the ticket, and counts it in the queue. The caller makes the offer of it. */
export function grantBoard(
  step: Step,
  ticket: TicketRecord,
  { board, queue }: { board: string; queue: string },
): Granted {
  const token = step.drawToken();
  const grantNumber = step.drawNumber();
  step.put('lock', board, {
    board,
    token,
    lastToken: token,
    user: ticket.user,
    key: ticket.key,
    set: ticket.set,
    state: 'granted',
    kind: ticket.kind === 'run' ? 'run' : 'lock',
    ticket: ticket.id,
    grantedWallAt: step.wallAt,
    holdSeconds: ticket.holdSeconds,
    overdue: false,
    ...(step.state.boards.get(board)?.mayBeOn ? { foundOn: true } : {}),
    ...(step.state.lab.lockFiles === undefined ? {} : { file: 'making' as const }),
    note: ticket.note,
  });
  step.audit.push({
    event: 'granted',
    by: 'system',
    user: ticket.user,
    key: ticket.key,
    board,
    ticket: ticket.id,
  });
  return { board, token, queue, grantNumber, ...raiseTurn(step, ticket, { queue, number: grantNumber }) };
}

/** Offers what was granted: at once, or in a lab with lock files when those are made. */
export function makeOffer(step: Step, ticket: TicketRecord, granted: Omit<Offer, 'confirmBy'>): void {
  const isMaking = step.state.lab.lockFiles !== undefined;
  const confirmBy = step.now + (isMaking ? step.timing.lockFileMs : step.timing.confirmMs);
  step.putTicket({ ...ticket, state: 'offered', offer: { ...granted, confirmBy } });
  if (!isMaking) step.effects.push(offerEffect(ticket.id, granted));
}

/** Only a set that has other tickets in the queue needs its turn kept: later arrivals are larger anyway. */
export function raiseTurn(
  step: Step,
  { set }: TicketRecord,
  { queue, number }: { queue: string; number: number },
): { turnBefore?: number } {
  if (step.state.lab.discipline === 'fifo') return {};
  const key = turnKey(queue, set);
  if ((step.state.ticketsInTurn.get(key) ?? 0) < 2) return {};
  const before = step.state.turns.get(key)?.number;
  step.put('turn', key, { queue, set, number });
  return before === undefined ? {} : { turnBefore: before };
}

/**
 * Takes an unconfirmed grant back. The ticket is parked: its client gave no sign of life in time, and is given
 * nothing until it does. (Of a detached ticket the server is the client: it waits on.) A grant taken back is as if
 * it had not been: the set's turn is as before, unless another grant of the set has raised it since.
 */
export function takeBack(step: Step, ticket: TicketRecord): void {
  const { offer } = ticket;
  if (!offer) throw new Error(`ticket ${ticket.id} has no offer to take back`);
  const away = ticket.detached ? {} : { graceUntil: ticket.graceUntil ?? step.now + step.timing.graceMs };
  waitOn(step, { ...ticket, ...away });
  freeOffer(step, ticket, offer);
  step.audit.push({
    event: 'taken-back',
    by: 'system',
    user: ticket.user,
    board: offer.board,
    ticket: ticket.id,
  });
  step.effects.push({ kind: 'ping', ticket: ticket.id });
}

/** An offered ticket loses its offer and keeps its place: it waits, or is parked where its client is away. */
export function waitOn(step: Step, ticket: TicketRecord): void {
  const { offer: _offer, ...rest } = ticket;
  if (canEverHave(step.state, ticket))
    return step.putTicket({ ...rest, state: ticket.graceUntil === undefined ? 'waiting' : 'parked' });
  // The configuration has changed since the offer.
  const message = `The lab has no board for ${formatTarget(ticket.target)} any more.`;
  step.endTicket(ticket, { kind: 'refused', why: { kind: 'no-board', message } });
}

/** Frees what an offer holds: the granted boards or the reserved job slot. */
export function freeOffer(step: Step, ticket: TicketRecord, offer: Offer): void {
  if (ticket.kind === 'slot') {
    const lock = step.state.locks.get(offer.board);
    return lock && unofferSlot(step, lock, ticket.id);
  }
  // Last first: each may have built on the turn that the one before it made.
  const all = grantedBy(ticket, offer).toReversed();
  for (const granted of all) lowerTurn(step, ticket, granted);
  for (const { board } of all) {
    const lock = step.state.locks.get(board);
    if (lock) removeLock(step, lock);
  }
}

/** The set's turn without this grant. Another offer of the set may have built on it. */
function lowerTurn(step: Step, { user, set }: TicketRecord, granted: Granted): void {
  const { queue, grantNumber, turnBefore } = granted;
  const key = turnKey(queue, set);
  const turn = step.state.turns.get(key);
  if (turn?.number === grantNumber) {
    return step.put('turn', key, turnBefore === undefined ? undefined : { queue, set, number: turnBefore });
  }
  if (!turn || turn.number < grantNumber) return;
  for (const id of step.state.ticketsByUser.get(user) ?? []) {
    const other = step.state.tickets.get(id);
    if (!other?.offer || other.set !== set || !queuesOf(other).includes(queue)) continue;
    const built = grantedBy(other, other.offer).some(
      (one) => one.queue === queue && one.turnBefore === grantNumber,
    );
    if (built)
      step.put('ticket', String(id), { ...other, offer: rebuilt(other.offer, grantNumber, turnBefore) });
  }
}

/** The offer as if it had been made on another turn. Grant numbers are unique, so it is the one that is meant. */
function rebuilt(offer: Offer, from: number, to: number | undefined): Offer {
  const change = <G extends { readonly turnBefore?: number }>(one: G): G => {
    if (one.turnBefore !== from) return one;
    const { turnBefore: _before, ...rest } = one;
    return { ...rest, ...(to === undefined ? {} : { turnBefore: to }) } as G;
  };
  return offer.all ? { ...offer, all: offer.all.map(change) } : change(offer);
}
