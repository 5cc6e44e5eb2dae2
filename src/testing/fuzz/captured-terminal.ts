// A terminal for the commands of this process, whose output is kept: somebody watches it, in no colours.
import { Writable } from 'node:stream';
import { Terminal, type TerminalStream } from '../../cli/terminal/terminal.ts';

class CapturedStream extends Writable implements TerminalStream {
  readonly isTTY = true;
  readonly columns = 100;
  readonly rows = 30;
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export class CapturedTerminal {
  readonly #stdout = new CapturedStream();
  readonly #stderr = new CapturedStream();
  readonly terminal = new Terminal({ stdout: this.#stdout, stderr: this.#stderr, env: { NO_COLOR: '1' } });

  /** All that was written, without what the terminal itself writes to take its status line away. */
  get text(): string {
    return `${this.#stdout.text}\n${this.#stderr.text}`.replaceAll('\r\u001b[K', '');
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGPIPE'] as const;

/** Commands take signals for the rest of their process, which is not theirs here. */
export async function withoutSignals<T>(work: () => Promise<T>): Promise<T> {
  const before = signals.map((name) => process.listeners(name));
  try {
    return await work();
  } finally {
    for (const [at, name] of signals.entries())
      for (const listener of process.listeners(name))
        if (!before[at]?.includes(listener)) process.removeListener(name, listener);
  }
}
