// A terminal whose streams keep what was written.
import { Writable } from 'node:stream';
import { Terminal, type TerminalStream } from '../../src/cli/terminal/terminal.ts';

export class CapturedStream extends Writable implements TerminalStream {
  readonly isTTY: boolean;
  readonly columns = 60;
  readonly rows = 10;
  #parts: Buffer[] = [];

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#parts.push(Buffer.from(chunk));
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  get text(): string {
    return this.bytes.toString();
  }
}

export function capturedTerminal({
  isTTY = false,
  env = {},
  isOneFile = false,
}: {
  isTTY?: boolean;
  env?: Record<string, string>;
  isOneFile?: boolean;
} = {}) {
  const stdout = new CapturedStream(isTTY);
  const stderr = new CapturedStream(isTTY);
  return { stdout, stderr, terminal: new Terminal({ stdout, stderr, env, isOneFile: () => isOneFile }) };
}
