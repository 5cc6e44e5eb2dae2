// The keys by which a person leaves a console on a terminal, where every other key goes to the board: Ctrl+] and then q.
// Pure.

const controlBracket = 0x1d;
/** `q`, `Q` and `.`, which other programs have for it. */
const leavingKeys = new Set(Buffer.from('qQ.'));
const question = 0x3f;

export const escapeHelp = 'Ctrl+] q leaves, Ctrl+] Ctrl+] sends one Ctrl+].';

export interface TakenKeys {
  /** For the board. */
  readonly bytes: Buffer;
  readonly wantsHelp: boolean;
  /** What was typed behind it is dropped. */
  readonly leaves: boolean;
}

export class EscapeKeys {
  #isEscaped = false;

  /** Keys may come one by one or many at once, as when somebody pastes. */
  take(typed: Uint8Array): TakenKeys {
    const bytes: number[] = [];
    let wantsHelp = false;
    for (const key of typed) {
      if (!this.#isEscaped) {
        if (key === controlBracket) this.#isEscaped = true;
        else bytes.push(key);
        continue;
      }
      this.#isEscaped = false;
      if (leavingKeys.has(key)) return { bytes: Buffer.from(bytes), wantsHelp, leaves: true };
      if (key === question) wantsHelp = true;
      else if (key === controlBracket) bytes.push(key);
      // It was meant for the board.
      else bytes.push(controlBracket, key);
    }
    return { bytes: Buffer.from(bytes), wantsHelp, leaves: false };
  }
}
