// What only shows over time: numbers and tokens that rise, tickets that end once, and the moves that each record may
// make. Follows committed changes one by one, before the mirror takes them in.
import type {
  BoardRecord,
  Change,
  JobRecord,
  LockRecord,
  MetaRecord,
  TicketRecord,
} from '../../domain/records.ts';
import { compareTokens, formatToken, sameToken } from '../../domain/records.ts';
import type { StepResult } from '../../domain/scheduler.ts';
import type { Mirror } from './mirror.ts';

/** From each state to those that may follow; `none` is no record. */
const ticketMoves: Record<string, string> = {
  none: 'waiting',
  waiting: 'waiting parked offered ended',
  parked: 'parked waiting ended',
  offered: 'offered parked waiting ended',
};
const lockMoves: Record<string, string> = {
  none: 'granted ending held',
  granted: 'granted held none',
  held: 'held ending none',
  ending: 'ending none',
};
const jobMoves: Record<string, string> = {
  none: 'starting',
  starting: 'starting running ending ended',
  running: 'running ending ended',
  ending: 'ending ended',
};

export class History {
  readonly #mirror: Mirror;
  readonly #ended = new Set<number>();
  /** Of tickets that ended, by how. */
  readonly outcomes = new Map<string, number>();

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  note(change: Change, { result, now }: { result: StepResult; now: number }): string[] {
    const { before, after } = change;
    switch (change.entity) {
      case 'meta':
        return noteMeta(before as MetaRecord | undefined, after as MetaRecord | undefined);
      case 'lock':
        return this.#noteLock(before as LockRecord | undefined, after as LockRecord | undefined, now);
      case 'ticket':
        return this.#noteTicket(before as TicketRecord | undefined, after as TicketRecord | undefined, now);
      case 'board':
        return noteBoard(before as BoardRecord | undefined, after as BoardRecord | undefined, result);
      case 'job':
        return this.#noteJob(before as JobRecord | undefined, after as JobRecord | undefined);
      default:
        return [];
    }
  }

  #noteTicket(before: TicketRecord | undefined, after: TicketRecord | undefined, now: number): string[] {
    if (!after) return ['a ticket was forgotten before it ended'];
    const problems = move(`ticket ${after.id}`, ticketMoves, before, after);
    problems.push(...this.#noteWaiting(before, after, now));
    if (this.#ended.has(after.id)) problems.push(`ticket ${after.id} has ended before`);
    if (before && before.id !== after.id) problems.push(`ticket ${before.id} became ${after.id}`);
    if (after.state !== 'ended') return problems;
    this.#ended.add(after.id);
    if (!after.outcome) return [...problems, `ticket ${after.id} ended without saying how`];
    const { kind } = after.outcome;
    this.outcomes.set(kind, (this.outcomes.get(kind) ?? 0) + 1);
    return problems;
  }

  /** Whoever let an offer run out is given nothing before a sign of life; whoever rests does so to the end. */
  #noteWaiting(before: TicketRecord | undefined, after: TicketRecord, now: number): string[] {
    const problems: string[] = [];
    const { offer } = before ?? {};
    const granted = offer?.all ?? (offer ? [offer] : []);
    const isMaking = granted.some(({ board }) => this.#mirror.get('lock', board)?.file === 'making');
    if (offer && offer.confirmBy <= now && !isMaking && after.state === 'waiting')
      if (!after.detached && after.kind !== 'slot')
        problems.push(`ticket ${after.id} waits on although its client let an offer run out`);
    const rest = before?.gather;
    if (rest?.state === 'resting' && after.gather?.state === 'gathering')
      problems.push(`ticket ${after.id} gathers again before it has rested`);
    return problems;
  }

  #noteLock(before: LockRecord | undefined, after: LockRecord | undefined, now: number): string[] {
    const board = (after ?? before)?.board;
    const about = `the lock on ${board}`;
    const problems = move(about, lockMoves, before, after);
    if (!before && after?.state === 'held' && after.origin !== 'file')
      problems.push(`${about} was born held`);
    if (!before && after?.state === 'ending' && after.ticket !== 0) problems.push(`${about} was born ending`);
    const isNew = after && !(before && sameToken(before.token, after.token));
    if (isNew && !this.#isFresh(after.token)) problems.push(`${about} has no new token`);
    if (before && after && compareTokens(after.lastToken, before.lastToken) < 0)
      problems.push(`the tokens of ${about} fall to ${formatToken(after.lastToken)}`);
    if (!before && after?.foundOn && after.origin !== 'file' && !this.#isLeft(after.board))
      problems.push(`${about} was granted on a board that is not left on`);
    if (before?.state === 'granted' && after?.state === 'held') problems.push(...this.#judgeHold(after, now));
    return problems;
  }

  /** The hold counts from the confirm, and is no longer than the lab's longest. */
  #judgeHold(lock: LockRecord, now: number): string[] {
    const { boards } = this.#mirror.get('lab', '') ?? { boards: [] };
    const most = boards.find(({ name }) => name === lock.board)?.holdMaxSeconds ?? Number.POSITIVE_INFINITY;
    const seconds = Math.min(lock.holdSeconds || Number.POSITIVE_INFINITY, most);
    const endsAt = Number.isFinite(seconds) ? now + seconds * 1000 : undefined;
    if (lock.endsAt === endsAt) return [];
    return [`the hold of the lock on ${lock.board} ends at ${lock.endsAt}, not at ${endsAt}`];
  }

  #isLeft(board: string): boolean {
    const { boards } = this.#mirror.get('lab', '') ?? { boards: [] };
    return boards.some(({ name, betweenHolders }) => name === board && betweenHolders === 'leave');
  }

  #noteJob(before: JobRecord | undefined, after: JobRecord | undefined): string[] {
    if (!after) return ['a job was forgotten before it ended'];
    const problems = move(`job ${after.id}`, jobMoves, before, after);
    if (before && !sameToken(before.token, after.token)) problems.push(`job ${after.id} changed its token`);
    const lock = this.#mirror.get('lock', after.board);
    if (!before && lock && compareTokens(after.token, lock.lastToken) <= 0)
      problems.push(`job ${after.id} has no higher token than the board has seen`);
    return problems;
  }

  #isFresh(token: { generation: number; number: number }): boolean {
    const drawn = this.#mirror.get('meta', '')?.token;
    return drawn !== undefined && sameToken(drawn, token);
  }
}

/** A board comes back into service when somebody says so, or when its time out of it is over: both are in the audit. */
function noteBoard(
  before: BoardRecord | undefined,
  after: BoardRecord | undefined,
  result: StepResult,
): string[] {
  if (!before || !after || before.service.state === 'in' || after.service.state !== 'in') return [];
  const isTold = result.audit.some(({ event, board }) => event === 'resume' && board === after.name);
  return isTold ? [] : [`${after.name} came back into service by itself`];
}

function noteMeta(before: MetaRecord | undefined, after: MetaRecord | undefined): string[] {
  if (!after) return ['the numbers of the lab were forgotten'];
  if (!before) return [];
  const problems: string[] = [];
  if (after.sequence < before.sequence) problems.push(`the sequence fell to ${after.sequence}`);
  if (compareTokens(after.token, before.token) < 0)
    problems.push(`the token fell to ${formatToken(after.token)}`);
  return problems;
}

function move(
  about: string,
  moves: Record<string, string>,
  before: { readonly state: string } | undefined,
  after: { readonly state: string } | undefined,
): string[] {
  const from = before?.state ?? 'none';
  const to = after?.state ?? 'none';
  const may = moves[from]?.split(' ').includes(to) ?? false;
  return may ? [] : [`${about} went from ${from} to ${to}`];
}
