// What a board by parts knows of its console: how to get one line to it. A line may drop at any time; what holds a
// console over that is built once on top (lasting-console.ts). Types only.

import type { BoardHooks } from '../board/contract.ts';

export interface ConsoleLine {
  /** Why there is no line any more. Never rejects; no byte comes after it. */
  readonly down: Promise<string>;
  /** Bytes for the board; dropped where the line takes no more. */
  write(bytes: Uint8Array): void;
  /** Gives the line up; resolves when nothing of it is left. */
  close(): Promise<void>;
}

export interface ConsoleDriver {
  /** The console in words, for messages: `the console at ser1:4003`. */
  readonly name: string;
  /**
   * One try. Rejects with an Error whose message says why there is no line; aborting the signal ends the try, and
   * afterwards the line.
   */
  connect(hooks: BoardHooks, options: { readonly signal: AbortSignal }): Promise<ConsoleLine>;
}
