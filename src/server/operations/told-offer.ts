// The answer to a submit in a lab with lock files: a board that was granted is told only when its lock file is made, so
// the answer waits for that. Where another's file was quicker, the ticket waits on, and the answer says so.
import { isMaking } from '../../domain/lock-files.ts';
import type { TicketRecord } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import type { ResponseOf } from '../../protocol/operations.ts';
import type { TicketView } from '../../protocol/views.ts';
import type { LabServer } from '../lab-server.ts';
import { viewMember, viewTicket } from '../views.ts';

type SubmitResponse = ResponseOf<'submit'>;

/** A look at the ticket is worth it after so long even without news. */
const newsMsMax = 30_000;

/** `view` undefined: the ticket has ended meanwhile. */
export type Told = Omit<SubmitResponse, 'view'> & { readonly view: TicketView | undefined };

/** Resolves in the turn of a look at the state: what comes after is told by events. */
export async function whenMade(
  lab: LabServer,
  answer: SubmitResponse,
  options: { target: string; signal: AbortSignal | undefined; onTold: () => void },
): Promise<Told> {
  let granted: string | undefined;
  while (true) {
    const news = lab.ticketNews.next(answer.ticket, newsMsMax);
    const told = await lab.core.read((state) => {
      const ticket = state.tickets.get(answer.ticket);
      const isOpen = ticket !== undefined && !options.signal?.aborted;
      if (isOpen && isMaking(state, ticket)) {
        granted ??= ticket.offer?.board;
        return undefined;
      }
      // It ends in a moment.
      if (isOpen && granted !== undefined && isPastWait(ticket, lab.clock.now())) return undefined;
      options.onTold();
      return tell(state, answer, { ...options, granted });
    });
    if (told) {
      lab.ticketNews.note(answer.ticket);
      return told;
    }
    await news;
  }
}

function isPastWait({ state, deadline }: TicketRecord, now: number): boolean {
  return state === 'waiting' && deadline !== undefined && deadline <= now;
}

function tell(
  state: State,
  answer: SubmitResponse,
  { target, granted }: { target: string; granted: string | undefined },
): Told {
  const ticket = state.tickets.get(answer.ticket);
  const view = ticket && viewTicket(state, ticket, { places: false });
  const board = view?.state === 'offered' ? view.board : undefined;
  // As it was granted at first, or as it stood all along.
  if (granted === undefined || granted === board || ticket?.parts) return { ...answer, view };
  const boards = ticket
    ? state.labIndex.resolve(ticket.target, ticket.needs).boards
    : boardsOf(state, target);
  const members = answer.members.length === 0 ? [] : membersNow(state, boards, board);
  return { ...answer, members, view };
}

/** The members that were passed over, and the one that was taken, which counts as it was before. */
function membersNow(state: State, boards: readonly string[], taken: string | undefined) {
  const end = taken === undefined ? boards.length : boards.indexOf(taken);
  const passed = boards.slice(0, end).map((board) => viewMember({ board, lock: state.locks.get(board) }));
  return taken === undefined
    ? passed
    : [...passed.filter(({ lock }) => lock), viewMember({ board: taken, lock: undefined })];
}

function boardsOf(state: State, target: string): readonly string[] {
  const parsed = state.labIndex.parseTarget(target);
  return parsed.ok ? state.labIndex.members(parsed.target) : [];
}
