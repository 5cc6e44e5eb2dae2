// Waiting for a ticket with a person at the other end: shows the place, and withdraws when asked to stop.
import type { Client } from '../client/client.ts';
import { type Settled, submitTicket, type Ticket, type TicketOptions } from '../client/ticket.ts';
import type { RequestOf } from '../protocol/operations.ts';
import { abortable } from './abortable.ts';
import { placeText } from './place.ts';
import type { Terminal } from './terminal/terminal.ts';

export interface AwaitOptions {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** What it waits for, where that is more than the wish's target. */
  readonly about?: string;
  readonly onJob?: NonNullable<TicketOptions['onJob']>;
}

/** Submits, and keeps a line about its place on a watched terminal. */
export function submitWatched(
  client: Client,
  wish: Omit<RequestOf<'submit'>, 'requestId'>,
  { terminal, signal, about = wish.target, onJob }: AwaitOptions,
): Promise<Ticket> {
  return submitTicket(client, wish, {
    signal,
    places: terminal.isWatched,
    onView: (view) => {
      if (view.state === 'waiting') terminal.status(placeText(view, about));
      else terminal.wipe();
    },
    ...(onJob ? { onJob } : {}),
  });
}

/**
 * As `ticket.settled()`. When the signal aborts, the ticket is withdrawn, or the job that it has become by then is
 * stopped, and then the promise rejects with the signal's reason.
 */
export async function settledOrWithdrawn(
  ticket: Ticket,
  { signal }: { signal: AbortSignal },
): Promise<Settled> {
  try {
    return await abortable(ticket.settled(), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    const view = await ticket.withdraw();
    if (view.state === 'started') {
      await ticket.cancelJob();
      await ticket.jobEnded();
    }
    throw error;
  }
}

/** Says on a watched terminal when the server is away and when it is back. */
export function tellLink(terminal: Terminal): (state: 'up' | 'lost') => void {
  return (state) =>
    terminal.hint(state === 'lost' ? 'The server is away; trying to reach it again.' : 'The server is back.');
}
