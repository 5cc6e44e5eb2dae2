// Walks over the characters of a pattern's source and says where it stands when something is refused.

import { SOURCE_CHARACTERS_MAX } from './limits.ts';

/** A pattern that is not accepted, and why. Never leaves compile.ts. */
export class PatternRefused extends Error {
  override name = 'PatternRefused';
  /** 1-based, in characters of the source. */
  readonly column: number;

  constructor(column: number, message: string) {
    super(message);
    this.column = column;
  }
}

export class PatternReader {
  /** Index of the next character, 0-based. */
  at = 0;
  readonly #characters: readonly string[];

  constructor(source: string) {
    this.#characters = Array.from(source);
    if (this.#characters.length > SOURCE_CHARACTERS_MAX) {
      throw this.refusal(
        `the pattern has ${this.#characters.length} characters, of at most ${SOURCE_CHARACTERS_MAX}; shorten it`,
        SOURCE_CHARACTERS_MAX,
      );
    }
    const broken = this.#characters.findIndex((character) => !character.isWellFormed());
    if (broken >= 0)
      throw this.refusal('this is half of a character (a lone surrogate); write the whole one', broken);
  }

  get isDone(): boolean {
    return this.at >= this.#characters.length;
  }

  /** The next character without taking it; '' at the end. */
  peek(ahead = 0): string {
    return this.#characters[this.at + ahead] ?? '';
  }

  /** Takes and returns the next character; '' at the end. */
  take(): string {
    const character = this.peek();
    this.at++;
    return character;
  }

  /** Takes `text` if it comes next. */
  eat(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.peek(i) !== text[i]) return false;
    this.at += text.length;
    return true;
  }

  /** Takes and returns the longest run of characters that all match `single`. */
  takeWhile(single: RegExp, lengthMax = Number.POSITIVE_INFINITY): string {
    let taken = '';
    while (taken.length < lengthMax && !this.isDone && single.test(this.peek())) taken += this.take();
    return taken;
  }

  /** Takes what comes before `text`, and `text` itself; returns the former, or nothing if `text` does not come. */
  takeUntil(text: string): string | undefined {
    const start = this.at;
    let taken = '';
    while (!this.isDone) {
      if (this.eat(text)) return taken;
      taken += this.take();
    }
    this.at = start;
    return undefined;
  }

  /** The characters from `from` up to the next one. */
  since(from: number): string {
    return this.#characters.slice(from, this.at).join('');
  }

  refusal(message: string, at = this.at): PatternRefused {
    return new PatternRefused(at + 1, message);
  }
}
