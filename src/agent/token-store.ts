// The highest token that each board has seen, in one file. A token counts at once, so that nothing older is begun; what
// wants to act with it waits until it is on the disk. Tokens that come while a write is under way share the next one.
import { readFileSync } from 'node:fs';
import { writeFileDurably } from '../platform/fsync-file.ts';
import { systemErrorCode } from '../platform/platform-error.ts';
import { compareTokens, lowestToken } from './token.ts';

export class TokenStore {
  readonly #path: string;
  readonly #highest: Map<string, string>;
  /** What the file is known to hold. */
  #stored: ReadonlyMap<string, string>;
  #writing: Promise<void> | undefined;
  #waiting: Promise<void> | undefined;

  /** Throws where the file can't be read or is damaged: without it, it is unknown what the boards must refuse. */
  constructor(path: string) {
    this.#path = path;
    this.#highest = readTokens(path);
    this.#stored = new Map(this.#highest);
  }

  highestOf(board: string): string {
    return this.#highest.get(board) ?? lowestToken;
  }

  highestOfAll(): string {
    let highest = lowestToken;
    for (const token of this.#highest.values()) if (compareTokens(token, highest) > 0) highest = token;
    return highest;
  }

  /**
   * Notes a token that is not lower than the board's highest. Resolves when it survives a power cut; rejects with the
   * system's error where the disk refuses: then nothing may be done with it, and lower ones stay refused.
   */
  async raise(board: string, token: string): Promise<void> {
    if (compareTokens(token, this.highestOf(board)) > 0) this.#highest.set(board, token);
    if (compareTokens(token, this.#stored.get(board) ?? lowestToken) > 0) await this.#store();
  }

  #store(): Promise<void> {
    this.#waiting ??= this.#storeAfter(this.#writing);
    return this.#waiting;
  }

  async #storeAfter(before: Promise<void> | undefined): Promise<void> {
    await before?.catch(() => undefined);
    // From here on a new token waits for the next write.
    this.#writing = this.#waiting;
    this.#waiting = undefined;
    const snapshot = new Map(this.#highest);
    await writeFileDurably(this.#path, `${JSON.stringify(Object.fromEntries(snapshot))}\n`);
    this.#stored = snapshot;
  }
}

function readTokens(path: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return new Map();
    throw error;
  }
  const tokens = parseTokens(text);
  if (tokens === undefined) {
    throw new Error(
      `${path} is damaged, so it is unknown which tokens the boards have seen. ` +
        'Make sure that no other agent drives these boards, then remove the file.',
    );
  }
  return tokens;
}

function parseTokens(text: string): Map<string, string> | undefined {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, unknown>);
    const tokens = new Map<string, string>();
    for (const [board, token] of entries) {
      if (typeof token !== 'string' || !/^\d{1,15}\.\d{1,15}$/.test(token)) return undefined;
      tokens.set(board, token);
    }
    return tokens;
  } catch {
    return undefined;
  }
}
