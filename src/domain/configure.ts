// Loading a configuration. Boards come and go; tickets follow: those that no board can satisfy any more end
// refused, the others keep arrival and turn, in the queue of what their target means now.
import type { CommandTypes } from './commands.ts';
import { raiseTurn } from './grants.ts';
import { dropNames, forgetBoard, mustStay } from './leaving.ts';
import { moveLockFiles } from './lock-files.ts';
import type { Granted, TicketPart } from './offer.ts';
import type { BoardRecord, LabDefinition, SingleTarget, TargetSpec, TicketRecord } from './records.ts';
import { canEverHave, letAllGo } from './several.ts';
import { turnKey } from './state.ts';
import type { Step } from './step.ts';
import { formatTarget, type ResolvedTarget } from './target.ts';
import { grantedBy, wantedQueues } from './ticket-parts.ts';
import { joinSet } from './tickets.ts';

export function configure(step: Step, body: CommandTypes['configure']['body']): { changed: boolean } {
  if (JSON.stringify(step.state.lab) === JSON.stringify(body.lab)) return { changed: false };
  letAllGo(step);
  const waiting = takeOut(step);
  addBoards(step, body.lab);
  const before = step.state.lab;
  dropBoards(step, body.lab);
  step.put('lab', '', body.lab);
  for (const [ticket, turns] of waiting) putBack(step, ticket, turns);
  raiseOffered(step);
  moveLockFiles(step, before);
  for (const queue of [...step.state.queues.keys()]) step.sweepQueue(queue, '');
  for (const board of step.state.boards.keys()) step.boardsToMatch.add(board);
  for (const set of step.state.allSets()) step.setsToReview.add(set.key);
  step.audit.push({ event: 'configured', by: body.by, detail: describe(body.lab) });
  return { changed: true };
}

/** Every ticket leaves its queues for the time being, with the turns it had reached by grants that were confirmed. */
function takeOut(step: Step): Map<TicketRecord, readonly number[]> {
  const tickets = [...step.state.tickets.values()].sort((a, b) => a.id - b.id);
  for (const ticket of tickets.toSorted(byLatestGrant)) {
    for (const granted of ticket.offer ? grantedBy(ticket, ticket.offer).toReversed() : []) {
      const { queue, grantNumber, turnBefore } = granted;
      const key = turnKey(queue, ticket.set);
      if (step.state.turns.get(key)?.number !== grantNumber) continue;
      const before = turnBefore === undefined ? undefined : { queue, set: ticket.set, number: turnBefore };
      step.put('turn', key, before);
    }
  }
  const turns = tickets.map((ticket) => {
    const queues = ticket.parts ? ticket.parts.map((part) => part.queue) : [ticket.queue];
    return queues.map((queue) => step.state.turnOf(queue, ticket.set, ticket.id));
  });
  for (const ticket of tickets) {
    if (ticket.state === 'waiting') step.put('ticket', String(ticket.id), { ...ticket, state: 'parked' });
  }
  for (const key of [...step.state.turns.keys()]) step.put('turn', key, undefined);
  return new Map(tickets.map((ticket, at) => [ticket, turns[at] ?? []]));
}

function putBack(step: Step, before: TicketRecord, turns: readonly number[]): void {
  const ticket = withPresentNames(step, before);
  if (ticket.state !== 'offered' && !canEverHave(step.state, ticket)) {
    const message = `The lab has no board for ${formatTarget(ticket.target)} any more.`;
    return step.endTicket(ticket, { kind: 'refused', why: { kind: 'no-board', message } });
  }
  step.putTicket({ ...ticket, ...moved(step, ticket, turns) });
}

function moved(step: Step, ticket: TicketRecord, turns: readonly number[]): Partial<TicketRecord> {
  if (ticket.parts) {
    let granted = 0;
    const parts = ticket.parts.map((part, at) => {
      const boards = step.state.labIndex.resolve(part.target, ticket.needs);
      const queue = queueFor(step, boards, ticket.offer?.all?.[granted]?.board);
      granted += part.count;
      return { ...part, queue, turnFloor: Math.max(part.turnFloor, turns[at] ?? 0) };
    });
    return { parts };
  }
  const boards = step.state.labIndex.resolveTicket(ticket);
  const turnFloor = Math.max(ticket.turnFloor, turns[0] ?? 0);
  if (ticket.kind === 'slot') return { slotBoards: boards.boards, turnFloor };
  return { queue: queueFor(step, boards, ticket.offer?.board), turnFloor };
}

/** A board may have another name now, under which it is waited for. A job slot is that of a lock, which keeps its own. */
function withPresentNames(step: Step, ticket: TicketRecord): TicketRecord {
  if (ticket.kind === 'slot') return ticket;
  if (ticket.target.kind !== 'several' || !ticket.parts)
    return { ...ticket, target: presentTarget(step, ticket.target) };
  const present = <N extends { readonly target: SingleTarget }>(need: N): N => ({
    ...need,
    target: presentTarget(step, need.target),
  });
  const parts: readonly TicketPart[] = ticket.parts.map(present);
  return { ...ticket, target: { kind: 'several', needs: ticket.target.needs.map(present) }, parts };
}

function presentTarget<T extends TargetSpec>(step: Step, target: T): T {
  const { labIndex } = step.state;
  const present = (name: string): string => labIndex.findBoard(name)?.name ?? name;
  if (target.kind === 'board') return { ...target, name: present(target.name) };
  if (target.kind !== 'boards') return target;
  return { ...target, names: [...new Set(target.names.map(present))] };
}

/** Grants that are not confirmed yet count in the queues in which their tickets are now. */
function raiseOffered(step: Step): void {
  const offered = [...step.state.tickets.values()].filter((ticket) => ticket.offer && ticket.kind !== 'slot');
  for (const ticket of offered.sort(byLatestGrant).reverse()) {
    if (!ticket.offer) continue;
    const { turnBefore: _before, all: _all, ...offer } = ticket.offer;
    const queues = ticket.parts ? wantedQueues(ticket) : [ticket.queue];
    const all = grantedBy(ticket, ticket.offer).map((granted, at): Granted => {
      const { board, token, grantNumber } = granted;
      const queue = queues[at] ?? '';
      const raised = raiseTurn(step, ticket, { queue, number: grantNumber });
      return { board, token, grantNumber, queue, ...raised };
    });
    const before = all[0]?.turnBefore;
    const counted = ticket.parts ? { all } : before === undefined ? {} : { turnBefore: before };
    step.put('ticket', String(ticket.id), { ...ticket, offer: { ...offer, ...counted } });
  }
}

function byLatestGrant(a: TicketRecord, b: TicketRecord): number {
  return (b.offer?.grantNumber ?? 0) - (a.offer?.grantNumber ?? 0);
}

/** An offered ticket whose target is gone is in its board's queue: it ends with its confirm or take-back. */
function queueFor(step: Step, boards: ResolvedTarget, offered: string | undefined): string {
  return boards.boards.length === 0 ? `b:${offered ?? ''}` : joinSet(step, boards);
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
