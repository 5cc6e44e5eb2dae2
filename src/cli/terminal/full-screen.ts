// A screen that a command has to itself: the terminal's alternate screen, keys one by one, and frames as fast as the
// terminal takes them. A frame is worked out when it can be written, so a slow terminal sees fewer, never older ones, and
// nothing queues up. However the command ends, the screen is left as it was found.
import { createWriteStream, type WriteStream, writeSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import { type Frame, frameUpdate, type ScreenSize } from './frame.ts';
import type { TerminalStream } from './terminal.ts';

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[0m\u001b[?25h\u001b[?1049l';

/** Frames may follow each other so fast at most. */
const frameMs = 100;
/** What moves with time alone is looked at so often. */
const tickMs = 1_000;

export type Key = 'up' | 'down' | 'page-up' | 'page-down' | 'top' | 'bottom' | 'quit';

export interface FullScreenOptions {
  readonly screen: TerminalStream & { readonly fd?: number };
  readonly input: NodeJS.ReadStream & Partial<Pick<ReadStream, 'setRawMode'>>;
  /** Called when there is room for a frame. */
  readonly draw: (size: ScreenSize) => Frame;
  readonly onKey: (key: Key) => void;
}

export class FullScreen {
  readonly #options: FullScreenOptions;
  readonly #output: WriteStream;
  readonly #fd: number;
  readonly #timer: NodeJS.Timeout;
  readonly #onResize = () => this.redraw();
  readonly #onInput = (chunk: Buffer) => this.#read(chunk);
  readonly #leave = () => leaveScreen(this.#fd);
  #shown: Frame | undefined;
  #isWriting = false;
  #isStale = false;
  #soon: NodeJS.Timeout | undefined;
  #isOpen = true;

  constructor(options: FullScreenOptions) {
    const { screen, input } = options;
    this.#options = options;
    this.#fd = screen.fd ?? 1;
    // Not the stream of the process: that one would stop everything while the terminal takes nothing.
    this.#output = createWriteStream('', { fd: this.#fd, autoClose: false });
    // A terminal that is gone ends the command by SIGHUP.
    this.#output.on('error', () => {});
    this.#timer = setInterval(() => this.redraw(), tickMs);
    writeSync(this.#fd, enter);
    process.on('exit', this.#leave);
    screen.on('resize', this.#onResize);
    if (input.isTTY === true) {
      input.setRawMode?.(true);
      input.on('data', this.#onInput);
    }
    this.redraw();
  }

  /** Something may look different now. */
  redraw(): void {
    this.#isStale = true;
    if (!this.#isOpen || this.#isWriting || this.#soon !== undefined) return;
    this.#soon = setTimeout(() => this.#write(), this.#shown === undefined ? 0 : frameMs);
  }

  #write(): void {
    this.#soon = undefined;
    if (!this.#isOpen) return;
    this.#isStale = false;
    const { columns = 80, rows = 24 } = this.#options.screen;
    const frame = this.#options.draw({ columns, rows });
    const update = frameUpdate(this.#shown, frame);
    this.#shown = frame;
    if (update === '') return;
    this.#isWriting = true;
    this.#output.write(update, () => {
      this.#isWriting = false;
      if (this.#isStale) this.redraw();
    });
  }

  #read(chunk: Buffer): void {
    for (const key of keysIn(chunk.toString('latin1'))) this.#options.onKey(key);
  }

  /** Gives the terminal back as it was, behind a frame that is still under way. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    const { screen, input } = this.#options;
    screen.removeListener('resize', this.#onResize);
    if (input.isTTY === true) {
      input.removeListener('data', this.#onInput);
      input.setRawMode?.(false);
      input.pause();
    }
    if (this.#isWriting) await new Promise((resolve) => this.#output.write('', resolve));
    process.removeListener('exit', this.#leave);
    this.#leave();
  }
}

const keys: Readonly<Record<string, Key>> = {
  '\u001b[A': 'up',
  '\u001bOA': 'up',
  k: 'up',
  '\u001b[B': 'down',
  '\u001bOB': 'down',
  j: 'down',
  '\u001b[5~': 'page-up',
  b: 'page-up',
  '\u001b[6~': 'page-down',
  ' ': 'page-down',
  '\u001b[H': 'top',
  '\u001b[1~': 'top',
  g: 'top',
  '\u001b[F': 'bottom',
  '\u001b[4~': 'bottom',
  G: 'bottom',
  q: 'quit',
  Q: 'quit',
  '\u0003': 'quit',
  '\u0004': 'quit',
};

/** What was pressed; anything else is nothing. */
export function keysIn(text: string): Key[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys that are no letters begin with it
  const pressed = text.match(/\u001b(?:\[[\d;]*[A-Za-z~]|O[A-Z])|[\s\S]/g) ?? [];
  return pressed.flatMap((one) => keys[one] ?? []);
}

function leaveScreen(fd: number): void {
  try {
    writeSync(fd, leave);
  } catch {
    // The terminal is gone, and its screen with it.
  }
}
