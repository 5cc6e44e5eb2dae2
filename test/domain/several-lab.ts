// A small lab and the words for tests of tickets for several boards.
import type { TargetSpec } from '../../src/domain/records.ts';
import type { Lab, Wish } from './lab.ts';

export const three = {
  boards: ['b1', 'b2', 'b3'],
  pools: { p: ['b1', 'b2', 'b3'], q: ['b1', 'b2'], one: ['b1'] },
};

/** `p*2 b3`: two boards of p, and b3. */
export function askAll(lab: Lab, user: string, text: string, wish: Wish & { waitSeconds?: number } = {}) {
  const needs = text.split(' ').map((word) => {
    const [name = '', count = '1'] = word.split('*');
    const parsed = lab.state.labIndex.parseTarget(name);
    if (!parsed.ok) throw new Error(`unknown ${parsed.unknown}`);
    return { target: parsed.target, count: Number(count) };
  });
  const target: TargetSpec = { kind: 'several', needs };
  return lab.submit(user, 'b1', { ...wish, target } as Wish);
}

export function ticketOf(reply: ReturnType<typeof askAll>): number {
  if (!('ticket' in reply)) throw new Error(`no ticket but ${JSON.stringify(reply)}`);
  return reply.ticket;
}

export function offeredAll(lab: Lab, ticket: number): string[] {
  return (lab.state.tickets.get(ticket)?.offer?.all ?? []).map(({ board }) => board);
}

export function keptBoards(lab: Lab, ticket: number): string[] {
  return [...lab.state.kept].filter(([, id]) => id === ticket).map(([board]) => board);
}
