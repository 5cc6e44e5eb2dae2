// A command in a terminal of its own, by tmux: what a person would see of it, and keys as a person would press them.
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Why there is no tmux here; for `skip`. A CI must have one. */
export const noTmux: string | false = whyNoTmux();

function whyNoTmux(): string | false {
  if (spawnSync('tmux', ['-V']).status === 0) return false;
  const reason = 'there is no tmux; npm run setup:debian adds it';
  if (process.env.CI) throw new Error(reason);
  return reason;
}

const pollMilliseconds = 50;
const waitMilliseconds = 40_000;

export class TmuxScreen {
  readonly #socket: string;
  readonly #env: Readonly<Record<string, string>>;

  /** Starts the words in a shell, which says `left-` and the exit code behind them. `folder` must be new. */
  constructor(
    folder: string,
    words: readonly string[],
    { columns, rows, env }: { columns: number; rows: number; env: Readonly<Record<string, string>> },
  ) {
    this.#socket = join(folder, 'tmux');
    this.#env = { ...env, TERM: 'xterm-256color' };
    const size = ['-x', String(columns), '-y', String(rows)];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-s', 's', ...size, 'sh');
    this.type(
      words
        .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
        .join(' ')
        .concat('; echo left-$?'),
    );
    this.press('Enter');
  }

  /** What is on the screen, line by line. */
  get text(): string {
    return this.#tmux('capture-pane', '-p', '-t', 's');
  }

  type(text: string): void {
    this.#tmux('send-keys', '-t', 's', '-l', text);
  }

  /** A key by tmux's name for it, such as `C-c`. */
  press(key: string): void {
    this.#tmux('send-keys', '-t', 's', key);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-t', 's', '-x', String(columns), '-y', String(rows));
  }

  /** Resolves with the screen when it is as wanted. */
  async shows(what: RegExp | ((text: string) => boolean)): Promise<string> {
    const endAt = performance.now() + waitMilliseconds;
    while (true) {
      const { text } = this;
      if (typeof what === 'function' ? what(text) : what.test(text)) return text;
      if (performance.now() > endAt) throw new Error(`the screen never shows ${what}:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
    }
  }

  close(): void {
    spawnSync('tmux', ['-S', this.#socket, 'kill-server'], { stdio: 'ignore' });
  }

  #tmux(...words: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...words], { env: this.#env, encoding: 'utf8' });
  }
}
