// How the demonstration speaks: one line for each thing that happens, with who does it in front. Writes to stdout.

const nameColumns = 6;

export class Voice {
  readonly #bold: (text: string) => string;
  readonly #faint: (text: string) => string;

  #isSilent = false;

  constructor() {
    const hasColour = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
    this.#bold = hasColour ? (text) => `\x1b[1m${text}\x1b[22m` : (text) => text;
    this.#faint = hasColour ? (text) => `\x1b[2m${text}\x1b[22m` : (text) => text;
  }

  /** Says nothing more: the reader has left or asked to stop. */
  silence(): void {
    this.#isSilent = true;
  }

  say(text = ''): void {
    if (!this.#isSilent) process.stdout.write(`${text}\n`);
  }

  /** What a person of the story does or gets. */
  does(who: string, what: string, command?: string): void {
    const shown = command === undefined ? '' : `   ${this.#faint(`$ ${command}`)}`;
    this.say(`${this.#bold(who.padEnd(nameColumns))}${what}${shown}`);
  }

  /** A line that a command of theirs printed, or that their board said on its console. */
  hears(who: string, text: string, board?: string): void {
    const from = board === undefined ? '' : `${board} | `;
    this.say(`${this.#bold(who.padEnd(nameColumns))}  ${this.#faint(from + printable(text))}`);
  }
}

/** Console bytes may hold anything; only what can be read goes to the reader's terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '');
}
