// What only shows over time: numbers and tokens that rise, tickets that end once, and the moves that each record may
// make. Follows committed changes one by one, before the mirror takes them in.
import type {
  BoardRecord,
  Change,
  JobRecord,
  LockRecord,
  MetaRecord,
  TicketRecord,
  Token,
} from '../../domain/records.ts';
import { compareTokens, formatToken, sameToken } from '../../domain/records.ts';
import type { StepResult } from '../../domain/scheduler.ts';
import type { Mirror } from './mirror.ts';

/** From each state to those that may follow; `none` is no record. */
const ticketMoves = readMoves({
  none: 'waiting',
  waiting: 'waiting parked offered ended',
  parked: 'parked waiting ended',
  offered: 'offered parked waiting ended',
});
const lockMoves = readMoves({
  none: 'granted ending held',
  granted: 'granted held none',
  held: 'held ending none',
  ending: 'ending none',
});
const jobMoves = readMoves({
  none: 'starting',
  starting: 'starting running ending ended',
  running: 'running ending ended',
  ending: 'ending ended',
});

export class History {
  readonly #mirror: Mirror;
  readonly #ended = new Set<number>();
  /** The last token that was given to anything. */
  #highest: Token = { generation: 0, number: 0 };
  readonly #slotTokens = new Map<number, Token>();
  /** Of tickets that ended, by how. */
  readonly outcomes = new Map<string, number>();

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  note(change: Change, result: StepResult, now: number, problems: string[]): void {
    const { before, after } = change;
    switch (change.entity) {
      case 'meta':
        return noteMeta(before as MetaRecord | undefined, after as MetaRecord | undefined, problems);
      case 'lock':
        return this.#noteLock(
          before as LockRecord | undefined,
          after as LockRecord | undefined,
          now,
          problems,
        );
      case 'ticket':
        return this.#noteTicket(
          before as TicketRecord | undefined,
          after as TicketRecord | undefined,
          now,
          problems,
        );
      case 'board':
        return noteBoard(
          before as BoardRecord | undefined,
          after as BoardRecord | undefined,
          result,
          problems,
        );
      case 'job':
        return this.#noteJob(before as JobRecord | undefined, after as JobRecord | undefined, problems);
    }
  }

  #noteTicket(
    before: TicketRecord | undefined,
    after: TicketRecord | undefined,
    now: number,
    problems: string[],
  ): void {
    if (!after) return void problems.push('a ticket was forgotten before it ended');
    if (!mayMove(ticketMoves, before, after)) problems.push(`ticket ${after.id} ${moved(before, after)}`);
    this.#noteWaiting(before, after, now, problems);
    if (this.#ended.has(after.id)) problems.push(`ticket ${after.id} has ended before`);
    if (before && before.id !== after.id) problems.push(`ticket ${before.id} became ${after.id}`);
    if (after.kind === 'slot' && after.offer && !before?.offer) {
      this.#noteToken(after.offer.token, problems);
      this.#slotTokens.set(after.id, after.offer.token);
    }
    if (after.state !== 'ended') return;
    this.#ended.add(after.id);
    if (!after.outcome) return void problems.push(`ticket ${after.id} ended without saying how`);
    const { kind } = after.outcome;
    this.outcomes.set(kind, (this.outcomes.get(kind) ?? 0) + 1);
  }

  /** Whoever let an offer run out is given nothing before a sign of life; whoever rests does so to the end. */
  #noteWaiting(before: TicketRecord | undefined, after: TicketRecord, now: number, problems: string[]): void {
    const { offer } = before ?? {};
    if (offer && offer.confirmBy <= now && after.state === 'waiting') {
      const isMaking = (offer.all ?? [offer]).some(
        ({ board }) => this.#mirror.locks.get(board)?.file === 'making',
      );
      if (!isMaking && !after.detached && after.kind !== 'slot')
        problems.push(`ticket ${after.id} waits on although its client let an offer run out`);
    }
    if (before?.gather?.state === 'resting' && after.gather?.state === 'gathering')
      problems.push(`ticket ${after.id} gathers again before it has rested`);
  }

  #noteLock(
    before: LockRecord | undefined,
    after: LockRecord | undefined,
    now: number,
    problems: string[],
  ): void {
    const fail = (what: string): void => {
      problems.push(`the lock on ${(after ?? before)?.board} ${what}`);
    };
    if (!mayMove(lockMoves, before, after)) fail(moved(before, after));
    if (!before && after?.state === 'held' && after.origin !== 'file') fail('was born held');
    if (!before && after?.state === 'ending' && after.ticket !== 0) fail('was born ending');
    const isNew = after && !(before && sameToken(before.token, after.token));
    if (isNew && !sameToken(this.#mirror.meta.token, after.token)) fail('has no new token');
    if (isNew) this.#noteToken(after.token, problems);
    if (before && after && compareTokens(after.lastToken, before.lastToken) < 0)
      problems.push(`the tokens of the lock on ${after.board} fall to ${formatToken(after.lastToken)}`);
    if (!before && after?.foundOn && after.origin !== 'file' && !this.#isLeft(after.board))
      fail('was granted on a board that is not left on');
    if (before?.state === 'granted' && after?.state === 'held') this.#judgeHold(after, now, problems);
  }

  /** Every token that is given to something is above all that were given before: it names this one thing. */
  #noteToken(token: Token, problems: string[]): void {
    if (compareTokens(token, this.#highest) <= 0)
      problems.push(`the token ${formatToken(token)} is not above ${formatToken(this.#highest)}`);
    else this.#highest = token;
  }

  /** The hold counts from the confirm, and is no longer than the lab's longest. */
  #judgeHold(lock: LockRecord, now: number, problems: string[]): void {
    const { boards } = this.#mirror.lab;
    const most = boards.find(({ name }) => name === lock.board)?.holdMaxSeconds ?? Number.POSITIVE_INFINITY;
    const seconds = Math.min(lock.holdSeconds || Number.POSITIVE_INFINITY, most);
    const endsAt = Number.isFinite(seconds) ? now + seconds * 1000 : undefined;
    if (lock.endsAt !== endsAt)
      problems.push(`the hold of the lock on ${lock.board} ends at ${lock.endsAt}, not at ${endsAt}`);
  }

  #isLeft(board: string): boolean {
    const { boards } = this.#mirror.lab;
    return boards.some(({ name, betweenHolders }) => name === board && betweenHolders === 'leave');
  }

  #noteJob(before: JobRecord | undefined, after: JobRecord | undefined, problems: string[]): void {
    if (!after) return void problems.push('a job was forgotten before it ended');
    if (!mayMove(jobMoves, before, after)) problems.push(`job ${after.id} ${moved(before, after)}`);
    if (before && !sameToken(before.token, after.token)) problems.push(`job ${after.id} changed its token`);
    if (before) return;
    const lock = this.#mirror.locks.get(after.board);
    if (lock && compareTokens(after.token, lock.lastToken) <= 0)
      problems.push(`job ${after.id} has no higher token than the board has seen`);
    // Under a lock of its own it has the token that its slot was offered under.
    const offered = this.#slotTokens.get(after.id);
    this.#slotTokens.delete(after.id);
    if (!offered || !sameToken(offered, after.token)) this.#noteToken(after.token, problems);
  }
}

/** A board comes back into service when somebody says so, or when its time out of it is over: both are in the audit. */
function noteBoard(
  before: BoardRecord | undefined,
  after: BoardRecord | undefined,
  result: StepResult,
  problems: string[],
): void {
  if (!before || !after || before.service.state === 'in' || after.service.state !== 'in') return;
  const isTold = result.audit.some(({ event, board }) => event === 'resume' && board === after.name);
  if (!isTold) problems.push(`${after.name} came back into service by itself`);
}

function noteMeta(before: MetaRecord | undefined, after: MetaRecord | undefined, problems: string[]): void {
  if (!after) return void problems.push('the numbers of the lab were forgotten');
  if (!before) return;
  if (after.sequence < before.sequence) problems.push(`the sequence fell to ${after.sequence}`);
  if (compareTokens(after.token, before.token) < 0)
    problems.push(`the token fell to ${formatToken(after.token)}`);
}

type Moves = ReadonlyMap<string, ReadonlySet<string>>;
type Stated = { readonly state: string } | undefined;

function readMoves(moves: Readonly<Record<string, string>>): Moves {
  return new Map(Object.entries(moves).map(([from, to]) => [from, new Set(to.split(' '))]));
}

function mayMove(moves: Moves, before: Stated, after: Stated): boolean {
  return moves.get(before?.state ?? 'none')?.has(after?.state ?? 'none') ?? false;
}

function moved(before: Stated, after: Stated): string {
  return `went from ${before?.state ?? 'none'} to ${after?.state ?? 'none'}`;
}
