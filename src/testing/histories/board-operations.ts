// The record of one board as operations that linearize.ts can order. What the server does by itself (taking back, reclaiming,
// ending with a job) are operations that may happen or not, from the moment on at which locking.md first allows them. Pure.

import { type Attempt, boardsOf, type Digest, type Sighting } from './attempts.ts';
import {
  type BoardState,
  changeHolder,
  confirm,
  endWithJob,
  extend,
  finishEnding,
  grant,
  isGone,
  isPast,
  isSeen,
  perhapsRelease,
  type ReleaseOutcome,
  reclaim,
  refused,
  release,
  type Step,
  takeBack,
  withdraw,
} from './board-state.ts';
import { type Call, tokenNumber, tokenText } from './history.ts';
import type { Operation } from './linearize.ts';

export type BoardOperation = Operation<BoardState>;

const never = Number.POSITIVE_INFINITY;
const confirmMs = 3_000;
/** How far the server's clock may be ahead of ours over one wait. */
const clockSlackMs = 300;

interface ReleaseBody {
  readonly key: string;
  readonly token: string;
  readonly force: boolean;
  readonly target: string;
}

interface ChangeBody {
  readonly board: string;
  readonly key: string;
  readonly newKey: string;
  readonly holdSeconds: number;
}

export function boardOperations(digest: Digest, board: string): BoardOperation[] {
  return new Board(digest, board).operations();
}

class Board {
  readonly #digest: Digest;
  readonly #board: string;
  readonly #byKey = new Map<string, Sighting[]>();
  readonly #all: BoardOperation[] = [];
  readonly #attempts: readonly Attempt[];
  #unseen = 0;

  constructor(digest: Digest, board: string) {
    this.#digest = digest;
    this.#board = board;
    for (const sighting of digest.sightings) {
      if (sighting.board !== board) continue;
      this.#byKey.set(sighting.key, [...(this.#byKey.get(sighting.key) ?? []), sighting]);
    }
    this.#attempts = [...digest.byKey.values()].filter(({ boards }) => boards.includes(board));
  }

  operations(): BoardOperation[] {
    const reads = new Set(['locks', 'status']);
    for (const attempt of this.#attempts) this.#attempt(attempt);
    for (const call of this.#digest.history.calls) {
      if (call.op === 'release' || call.op === 'mq unlock') this.#release(call);
      if (call.op === 'extend' || call.op === 'give' || call.op === 'steal') this.#change(call);
      if (reads.has(call.op)) this.#read(call);
    }
    return this.#all;
  }

  #attempt(attempt: Attempt): void {
    if (attempt.kind === 'slot') return;
    const { key } = attempt;
    const seen = this.#byKey.get(key) ?? [];
    for (const { token, firstAt } of seen) this.#lock(attempt, token, firstAt);
    if (seen.length === 0 && attempt.isProcess) this.#unseenLock(attempt);
    const tokens = new Set(seen.map(({ token }) => token));
    if (tokens.size === 0) return;
    const isOver = (state: BoardState): boolean => [...tokens].every((token) => isPast(token)(state));
    for (const call of attempt.leaves) {
      const step = call.op === 'withdraw' ? withdraw(tokens) : cancel(tokens);
      this.#add({ ...span(call), apply: step, isOver, text: `${name(call)} (key ${key})` });
    }
    if (attempt.isProcess) this.#processEnd(attempt, tokens, isOver);
  }

  /** A command that ends or is killed gives back what it has, or what it was offered: `mq with` and `mq run` always. */
  #processEnd({ call, key }: Attempt, tokens: Set<number>, isOver: BoardOperation['isOver']): void {
    const { code } = (call.answer ?? {}) as { code?: number | null };
    const isOpen = call.doneAt === undefined || code !== 0;
    if (call.op !== 'mq with' && call.op !== 'mq run' && !isOpen) return;
    const isReleased = code === 0 && call.op === 'mq with';
    const by = isReleased ? (call.doneAt ?? never) : never;
    const text = `${name(call)} gives back (key ${key})`;
    if (isReleased) {
      for (const token of tokens)
        this.#add({
          at: call.at,
          by,
          apply: release({ key, token, force: false }, 'released'),
          text,
        });
    } else this.#add({ at: call.at, by, apply: withdraw(tokens), ...(isOver ? { isOver } : {}), text });
  }

  /** A lock that somebody saw, from its grant on. */
  #lock(attempt: Attempt, token: number, seenAt: number): void {
    const { call, key, client, kind, holdSeconds } = attempt;
    const about = `${tokenText(token)} to ${client} (key ${key})`;
    const isOver = isPast(token);
    const hold = `confirm ${token}`;
    this.#add({ at: call.at, by: seenAt, apply: grant(token, key), text: `grant of ${about}` });
    const { at, by } = this.#confirmSpan(attempt, token);
    if (at < never) {
      this.#add({ at, by, apply: confirm(token, hold), isOver, text: `confirm of ${about}` });
      if (holdSeconds > 0) this.#reclaim({ at, holdSeconds, hold, key });
      if (kind === 'run') this.#perhaps(at, endWithJob(token), isOver, `end of the job under ${about}`);
    }
    this.#perhaps(this.#takenBackFrom(attempt), takeBack(token), isOver, `taking back of ${about}`);
    this.#perhaps(call.at, finishEnding(token), isOver, `end of ${about}`);
  }

  /** When the confirm of this token can have taken effect. `at` Infinity: there was none. */
  #confirmSpan(attempt: Attempt, token: number): { at: number; by: number } {
    const { call, confirms, isProcess, isDetached } = attempt;
    if (isProcess) {
      const { code, tokens = [] } = (call.answer ?? {}) as { code?: number | null; tokens?: unknown[] };
      const isHad = code === 0 || tokens.length > 0;
      return { at: call.at, by: isHad ? (call.doneAt ?? never) : never };
    }
    // Of a detached ticket the server is the client.
    let span = { at: isDetached ? call.at : never, by: never };
    for (const one of confirms) {
      const { view } = (one.answer ?? {}) as { view?: { state: string; locks?: object[]; lock?: object } };
      const offered = tokenNumber(String(one.body.token));
      const state = view?.state;
      if (offered === token && (state === 'waiting' || state === 'offered' || state === 'ended'))
        this.#add({ ...sure(one), apply: isGone(token), observes: true, text: `${name(one)}: ${state}` });
      const isAnswered = state === 'held' || state === 'started';
      const had = [...(view?.locks ?? []), ...(view?.lock ? [view.lock] : [])] as { token: string }[];
      const isOfThis = offered === token || had.some((lock) => tokenNumber(lock.token) === token);
      if (isAnswered && isOfThis) return { at: one.at, by: one.doneAt ?? never };
      if (state === undefined) span = { at: Math.min(span.at, one.at), by: never };
    }
    return span;
  }

  /** From when on locking.md lets an unconfirmed grant be taken back. */
  #takenBackFrom({ call, client, leaves, isProcess }: Attempt): number {
    if (isProcess) return call.at;
    const absence = this.#digest.history.absences.find(
      (one) => (one.client === client || one.client === '*') && (one.endedAt ?? never) >= call.at,
    );
    const asked = Math.min(...leaves.map(({ at }) => at), never);
    const lost = absence === undefined ? never : Math.max(call.at, absence.at);
    return Math.min(asked, lost, call.at + confirmMs - clockSlackMs);
  }

  /** Had or perhaps had by a command, and nobody saw under which token. */
  #unseenLock({ call, key, boards, holdSeconds }: Attempt): void {
    const { code } = (call.answer ?? {}) as { code?: number | null };
    const isSure = code === 0 && boards.length === 1 && call.op === 'mq sem';
    if (!isSure && !this.#isTold(key)) return;
    this.#unseen -= 1;
    const token = this.#unseen;
    const hold = `confirm ${key}`;
    const by = isSure ? (call.doneAt ?? never) : never;
    const { at } = call;
    this.#add({ at, by, apply: grant(token, key), text: `grant to ${name(call)}` });
    this.#add({ at, by, apply: confirm(token, hold), text: `confirm of ${name(call)}` });
    if (holdSeconds > 0) this.#reclaim({ at, holdSeconds, hold, key });
    const past = (): boolean => false;
    if (!isSure) this.#perhaps(at, takeBack(token), past, `taking back from ${name(call)}`);
    this.#perhaps(at, finishEnding(token), past, `end of the lock of ${name(call)}`);
  }

  /** A release by this key had something to release here. */
  #isTold(key: string): boolean {
    return this.#digest.history.calls.some(
      (call) => call.body.key === key && outcomeOn(call, this.#board)?.match(/^(released|ending)$/),
    );
  }

  #reclaim(set: { at: number; holdSeconds: number; hold: string; key: string }): void {
    const dueAt = set.at + set.holdSeconds * 1000 - clockSlackMs;
    const nextAt = this.#attempts
      .filter(({ key, settledAt }) => key !== set.key && (settledAt ?? never) >= dueAt)
      .reduce((first, { call }) => Math.min(first, Math.max(dueAt, call.at)), never);
    const isOver = (state: BoardState): boolean =>
      set.hold.startsWith('confirm ') && isPast(Number(set.hold.slice(8)))(state);
    if (nextAt < never) this.#perhaps(nextAt, reclaim(set.hold), isOver, `reclaim from key ${set.key}`);
  }

  #release(call: Call): void {
    const { key = '', token, force = false, target = '' } = call.body as Partial<ReleaseBody>;
    const wish = { key, force, token: token === undefined ? undefined : tokenNumber(token) };
    if (!boardsOf(this.#digest.history, target).includes(this.#board)) return;
    const outcome = outcomeOn(call, this.#board);
    if (outcome !== undefined) {
      const observes = outcome === 'not-held' || outcome === 'wrong-key' ? ({ observes: true } as const) : {};
      const step = release(wish, outcome as ReleaseOutcome);
      this.#add({ ...sure(call), apply: step, ...observes, text: `${name(call)}: ${outcome}` });
      return;
    }
    const { error } = call;
    const seen = wish.token === undefined ? this.#byKey.get(key)?.map((one) => one.token) : [wish.token];
    if (error !== undefined || !seen) return;
    const isOver = (state: BoardState): boolean => seen.every((one) => isPast(one)(state));
    this.#perhaps(call.at, perhapsRelease(wish), isOver, `${name(call)}: unknown`);
  }

  #change(call: Call): void {
    const { board, key = '', newKey = '0', holdSeconds = 0 } = call.body as Partial<ChangeBody>;
    if (board !== this.#board) return;
    const own = call.op === 'steal' ? undefined : key;
    if (call.error !== undefined) {
      const isJudged = ['NOT_HOLDER', 'WRONG_KEY', 'NOT_ALLOWED', 'BOARD_BUSY'].includes(call.error);
      const text = `${name(call)}: ${call.error}`;
      if (isJudged) this.#add({ ...sure(call), apply: refused(own, call.error), observes: true, text });
      return;
    }
    const isKnown = call.answer !== undefined;
    if (call.op === 'extend') {
      const hold = `extend ${call.id}`;
      this.#add({
        ...span(call),
        apply: extend(key, hold),
        text: `${name(call)}${isKnown ? '' : ': unknown'}`,
      });
      if (holdSeconds > 0) this.#reclaim({ at: call.at, holdSeconds, hold, key });
      return;
    }
    this.#newHolder(call, own, newKey);
  }

  #newHolder(call: Call, own: string | undefined, newKey: string): void {
    const [seen] = this.#byKey.get(newKey) ?? [];
    const isKnown = call.answer !== undefined;
    this.#unseen -= 1;
    const token = seen?.token ?? this.#unseen;
    const by = isKnown ? (call.doneAt ?? never) : (seen?.firstAt ?? never);
    const text = `${name(call)}: ${isKnown ? tokenText(token) : 'unknown'}`;
    const isOver = isPast(token);
    this.#add({ at: call.at, by, apply: changeHolder(own, { token, key: newKey }), isOver, text });
    this.#perhaps(call.at, finishEnding(token), isOver, `end of ${tokenText(token)} (key ${newKey})`);
  }

  #read(call: Call): void {
    const { members, boards } = (call.answer ?? {}) as Record<string, { board: string; lock?: unknown }[]>;
    const list = members ?? boards;
    if (!list) return;
    const lock = list.find(({ board }) => board === this.#board)?.lock as
      | { token: string; key: string; state: 'granted' | 'held' | 'ending' }
      | undefined;
    const seen = lock && { phase: lock.state, token: tokenNumber(lock.token), key: lock.key };
    const what = lock ? `${lock.state} under ${lock.token} with key ${lock.key}` : 'free';
    this.#add({ ...sure(call), apply: isSeen(seen), observes: true, text: `${name(call)}: ${what}` });
  }

  #perhaps(at: number, apply: Step, isOver: (state: BoardState) => boolean, text: string): void {
    if (at < never) this.#add({ at, by: never, apply, isOver, text: `perhaps ${text}` });
  }

  #add(operation: BoardOperation): void {
    this.#all.push(operation);
  }
}

/** A cancelled ticket gives back an offer; a lock that it became stays. */
function cancel(tokens: ReadonlySet<number>): Step {
  const step = withdraw(tokens);
  return (state) => (state.phase === 'granted' ? step(state) : state);
}

function span(call: Call): { at: number; by: number } {
  return { at: call.at, by: call.answer === undefined ? never : (call.doneAt ?? never) };
}

function sure(call: Call): { at: number; by: number } {
  return { at: call.at, by: call.doneAt ?? never };
}

function name({ client, op, id }: Call): string {
  return `${op} by ${client} [${id}]`;
}

function outcomeOn(call: Call, board: string): string | undefined {
  const { outcomes } = (call.answer ?? {}) as { outcomes?: { board: string; outcome: string }[] };
  return outcomes?.find((one) => one.board === board)?.outcome;
}
