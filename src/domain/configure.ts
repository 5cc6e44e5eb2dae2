// Loading a configuration. Boards come and go; tickets follow: those that no board can satisfy any more end
// refused, the others keep arrival and turn, in the queue of what their target means now.
import type { CommandTypes } from './commands.ts';
import { dropNames, forgetBoard, mustStay } from './leaving.ts';
import { raiseTurn } from './match.ts';
import type { BoardRecord, LabDefinition, TargetSpec, TicketRecord } from './records.ts';
import { turnKey } from './state.ts';
import type { Step } from './step.ts';
import { formatTarget } from './target.ts';
import { joinSet } from './tickets.ts';

export function configure(step: Step, body: CommandTypes['configure']['body']): { changed: boolean } {
  if (JSON.stringify(step.state.lab) === JSON.stringify(body.lab)) return { changed: false };
  const waiting = takeOut(step);
  addBoards(step, body.lab);
  dropBoards(step, body.lab);
  step.put('lab', '', body.lab);
  for (const [ticket, turn] of waiting) putBack(step, ticket, turn);
  raiseOffered(step);
  for (const queue of [...step.state.queues.keys()]) step.sweepQueue(queue, '');
  for (const board of step.state.boards.keys()) step.boardsToMatch.add(board);
  for (const set of step.state.allSets()) step.setsToReview.add(set.key);
  step.audit.push({ event: 'configured', by: body.by, detail: describe(body.lab) });
  return { changed: true };
}

/** Every ticket leaves its queue for the time being, with the turn it had reached by grants that were confirmed. */
function takeOut(step: Step): Map<TicketRecord, number> {
  const tickets = [...step.state.tickets.values()].sort((a, b) => a.id - b.id);
  for (const { queue, set, offer } of tickets.toSorted(byLatestGrant)) {
    const key = turnKey(queue, set);
    if (step.state.turns.get(key)?.number !== offer?.grantNumber || offer === undefined) continue;
    const { turnBefore } = offer;
    step.put('turn', key, turnBefore === undefined ? undefined : { queue, set, number: turnBefore });
  }
  const turns = tickets.map((ticket) => step.state.turnOf(ticket.queue, ticket.set, ticket.id));
  for (const ticket of tickets) {
    if (ticket.state === 'waiting') step.put('ticket', String(ticket.id), { ...ticket, state: 'parked' });
  }
  for (const key of [...step.state.turns.keys()]) step.put('turn', key, undefined);
  return new Map(tickets.map((ticket, at) => [ticket, turns[at] ?? 0]));
}

function putBack(step: Step, before: TicketRecord, turn: number): void {
  const ticket = { ...before, target: presentName(step, before) };
  const boards = step.state.labIndex.resolveTicket(ticket);
  const turnFloor = Math.max(ticket.turnFloor, turn);
  if (boards.boards.length === 0 && ticket.state !== 'offered') {
    const message = `The lab has no board for ${formatTarget(ticket.target)} any more.`;
    return step.endTicket(ticket, { kind: 'refused', why: { kind: 'no-board', message } });
  }
  const moved =
    ticket.kind === 'slot' ? { slotBoards: boards.boards } : { queue: queueFor(step, ticket, boards) };
  step.putTicket({ ...ticket, ...moved, turnFloor });
}

/** A board may have another name now, under which it is waited for. A job slot is that of a lock, which keeps its own. */
function presentName(step: Step, { kind, target }: TicketRecord): TargetSpec {
  const { labIndex } = step.state;
  if (kind === 'slot') return target;
  const present = (name: string): string => labIndex.findBoard(name)?.name ?? name;
  if (target.kind === 'board') return { kind: 'board', name: present(target.name) };
  if (target.kind !== 'boards') return target;
  return { kind: 'boards', names: [...new Set(target.names.map(present))] };
}

/** Grants that are not confirmed yet count in the queues in which their tickets are now. */
function raiseOffered(step: Step): void {
  const offered = [...step.state.tickets.values()].filter((ticket) => ticket.offer && ticket.kind !== 'slot');
  for (const ticket of offered.sort(byLatestGrant).reverse()) {
    if (!ticket.offer) continue;
    const { turnBefore: _before, ...offer } = ticket.offer;
    const { boards } = step.state.labIndex.resolve(ticket.target, ticket.needs);
    const before = boards.length > 0 ? raiseTurn(step, ticket, offer.grantNumber) : {};
    step.put('ticket', String(ticket.id), { ...ticket, offer: { ...offer, ...before } });
  }
}

function byLatestGrant(a: TicketRecord, b: TicketRecord): number {
  return (b.offer?.grantNumber ?? 0) - (a.offer?.grantNumber ?? 0);
}

/** An offered ticket whose target is gone keeps its old queue's name: it ends with its confirm or take-back. */
function queueFor(
  step: Step,
  ticket: TicketRecord,
  boards: { boards: readonly string[]; name: string },
): string {
  return boards.boards.length === 0 ? `b:${ticket.offer?.board ?? ''}` : joinSet(step, boards);
}

function addBoards(step: Step, lab: LabDefinition): void {
  const named = new Set(lab.boards.map((board) => board.name));
  for (const { name, aliases } of lab.boards) {
    const known = step.state.boards.get(name);
    if (known?.removed) {
      const { machine: _machine, ...rest } = known;
      step.put('board', name, { ...rest, removed: false });
    }
    if (known) continue;
    const succeeds = aliases.filter((alias) => step.state.boards.has(alias) && !named.has(alias));
    const renamed = succeeds.length > 0 ? { succeeds } : {};
    step.put('board', name, { ...newBoard(name, step.now), ...renamed });
  }
  for (const board of step.state.boards.values()) {
    // Names that are back are boards of their own again.
    const back = board.succeeds?.filter((name) => named.has(name)) ?? [];
    if (back.length > 0) step.put('board', board.name, dropNames(board, back));
  }
}

/** A removed board that is held drains first: it goes when its lock does; a broken one when somebody has looked. */
function dropBoards(step: Step, lab: LabDefinition): void {
  const kept = new Set(lab.boards.map((board) => board.name));
  const machines = new Map(step.state.lab.boards.map(({ name, machine }) => [name, machine]));
  for (const board of [...step.state.boards.values()]) {
    if (kept.has(board.name)) continue;
    if (!step.state.locks.has(board.name) && !mustStay(step, board)) {
      forgetBoard(step, board);
      continue;
    }
    const machine = board.machine ?? machines.get(board.name);
    const driven = machine === undefined ? {} : { machine };
    step.put('board', board.name, { ...board, ...driven, removed: true });
  }
}

function newBoard(name: string, now: number): BoardRecord {
  return {
    name,
    health: { state: 'good' },
    service: { state: 'in' },
    agent: 'away',
    mayBeOn: false,
    faults: 0,
    freeSince: now,
    removed: false,
  };
}

function describe(lab: LabDefinition): string {
  return `${lab.boards.length} boards, ${lab.pools.length} pools`;
}
