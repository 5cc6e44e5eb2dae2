// The console of a job on its way to stdout and to the file of -l or --log.
import type { Client } from '../../client/client.ts';
import { readConsole } from '../../client/console.ts';
import type { Ticket } from '../../client/ticket.ts';
import type { ConsoleLog } from '../console-log.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface ConsoleTarget {
  readonly terminal: Terminal;
  readonly log: ConsoleLog;
  /** false: it goes to the log alone. */
  readonly isShown: boolean;
  /** -a: the console goes on behind the end text. */
  readonly keepOn: boolean;
  /** Called for each piece. */
  readonly onBytes: () => void;
}

/** Copies until the job has ended and all is out. Returns whether stdout stands at the start of a line. */
export async function copyConsole(
  client: Client,
  ticket: Ticket,
  { terminal, log, isShown, keepOn, onBytes }: ConsoleTarget,
): Promise<{ isAtLineStart: boolean }> {
  let isAtLineStart = true;
  for await (const piece of readConsole(client, ticket.id)) {
    if (piece.kind === 'gap') {
      terminal.complain(
        `${piece.length} bytes of the console are missing here: the server did not keep them.`,
      );
      continue;
    }
    onBytes();
    await log.write(piece.bytes);
    if (!isShown) continue;
    const matchEnd = keepOn ? undefined : ticket.job?.matchEnd;
    const shown = shownPart(piece, matchEnd);
    if (shown.length === 0) continue;
    isAtLineStart = shown.at(-1) === 0x0a;
    await terminal.write(shown);
  }
  return { isAtLineStart };
}

/** The piece up to the end of the text that ended the job. */
export function shownPart(
  piece: { readonly offset: number; readonly bytes: Uint8Array },
  matchEnd: number | undefined,
): Uint8Array {
  if (matchEnd === undefined) return piece.bytes;
  return piece.bytes.subarray(0, Math.max(0, matchEnd - piece.offset));
}
