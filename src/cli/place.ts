// Where a ticket stands, in one line for a person. Pure.
import type { TicketView } from '../protocol/views.ts';

type Waiting = Extract<TicketView, { state: 'waiting' }>;

/** `3rd in line for sabre_pool; sabre is held by ana since 14:02, until 14:20 at the earliest`. */
export function placeText(view: Waiting, target: string): string {
  const reasons = view.reasons.filter((reason) => reason.kind !== 'behind').map((reason) => reason.text);
  return [placeWord(view.place, target), ...reasons].join('; ');
}

function placeWord(place: number | undefined, target: string): string {
  if (place === undefined) return `Waiting for ${target}`;
  if (place === 0) return `Next in line for ${target}`;
  return `${ordinal(place + 1)} in line for ${target}`;
}

/** 1st, 2nd, 3rd, 4th, 11th, 21st, … */
export function ordinal(number: number): string {
  const teens = number % 100 >= 11 && number % 100 <= 13;
  const ending = teens ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}`;
}
