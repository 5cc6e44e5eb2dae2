// What only shows over time: numbers and tokens that rise, tickets that end once, and the moves that each record may
// make. Follows committed changes one by one, before the mirror takes them in.
import type { Change, JobRecord, LockRecord, MetaRecord, TicketRecord } from '../../domain/records.ts';
import { compareTokens, formatToken, sameToken } from '../../domain/records.ts';
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

  note(change: Change): string[] {
    const { before, after } = change;
    switch (change.entity) {
      case 'meta':
        return noteMeta(before as MetaRecord | undefined, after as MetaRecord | undefined);
      case 'lock':
        return this.#noteLock(before as LockRecord | undefined, after as LockRecord | undefined);
      case 'ticket':
        return this.#noteTicket(before as TicketRecord | undefined, after as TicketRecord | undefined);
      case 'job':
        return this.#noteJob(before as JobRecord | undefined, after as JobRecord | undefined);
      default:
        return [];
    }
  }

  #noteTicket(before: TicketRecord | undefined, after: TicketRecord | undefined): string[] {
    if (!after) return ['a ticket was forgotten before it ended'];
    const problems = move(`ticket ${after.id}`, ticketMoves, before, after);
    if (this.#ended.has(after.id)) problems.push(`ticket ${after.id} has ended before`);
    if (before && before.id !== after.id) problems.push(`ticket ${before.id} became ${after.id}`);
    if (after.state !== 'ended') return problems;
    this.#ended.add(after.id);
    if (!after.outcome) return [...problems, `ticket ${after.id} ended without saying how`];
    const { kind } = after.outcome;
    this.outcomes.set(kind, (this.outcomes.get(kind) ?? 0) + 1);
    return problems;
  }

  #noteLock(before: LockRecord | undefined, after: LockRecord | undefined): string[] {
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
    return problems;
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
