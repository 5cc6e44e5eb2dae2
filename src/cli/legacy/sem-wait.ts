// `mq sem -wait`: takes the lock of a board, or of the first board of a pool that comes free.
import { MqError } from '../../protocol/errors.ts';
import { settledOrWithdrawn, submitWatched, tellLink } from '../await-ticket.ts';
import { connectTo } from '../connect/connect.ts';
import { takeSignals } from '../interrupt.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { alreadyYoursLine, attemptLines, failedLine, roundDoneLines } from './lock-lines.ts';
import { refusalDetails } from './refusal.ts';
import type { SemRequest } from './sem-flags.ts';

type WaitRequest = Extract<SemRequest, { kind: 'wait' }>;

/** Returns the exit code. */
export async function wait({ target, wish, server }: WaitRequest, terminal: Terminal): Promise<number> {
  const signal = takeSignals(terminal, 'Withdrawing; once more to leave at once.');
  const client = await connectTo(server, { onLink: tellLink(terminal) });
  try {
    const ticket = await submitWatched(client, { target, kind: 'lock', ...wish }, { terminal, signal });
    const about = { kind: ticket.kind, target };
    terminal.print(attemptLines(about, ticket.members));
    if (!ticket.grantedAtOnce) terminal.print(roundDoneLines(about, ticket.members));
    const settled = await settledOrWithdrawn(ticket, { signal });
    if (settled.state === 'held') {
      if (ticket.kind === 'pool') terminal.print([settled.lock.board]);
      return 0;
    }
    terminal.print([failedLine(about)]);
    if (settled.state === 'ended') terminal.hint(`The ticket has ended: ${escapeText(settled.text)}.`);
    return 2;
  } catch (error) {
    if (error instanceof MqError) return refused(error, target, terminal);
    throw error;
  } finally {
    terminal.wipe();
    client.close();
  }
}

/** A wish that was refused at once. */
function refused(error: MqError, target: string, terminal: Terminal): number {
  const { kind, members, key } = refusalDetails(error);
  const about = { kind, target };
  switch (error.code) {
    case 'ALREADY_YOURS':
      terminal.print([alreadyYoursLine(key), failedLine(about)]);
      return 2;
    case 'NOT_GRANTED_IN_TIME':
      terminal.print([...attemptLines(about, members), ...roundDoneLines(about, members), failedLine(about)]);
      return 2;
    default:
      throw error;
  }
}
