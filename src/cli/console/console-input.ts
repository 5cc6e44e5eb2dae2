// Standard input on its way to a board's console: every key at once from a terminal, or whatever a pipe has.
import type { ReadStream } from 'node:tty';
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import { sendBytes } from '../run/job-input.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { EscapeKeys, escapeHelp } from './escape-keys.ts';

type Input = NodeJS.ReadStream & Partial<Pick<ReadStream, 'setRawMode'>>;

/** `left`: by the escape. `ended`: the input has. `refused`: it does not reach the board. `aborted`: by the signal. */
export type InputEnd = 'left' | 'ended' | 'refused' | 'aborted';

/** Sends the input to the job until one of these. */
export async function typeIntoConsole(
  client: Client,
  job: number,
  { input, terminal, signal }: { input: Input; terminal: Terminal; signal: AbortSignal },
): Promise<InputEnd> {
  const keys = input.isTTY === true ? new EscapeKeys() : undefined;
  const onAbort = () => input.destroy();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  if (keys) input.setRawMode?.(true);
  try {
    for await (const chunk of input) {
      const typed = keys?.take(chunk as Buffer) ?? {
        bytes: chunk as Buffer,
        wantsHelp: false,
        leaves: false,
      };
      if (!(await send(client, job, { bytes: typed.bytes, terminal }))) return 'refused';
      if (typed.wantsHelp) terminal.hint(escapeHelp);
      if (typed.leaves) return 'left';
    }
    return signal.aborted ? 'aborted' : 'ended';
  } catch (error) {
    if (signal.aborted) return 'aborted';
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (keys) input.setRawMode?.(false);
  }
}

/** False where no more of it will reach the board either. */
async function send(
  client: Client,
  job: number,
  { bytes, terminal }: { bytes: Buffer; terminal: Terminal },
): Promise<boolean> {
  if (bytes.length === 0) return true;
  try {
    await sendBytes(client, job, bytes, terminal);
    return true;
  } catch (error) {
    if (!(error instanceof MqError) || error.code === 'SERVER_UNREACHABLE') throw error;
    // The job has ended in this very moment; its own end is told.
    if (error.code !== 'UNKNOWN_JOB') terminal.complain(escapeText(`mq: ${error.message}`));
    return error.code === 'TRY_AGAIN';
  }
}
