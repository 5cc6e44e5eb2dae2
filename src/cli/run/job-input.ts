// Standard input of `run -a`: what is typed goes to the board's console. On a terminal every key goes at once; there
// Ctrl+C stops the command and Ctrl+D ends the input.
import type { ReadStream } from 'node:tty';
import { type Client, ConnectionLostError } from '../../client/client.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Base64 of this many bytes fits into one request. */
const pieceBytes = 64 * 1024;

type Input = NodeJS.ReadStream & Partial<Pick<ReadStream, 'setRawMode'>>;

/** Sends all of the input to the job. Resolves at its end, or when the signal aborts. */
export async function sendInput(
  client: Client,
  job: number,
  { input, terminal, signal }: { input: Input; terminal: Terminal; signal: AbortSignal },
): Promise<void> {
  const isTerminal = input.isTTY === true;
  const onAbort = () => input.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  if (isTerminal) input.setRawMode?.(true);
  try {
    for await (const chunk of input) {
      const { bytes, next } = isTerminal
        ? splitKeys(chunk as Buffer)
        : { bytes: chunk as Buffer, next: 'on' };
      await sendBytes(client, job, bytes, terminal);
      if (next === 'stop') process.kill(process.pid, 'SIGINT');
      if (next === 'end') return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (isTerminal) input.setRawMode?.(false);
  }
}

const controlC = 0x03;
const controlD = 0x04;
const controlBackslash = 0x1c;

/** What of the typed bytes is for the board, and what the key behind them asks for. */
export function splitKeys(bytes: Buffer): { bytes: Buffer; next: 'on' | 'stop' | 'end' } {
  const at = bytes.findIndex((byte) => byte === controlC || byte === controlD || byte === controlBackslash);
  if (at < 0) return { bytes, next: 'on' };
  return { bytes: bytes.subarray(0, at), next: bytes[at] === controlD ? 'end' : 'stop' };
}

/** Piece by piece. What a broken connection may have swallowed is told; the server's refusals are the caller's. */
export async function sendBytes(
  client: Client,
  job: number,
  bytes: Buffer,
  terminal: Terminal,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes).toString('base64');
    try {
      await client.request('write', { job, bytes: piece }, { repeat: 'never' });
    } catch (error) {
      // A repeat could type it twice.
      if (!(error instanceof ConnectionLostError)) throw error;
      terminal.complain('The connection broke while input was sent; what was typed last may be lost.');
    }
  }
}

/** Resolves at the first line feed or the end of the input. */
export async function lineOrEnd(input: Input, { signal }: { signal: AbortSignal }): Promise<void> {
  const onAbort = () => input.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const chunk of input) if ((chunk as Buffer).includes(0x0a)) return;
  } catch {
    // An input that breaks has ended, as one that is closed.
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
