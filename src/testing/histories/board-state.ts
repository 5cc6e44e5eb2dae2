// What locking.md lets a board's lock do, as single steps of a state: who has the board, under which token. Each function makes
// the step of one operation, for linearize.ts. Pure.

import { tokenText } from './history.ts';

export interface BoardState {
  readonly phase: 'free' | 'granted' | 'held' | 'ending';
  /** Of the lock; 0 where there is none, below 0 where nobody saw it. */
  readonly token: number;
  readonly key: string;
  /** What set the present end of the hold; empty: nothing did. */
  readonly hold: string;
  /** The highest token so far that anybody saw. */
  readonly high: number;
}

export type Step = (state: BoardState) => BoardState | undefined;

export const freeBoard: BoardState = { phase: 'free', token: 0, key: '', hold: '', high: 0 };

export function stateKey({ phase, token, key, hold, high }: BoardState): string {
  return `${phase}/${token}/${key}/${hold}/${high}`;
}

export function stateText({ phase, token, key, high }: BoardState): string {
  const who = phase === 'free' ? '' : ` under ${tokenText(token)} with key ${key}`;
  return `${phase}${who}, highest token ${tokenText(high)}`;
}

function free(state: BoardState): BoardState {
  return { ...freeBoard, high: state.high };
}

function end(state: BoardState): BoardState {
  return { ...state, phase: 'ending', hold: '' };
}

/** A grant draws a token above all before it, on a free board only. */
export function grant(token: number, key: string): Step {
  return (state) => {
    if (state.phase !== 'free' || (token > 0 && token <= state.high)) return undefined;
    return { phase: 'granted', token, key, hold: '', high: Math.max(token, state.high) };
  };
}

export function confirm(token: number, hold: string): Step {
  return (state) =>
    state.phase === 'granted' && state.token === token ? { ...state, phase: 'held', hold } : undefined;
}

/** Nobody confirmed it, or its ticket ended. */
export function takeBack(token: number): Step {
  return (state) => (state.phase === 'granted' && state.token === token ? free(state) : undefined);
}

/** The end of the job under a lock that lives with it. */
export function endWithJob(token: number): Step {
  return (state) => (state.phase === 'held' && state.token === token ? end(state) : undefined);
}

/** The hold that was set so is over, and somebody else is next in line. */
export function reclaim(hold: string): Step {
  return (state) => (state.phase === 'held' && state.hold === hold ? end(state) : undefined);
}

/** What ran on it has stopped, and it is off. */
export function finishEnding(token: number): Step {
  return (state) => (state.phase === 'ending' && state.token === token ? free(state) : undefined);
}

/** The end of a ticket: what it was offered goes back, what it holds is released. */
export function withdraw(tokens: ReadonlySet<number>): Step {
  return (state) => {
    if (!tokens.has(state.token)) return state;
    if (state.phase === 'granted') return free(state);
    return state.phase === 'held' ? end(state) : state;
  };
}

export interface ReleaseWish {
  readonly key: string;
  readonly token: number | undefined;
  readonly force: boolean;
}

export type ReleaseOutcome = 'released' | 'ending' | 'not-held' | 'wrong-key';

/** All clients are one user, so that only the key says whose a lock is. */
export function release({ key, token, force }: ReleaseWish, outcome: ReleaseOutcome): Step {
  return (state) => {
    const isNamed = token === undefined || state.token === token;
    const isHeld = state.phase === 'held' || state.phase === 'ending';
    const isThere = state.phase !== 'free' && isNamed && (force || isHeld);
    if (outcome === 'not-held') return isThere ? undefined : state;
    if (!isThere) return undefined;
    const isMine = force || state.key === key;
    if (outcome === 'wrong-key') return isMine ? undefined : state;
    if (!isMine) return undefined;
    // By force also one whose board is broken, so that its end does not come.
    if (state.phase === 'ending') return outcome === 'ending' ? state : force ? free(state) : undefined;
    return outcome === 'released' ? free(state) : end(state);
  };
}

/** Whether it was carried out nobody knows. */
export function perhapsRelease(wish: ReleaseWish): Step {
  const step = release(wish, 'ending');
  return (state) => (state.phase === 'granted' ? release(wish, 'released')(state) : step(state));
}

/** A new holder: by `give` from the holder with this key, by `steal` from whoever holds it. */
export function changeHolder(from: string | undefined, to: { token: number; key: string }): Step {
  return (state) => {
    if (state.phase !== 'held' || (from !== undefined && state.key !== from)) return undefined;
    if (to.token > 0 && to.token <= state.high) return undefined;
    return { ...state, ...to, high: Math.max(to.token, state.high) };
  };
}

export function extend(key: string, hold: string): Step {
  return (state) => (state.phase === 'held' && state.key === key ? { ...state, hold } : undefined);
}

/** A refusal to change a lock of one's own. `key` undefined: of anybody's. */
export function refused(key: string | undefined, code: string): Step {
  return (state) => {
    const isMine = key === undefined || state.key === key;
    const { phase } = state;
    if (code === 'NOT_HOLDER')
      return phase === 'free' || phase === 'granted' || (phase === 'ending' && isMine) ? state : undefined;
    if (code === 'WRONG_KEY') return (phase === 'held' || phase === 'ending') && !isMine ? state : undefined;
    // A job runs on it, or its power is being switched: it is held.
    return phase === 'held' ? state : undefined;
  };
}

/** A confirm that came too late: that grant was no more. */
export function isGone(token: number): Step {
  return (state) => (state.phase === 'granted' && state.token === token ? undefined : state);
}

/** Somebody looked. */
export function isSeen(seen: Pick<BoardState, 'phase' | 'token' | 'key'> | undefined): Step {
  return (state) => {
    if (!seen) return state.phase === 'free' ? state : undefined;
    const { phase, token, key } = seen;
    return state.phase === phase && state.token === token && state.key === key ? state : undefined;
  };
}

/** That lock is over, or can never be. */
export function isPast(token: number): (state: BoardState) => boolean {
  return (state) => token > 0 && state.high >= token && state.token !== token;
}
