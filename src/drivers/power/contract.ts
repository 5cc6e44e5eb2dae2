// What a board by parts knows of its power: one try each at switching it. Time limits and further tries are built
// once on top (tries.ts). Types only.

import type { BoardHooks, PowerStatus } from '../board/contract.ts';

/** How the programs that a try starts are marked and noted. */
export type PowerHooks = Pick<BoardHooks, 'onChild' | 'env'>;

/** One try. Aborting the signal ends it, with all that it started, before it rejects. */
export type PowerAction<Result = void> = (
  hooks: PowerHooks,
  options: { readonly signal: AbortSignal },
) => Promise<Result>;

/** Each rejects with an Error whose message says what went wrong. */
export interface PowerDriver {
  readonly powerOn: PowerAction;
  /** Doing so twice is fine. */
  readonly powerOff: PowerAction;
  /** Absent where nobody can tell. */
  readonly status?: PowerAction<PowerStatus>;
}
