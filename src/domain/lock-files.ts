// Lock files, by which clients of the old scripts lock boards beside ours (docs/decisions/lock-files.md). An offer is
// told only when its file is made; a file that is not ours is a lock of its owner, which ends when the file goes.
import type { CommandTypes } from './commands.ts';
import { freeOffer, waitOn } from './grants.ts';
import { beginEnding, endingLimit, removeLock } from './locks.ts';
import type { Offer } from './offer.ts';
import { mustGoOff } from './power.ts';
import type { FoundFile, LabDefinition, LockRecord, TicketRecord, Token } from './records.ts';
import { sameToken } from './records.ts';
import { endSlotsOf, offerSlotOf } from './slots.ts';
import type { State } from './state.ts';
import type { Step } from './step.ts';
import { grantedBy, offerEffect } from './ticket-parts.ts';

/** Who removed a lock file can't be told. */
const oldClient = 'an old client';

/** Whether the ticket's offer can't be told yet, for want of a lock file. */
export function isMaking(state: State, ticket: TicketRecord): boolean {
  return boardsInMaking(state, ticket).length > 0;
}

/** Those of its boards whose lock file is not made yet. */
export function boardsInMaking(state: State, ticket: TicketRecord): string[] {
  const { offer, kind } = ticket;
  if (!offer || kind === 'slot' || state.lab.lockFiles === undefined) return [];
  const boards = grantedBy(ticket, offer).map(({ board }) => board);
  return boards.filter((board) => state.locks.get(board)?.file === 'making');
}

export function lockFileMade(step: Step, body: CommandTypes['lockFileMade']['body']): undefined {
  const lock = step.state.locks.get(body.board);
  if (body.folder !== step.state.lab.lockFiles) return;
  if (!lock || lock.origin === 'file' || !sameToken(lock.token, body.token)) return;
  if (lock.file !== undefined && lock.file !== 'making') return;
  step.put('lock', lock.board, { ...lock, file: 'made' });
  // One that was granted before the lab had lock files is offered already.
  if (lock.state === 'granted' && lock.file === 'making') tellOffer(step, lock);
}

/** Once all of its files are made. */
function tellOffer(step: Step, lock: LockRecord): void {
  const { ticket, offer } = offered(step, lock);
  if (isMaking(step.state, ticket)) return;
  const confirmBy = Math.max(step.now, step.state.meta.settleUntil ?? 0) + step.timing.confirmMs;
  step.putTicket({ ...ticket, offer: { ...offer, confirmBy } });
  step.effects.push(offerEffect(ticket.id, offer));
}

/** Its lock files were not made in time. */
export function failMaking(step: Step, ticket: TicketRecord): void {
  for (const board of boardsInMaking(step.state, ticket)) noteFault(step, board, 'it was not made in time');
}

function offered(step: Step, lock: LockRecord): { ticket: TicketRecord; offer: Offer } {
  const ticket = step.state.tickets.get(lock.ticket);
  if (!ticket?.offer) throw new Error(`granted lock on ${lock.board} has no offered ticket`);
  return { ticket, offer: ticket.offer };
}

export function lockFileSeen(step: Step, body: CommandTypes['lockFileSeen']['body']): undefined {
  const { folder, board, token, found } = body;
  const { boards, lab, locks } = step.state;
  const lock = locks.get(board);
  if (folder !== lab.lockFiles || !boards.has(board) || !isAbout(lock, token)) return;
  // It is held under the name that it had: what there is now is told again when that lock is over.
  if (boards.get(board)?.succeeds) return;
  if (lock?.origin === 'file') seeOther(step, lock, found);
  else if (lock) seeOwn(step, lock, found);
  if (found && boards.has(board) && !locks.has(board)) takeByFile(step, board, found);
}

function isAbout(lock: LockRecord | undefined, token: Token | undefined): boolean {
  return lock && token ? sameToken(lock.token, token) : lock === token;
}

/** Of a lock of ours the file is another's, or gone. */
function seeOwn(step: Step, lock: LockRecord, found: FoundFile | undefined): void {
  if (lock.file !== 'made') {
    // Whoever made that file was quicker, or was there before the lab had lock files.
    if (!found) return;
    if (lock.state === 'granted') giveUp(step, lock);
    else if (lock.state === 'held') endOwn(step, lock, `the lock file of ${found.user} was there before`);
    return;
  }
  const gone: LockRecord = { ...lock, file: 'gone' };
  step.put('lock', lock.board, gone);
  const note = 'its lock file was removed';
  if (lock.state === 'held') endOwn(step, gone, note);
  if (lock.state !== 'granted') return;
  const { ticket, offer } = offered(step, lock);
  step.audit.push({ ...auditOf(lock), event: 'forced', by: oldClient, detail: note });
  freeOffer(step, ticket, offer);
  step.endTicket(ticket, { kind: 'withdrawn', by: oldClient, why: 'forced' });
}

function endOwn(step: Step, lock: LockRecord, note: string): void {
  beginEnding(step, lock, { reason: 'forced', by: oldClient, note });
}

/** The grant was none: its ticket waits on at its place. */
function giveUp(step: Step, lock: LockRecord): void {
  const { ticket, offer } = offered(step, lock);
  waitOn(step, ticket);
  freeOffer(step, ticket, offer);
  step.audit.push({ ...auditOf(lock), event: 'taken-back', by: 'system', ticket: ticket.id });
  step.effects.push({ kind: 'ticket-waiting', ticket: ticket.id });
}

function seeOther(step: Step, lock: LockRecord, found: FoundFile | undefined): void {
  if (lock.file === 'gone') return;
  if (found && found.id === lock.fileId) return refresh(step, lock, found);
  const gone: LockRecord = { ...lock, file: 'gone' };
  step.put('lock', lock.board, gone);
  if (lock.state === 'held')
    beginEnding(step, gone, { reason: 'released', by: lock.user, note: 'its lock file was removed' });
  else if (lock.file === 'leaving') finishLeaving(step, gone);
}

/** The configuration may have changed meanwhile, so that the board is not left on any more. */
function finishLeaving(step: Step, lock: LockRecord): void {
  const board = step.state.boards.get(lock.board);
  if (!lock.ending || board?.health.state === 'broken' || !mustGoOff(step, lock))
    return removeLock(step, lock);
  step.put('lock', lock.board, { ...lock, ending: { ...lock.ending, ...endingLimit(step, board) } });
  step.effects.push({ kind: 'power-off', board: lock.board, token: lock.lastToken });
}

/** An old client writes its key and its time-out only when it has the lock. */
function refresh(step: Step, lock: LockRecord, found: FoundFile): void {
  if (lock.state !== 'held') return;
  const isBusy = lock.job !== undefined || lock.slotTicket !== undefined;
  const { user, key } = isBusy ? lock : found;
  const isOther = user !== lock.user || key !== lock.key;
  if (!isOther && found.sinceWallAt === lock.heldWallAt && found.holdSeconds === lock.holdSeconds) return;
  if (isOther) endSlotsOf(step, lock, { by: lock.user });
  const { endsAt: _at, endsWallAt: _wall, ...rest } = lock;
  step.put('lock', lock.board, { ...rest, ...timesOf(step, found), user, key, set: user });
  if (isOther) offerSlotOf(step, lock.board);
}

function takeByFile(step: Step, board: string, found: FoundFile): void {
  const token = step.drawToken();
  const lock: LockRecord = {
    board,
    token,
    lastToken: token,
    user: found.user,
    key: found.key,
    set: found.user,
    state: 'held',
    kind: 'lock',
    ticket: 0,
    ...timesOf(step, found),
    ...(step.state.boards.get(board)?.mayBeOn ? { foundOn: true } : {}),
    origin: 'file',
    fileId: found.id,
    file: 'there',
    note: '',
  };
  step.put('lock', board, lock);
  step.audit.push({ ...auditOf(lock), event: 'locked-by-file', by: found.user });
  offerSlotOf(step, board);
}

function timesOf(step: Step, { sinceWallAt, holdSeconds }: FoundFile) {
  const endsWallAt = sinceWallAt + holdSeconds * 1000;
  return {
    grantedWallAt: sinceWallAt,
    heldWallAt: sinceWallAt,
    holdSeconds,
    overdue: false,
    ...(holdSeconds > 0 ? { endsWallAt, endsAt: step.now + endsWallAt - step.wallAt } : {}),
  };
}

function auditOf(lock: LockRecord) {
  return { user: lock.user, key: lock.key, board: lock.board };
}

/** Boards whose lock files can't be made or read are given to nobody until they can. */
export function lockFileFault(step: Step, body: CommandTypes['lockFileFault']['body']): undefined {
  if (body.folder === step.state.lab.lockFiles)
    for (const name of body.boards) noteFault(step, name, body.why);
}

/** `why` undefined: it works again. */
function noteFault(step: Step, name: string, why: string | undefined): void {
  const board = step.state.boards.get(name);
  if (!board || board.fileFault?.why === why) return;
  const { fileFault: _fault, ...rest } = board;
  const fault = why === undefined ? {} : { fileFault: { why, sinceWallAt: step.wallAt } };
  step.put('board', name, { ...rest, ...fault });
  const event = why === undefined ? 'lock-file-works' : 'lock-file-fault';
  step.audit.push({ event, by: 'system', board: name, detail: why ?? '' });
  step.boardsToMatch.add(name);
  const lock = step.state.locks.get(name);
  if (why !== undefined && lock?.state === 'granted' && lock.file === 'making') giveUp(step, lock);
}

/** Lock files that a new configuration has elsewhere, or no more: what was said of the old ones is void. */
export function moveLockFiles(step: Step, before: LabDefinition): void {
  const { state } = step;
  if (before.lockFiles === undefined && state.lab.lockFiles === undefined) return;
  for (const board of [...state.boards.values()]) {
    const { fileFault, ...rest } = board;
    if (fileFault && isMoved(before, state.lab, board.name)) step.put('board', board.name, rest);
  }
  for (const board of [...state.locks.keys()]) {
    // A grant that is given up takes the others of its ticket with it.
    const lock = state.locks.get(board);
    if (lock && isMoved(before, state.lab, board)) moveLockFile(step, lock);
  }
}

function moveLockFile(step: Step, lock: LockRecord): void {
  if (lock.origin === 'file') return seeOther(step, lock, undefined);
  if (lock.file === undefined) return;
  // Another token, so that what is said of the old one is void.
  if (lock.file === 'making' && step.state.lab.lockFiles !== undefined) return giveUp(step, lock);
  const { file, ...rest } = lock;
  step.put('lock', lock.board, rest);
  if (file === 'making') tellOffer(step, rest);
}

/** A board that the lab no longer names keeps its file as long as the folder is the same. */
function isMoved(before: LabDefinition, after: LabDefinition, name: string): boolean {
  if (before.lockFiles !== after.lockFiles) return true;
  const [old, now] = [before, after].map(({ boards }) => boards.find((board) => board.name === name));
  return old !== undefined && now !== undefined && old.lockFile !== now.lockFile;
}
