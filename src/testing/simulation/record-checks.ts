// Rules that hold between records whatever happens: for invariants.ts. Pure.
import type {
  BoardDefinition,
  BoardRecord,
  JobRecord,
  LabDefinition,
  LockRecord,
  TicketRecord,
  Token,
} from '../../domain/records.ts';
import { compareTokens, formatToken, sameToken } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import type { Records } from './mirror.ts';

/** Every breach as a sentence. */
export function checkRecords(state: Records): string[] {
  const problems: string[] = [];
  for (const [board, lock] of state.locks) checkLock(state, board, lock, problems);
  for (const job of state.jobs.values()) checkJob(state, job, problems);
  for (const ticket of state.tickets.values()) checkTicket(state, ticket, problems);
  problems.push(...checkNumbers(state), ...checkLeftovers(state));
  for (const board of state.boards.values()) checkBoard(state, board, problems);
  return problems;
}

/** A board beside its lock, if it has one, and the boards whose names it took. */
export function checkBoard(state: Records, board: BoardRecord, problems: string[]): void {
  const lock = state.locks.get(board.name);
  if (board.removed && !lock && board.health.state !== 'broken')
    problems.push(`${board.name} was removed and has no lock, but is still there`);
  if (board.succeeds && lock) problems.push(`${board.name} has a lock, and is ${board.succeeds} still`);
  for (const name of board.succeeds ?? []) {
    if (!state.boards.get(name)?.removed)
      problems.push(`${board.name} waits for ${name}, which is not leaving`);
  }
  checkPower(state, board, lock, problems);
}

/** A board is off between holders, unless it is one that is left as it is; and on by its holder's doing only. */
function checkPower(
  state: Records,
  board: BoardRecord,
  lock: LockRecord | undefined,
  problems: string[],
): void {
  const { name, mayBeOn } = board;
  if (!mayBeOn) {
    if (lock?.switchedOn) problems.push(`${name} was switched on by its holder and counts as off`);
    return;
  }
  if (!lock) {
    const isLeft = state.lab.boards.some((one) => one.name === name && one.betweenHolders === 'leave');
    if (!isLeft && board.health.state !== 'broken' && !board.succeeds)
      problems.push(`${name} is free and may be on`);
    return;
  }
  if (lock.foundOn) return;
  if (lock.state === 'granted') problems.push(`${name} was granted while it may be on`);
  const isHolders = hadJob(lock) || lock.passedOn || lock.switchedOn;
  if (lock.state === 'held' && !isHolders)
    problems.push(`${name} may be on without a job or a switch of its holder`);
}

/** A lock beside its board, its ticket, its job and the ticket that it offers its slot to. */
export function checkLock(state: Records, board: string, lock: LockRecord, problems: string[]): void {
  const fail = (what: string): void => {
    problems.push(`the lock on ${board} ${what}`);
  };
  if (lock.board !== board) fail(`says it is on ${lock.board}`);
  if (!state.boards.has(board)) fail('is on no board');
  if ((lock.state === 'ending') !== (lock.ending !== undefined)) fail('is half ending');
  const ticket = state.tickets.get(lock.ticket);
  if ((lock.state === 'granted') !== isOfferedUnder(ticket, lock.token))
    fail(`is ${lock.state} and its ticket ${lock.ticket} is ${ticket?.state ?? 'over'}`);
  const ends = lock.state === 'ending' && lock.file !== 'leaving';
  checkLimit(state, board, ends, lock.ending?.limitAt, fail);
  checkFile(state, lock, fail);
  const job = lock.job === undefined ? undefined : state.jobs.get(lock.job);
  if (lock.job !== undefined) {
    if (job?.board !== board) fail('has a job that is not there');
    if (lock.state === 'granted') fail('has a job before it was confirmed');
  } else if (lock.state === 'held' && lock.kind === 'run') fail('outlives its run');
  checkSlot(state, lock, fail);
  const isUsed = (job && !job.consoleOnly) || lock.power !== undefined;
  if (lock.idleAt !== undefined && (isUsed || lock.state !== 'held')) fail('counts as idle while it is not');
  if (lock.idleMaxSeconds !== undefined && lock.state === 'held' && !isUsed && lock.idleAt === undefined)
    fail('is never idle');
  if (lock.power && lock.state === 'granted') fail('is used before it was confirmed');
}

type Fail = (what: string) => void;

function checkSlot(state: Records, lock: LockRecord, fail: Fail): void {
  if (lock.slotTicket === undefined) return;
  const slot = state.tickets.get(lock.slotTicket);
  if (slot?.kind !== 'slot' || slot.offer?.board !== lock.board) fail('offers its slot to nobody');
  if (lock.state !== 'held' || lock.job !== undefined) fail('offers a slot it has not');
  if (slot && (slot.user !== lock.user || slot.key !== lock.key)) fail('offers its slot to another');
}

/** Lock files are of labs that have them; one that is being made is nobody's yet, and one that leaves does so last. */
function checkFile(state: Records, lock: LockRecord, fail: Fail): void {
  const { file, fileId, origin } = lock;
  if (file === undefined && origin === undefined && fileId === undefined) return;
  if (file !== undefined && state.lab.lockFiles === undefined && origin === undefined)
    fail('has a lock file in a lab that has none');
  if ((origin === 'file') !== (fileId !== undefined)) fail('is half from a file');
  const own = ['making', 'made', 'gone', undefined];
  if (!(origin === 'file' ? ['there', 'leaving', 'gone'] : own).includes(file))
    fail(`has a lock file that is ${file}`);
  if (file === 'making' && lock.state !== 'granted') fail(`is ${lock.state} before its file is made`);
  if (file === 'making' && state.boards.get(lock.board)?.fileFault)
    fail('is being given where no lock file can be made');
  if (file === 'leaving' && (lock.state !== 'ending' || lock.job !== undefined))
    fail('lets its file go too early');
  if (file === 'gone' && lock.state !== 'ending') fail('outlives its file');
}

/** What ends has a limit, unless the board is broken already; it rests while nobody could act. */
function checkLimit(
  state: Records,
  name: string,
  isEnding: boolean,
  limitAt: number | undefined,
  fail: Fail,
): void {
  const board = state.boards.get(name);
  if (board?.agent === 'away') {
    if (limitAt !== undefined) fail("has a limit that can't be kept");
  } else if (isEnding && limitAt === undefined && board?.health.state !== 'broken') fail('may end for ever');
}

/** A job beside its lock. */
export function checkJob(state: Records, job: JobRecord, problems: string[]): void {
  const about = `job ${job.id}`;
  const lock = state.locks.get(job.board);
  if (lock?.job !== job.id) problems.push(`${about} runs on ${job.board} without its lock`);
  if (lock && !sameToken(lock.token, job.lockToken)) problems.push(`${about} outlives its lock`);
  if (lock && !sameToken(lock.lastToken, job.token))
    problems.push(`the lock on ${job.board} does not know the token of job ${job.id}`);
  const stops = job.state === 'ending' && lock?.state === 'held';
  checkLimit(state, job.board, stops, job.endingLimitAt, (what) => problems.push(`${about} ${what}`));
  if (job.state === 'ended') problems.push(`${about} has ended and is still live`);
  if (job.detached && job.graceUntil !== undefined) problems.push(`detached ${about} has a grace`);
  if (lock?.state === 'ending' && job.state !== 'ending')
    problems.push(`${about} is ${job.state} while its lock ends`);
}

/** A ticket beside the locks that it is offered. */
export function checkTicket(state: Records, ticket: TicketRecord, problems: string[]): void {
  const about = `ticket ${ticket.id}`;
  if (ticket.outcome || ticket.state === 'ended') problems.push(`${about} has ended and is still live`);
  if ((ticket.state === 'offered') !== (ticket.offer !== undefined))
    problems.push(`${about} is half offered`);
  if (ticket.state === 'parked' && ticket.graceUntil === undefined)
    problems.push(`${about} is parked for ever`);
  if (ticket.state === 'waiting' && ticket.graceUntil !== undefined)
    problems.push(`${about} waits while its client is away`);
  if (ticket.detached && ticket.graceUntil !== undefined) problems.push(`detached ${about} has a grace`);
  if (!ticket.offer) return;
  for (const { board } of ticket.offer.all ?? [ticket.offer]) {
    const lock = state.locks.get(board);
    const holds = ticket.kind === 'slot' ? lock?.slotTicket === ticket.id : lock?.ticket === ticket.id;
    if (!holds) problems.push(`${about} was offered ${board}, which is not kept for it`);
  }
}

/** Every ticket that waits is in the queue of the boards that would do for it. */
export function checkQueues(state: State): string[] {
  const problems: string[] = [];
  const isSame = (queued: readonly string[] | undefined, boards: readonly string[]): boolean =>
    [...(queued ?? [])].sort().join() === [...boards].sort().join();
  for (const ticket of state.tickets.values()) {
    if (ticket.offer) continue;
    if (ticket.parts) {
      for (const { target, queue } of ticket.parts) {
        if (!isSame(state.findSet(queue)?.boards, boardsFor(state.lab, { kind: 'lock', target })))
          problems.push(`a part of ticket ${ticket.id} is in another set's queue`);
      }
      continue;
    }
    const boards = boardsFor(state.lab, ticket);
    if (boards.length === 0) problems.push(`ticket ${ticket.id} waits for nothing that the lab has`);
    const queued = ticket.kind === 'slot' ? ticket.slotBoards : state.findSet(ticket.queue)?.boards;
    if (!isSame(queued, boards)) problems.push(`ticket ${ticket.id} is in another set's queue`);
  }
  return problems;
}

/** Whether the ticket is offered what has this token. */
function isOfferedUnder(ticket: TicketRecord | undefined, token: Token): boolean {
  const { offer } = ticket ?? {};
  if (!offer) return false;
  return offer.all ? offer.all.some((one) => sameToken(one.token, token)) : sameToken(offer.token, token);
}

function hadJob(lock: LockRecord): boolean {
  return !sameToken(lock.token, lock.lastToken);
}

/** Nothing bears a number that has not been drawn; tokens name one thing each. */
function checkNumbers(state: Records): string[] {
  const problems: string[] = [];
  const { token, sequence } = state.meta;
  const drawn: Token[] = [];
  for (const lock of state.locks.values()) {
    drawn.push(lock.token);
    if (hadJob(lock) && lock.job === undefined) drawn.push(lock.lastToken);
    if (compareTokens(lock.lastToken, lock.token) < 0)
      problems.push(`a job on ${lock.board} has no higher token than its lock`);
  }
  for (const job of state.jobs.values()) drawn.push(job.token);
  for (const ticket of state.tickets.values()) {
    if (ticket.kind === 'slot' && ticket.offer) drawn.push(ticket.offer.token);
    if (ticket.id > sequence) problems.push(`ticket ${ticket.id} has a number that was never drawn`);
  }
  for (const turn of state.turns.values())
    if (turn.number > sequence) problems.push(`a turn of ${turn.set} has a number that was never drawn`);
  const texts = drawn.map(formatToken);
  if (new Set(texts).size !== texts.length) problems.push(`a token names two things: ${texts.join(' ')}`);
  if (drawn.some((one) => compareTokens(one, token) > 0))
    problems.push('a token is above the last one drawn');
  return problems;
}

/** What only tickets keep alive goes with them. */
function checkLeftovers(state: Records): string[] {
  const problems: string[] = [];
  const tickets = [...state.tickets.values()];
  for (const turn of state.turns.values()) {
    if (!tickets.some((ticket) => isIn(ticket, turn.queue) && ticket.set === turn.set))
      problems.push(`the turn of ${turn.set} in ${turn.queue} is kept for nobody`);
  }
  for (const queue of state.queues.values()) {
    if (!tickets.some((ticket) => isIn(ticket, queue.id)))
      problems.push(`queue ${queue.id} is kept for nobody`);
  }
  return problems;
}

function isIn(ticket: TicketRecord, queue: string): boolean {
  return ticket.queue === queue || (ticket.parts ?? []).some((part) => part.queue === queue);
}

/** The boards that would do for a ticket, in its own listed order, straight from the definition of the lab. */
export function boardsFor(
  lab: LabDefinition,
  ticket: Pick<TicketRecord, 'target' | 'needs' | 'kind'>,
): string[] {
  const { target, needs, kind } = ticket;
  const definitions = definitionsOf(lab);
  // A job slot is that of a lock, which keeps the name under which it was given.
  const keepsNames = kind === 'slot' && target.kind === 'board';
  const today = (name: string): string =>
    (keepsNames || definitions.has(name)
      ? undefined
      : lab.boards.find((board) => board.aliases.includes(name))?.name) ?? name;
  const names = [...new Set(namesOf(lab, target).map(today))];
  return names.filter((name) => {
    const board = definitions.get(name);
    return board !== undefined && (needs === undefined || fits(board, needs));
  });
}

const knownDefinitions = new WeakMap<LabDefinition, ReadonlyMap<string, BoardDefinition>>();

function definitionsOf(lab: LabDefinition): ReadonlyMap<string, BoardDefinition> {
  let definitions = knownDefinitions.get(lab);
  if (!definitions) {
    definitions = new Map(lab.boards.map((board) => [board.name, board]));
    knownDefinitions.set(lab, definitions);
  }
  return definitions;
}

export function isUsable(board: BoardRecord): boolean {
  if (board.removed || board.succeeds || board.agent === 'away') return false;
  return board.service.state === 'in' && board.health.state !== 'broken' && !board.fileFault;
}

function namesOf(lab: LabDefinition, target: TicketRecord['target']): readonly string[] {
  switch (target.kind) {
    case 'board':
      return [target.name];
    case 'boards':
      return target.names;
    case 'pool':
      return lab.pools.find((pool) => pool.name === target.name)?.boards ?? [];
    case 'where': {
      const wanted = Object.entries(target.attributes);
      const matching = lab.boards.filter((board) =>
        wanted.every(([name, value]) => board.attributes[name] === value),
      );
      return matching.map((board) => board.name);
    }
    case 'several':
      return [...new Set(target.needs.flatMap((need) => namesOf(lab, need.target)))];
  }
}

function fits(board: BoardDefinition, needs: NonNullable<TicketRecord['needs']>): boolean {
  const { min, max } = needs.linux ? board.linuxFiles : board.files;
  const enough = needs.fileCount >= min && needs.fileCount <= max;
  return enough && (!needs.linux || board.takesLinux) && (!needs.dtb || board.takesDtb);
}
