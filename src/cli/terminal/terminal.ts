// Where a command's words go. stdout carries results only; everything for people goes to stderr, hints and place only
// where that is a terminal. One status line is rewritten in place and wiped before anything else is written.
import type { Writable } from 'node:stream';
import { escapeText } from './escape.ts';
import { fitWidth } from './width.ts';

const lineFeed = 0x0a;

export interface TerminalStream extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalOptions {
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether both streams go to one place that is no terminal, such as the log of a CI. */
  readonly isOneFile?: () => boolean;
}

export class Terminal {
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  readonly #env: TerminalOptions['env'];
  #statusLine = '';
  /** --no-color was given. */
  hasNoColour = false;
  readonly #isOneFile: () => boolean;
  /** Whether stdout, where it is the same screen or file, stands behind half a line. */
  #isInLine = false;

  constructor({ stdout, stderr, env, isOneFile = () => false }: TerminalOptions) {
    this.#isOneFile = isOneFile;
    this.stdout = stdout;
    this.stderr = stderr;
    this.#env = env;
  }

  /** Whether somebody reads along, so that hints and place are worth saying. */
  get isWatched(): boolean {
    return this.stderr.isTTY === true;
  }

  /** Whether stdout is a screen on which a cursor can be moved. */
  get isScreen(): boolean {
    return this.stdout.isTTY === true && !['', 'dumb'].includes(this.#env.TERM ?? '');
  }

  /** Colours only on a terminal that has them, and not where NO_COLOR asks for none (https://no-color.org). */
  hasColour(stream: TerminalStream): boolean {
    return stream.isTTY === true && !this.hasNoColour && !this.#env.NO_COLOR && this.#env.TERM !== 'dumb';
  }

  /** Lines of the result. Each ends in a line feed of its own. */
  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.wipe();
    this.stdout.write(`${lines.join('\n')}\n`);
    this.#isInLine = false;
  }

  /** Raw bytes of the result. Resolves when more may be written, also where nobody reads any more. */
  async write(bytes: Uint8Array): Promise<void> {
    this.wipe();
    this.#isInLine = bytes.at(-1) !== lineFeed;
    if (this.stdout.destroyed || this.stdout.write(bytes)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const event of ['drain', 'close', 'error']) this.stdout.once(event, resolve);
    await promise;
    for (const event of ['drain', 'close', 'error']) this.stdout.removeListener(event, resolve);
  }

  /** For a person, and worth it only where one reads along. */
  hint(text: string): void {
    if (this.isWatched) this.complain(text);
  }

  /** What went wrong; always told. */
  complain(text: string): void {
    this.wipe();
    this.stderr.write(`${this.#lineStart()}${text}\n`);
  }

  /** Shows the line in place of the one before. */
  status(text: string): void {
    if (!this.isWatched) return;
    const line = fitWidth(escapeText(text), (this.stderr.columns || 80) - 1);
    if (line === this.#statusLine) return;
    this.#statusLine = line;
    this.stderr.write(`${this.#lineStart()}\r\u001b[K${line}`);
  }

  #lineStart(): string {
    const isInLine = this.#isInLine && this.#isOnePlace;
    this.#isInLine = false;
    return isInLine ? '\n' : '';
  }

  get #isOnePlace(): boolean {
    return this.stdout.isTTY === true ? this.isWatched : this.#isOneFile();
  }

  /** Takes the status line away. */
  wipe(): void {
    if (this.#statusLine === '') return;
    this.#statusLine = '';
    this.stderr.write('\r\u001b[K');
  }
}
