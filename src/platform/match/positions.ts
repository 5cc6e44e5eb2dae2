// The position automaton (Glushkov's) of an expression: one position for each byte that the expression spells
// out, no moves without a byte. Conditions such as ^ and \b end up on the links between positions.
//
// Links are kept as products 'all of these sources to all of these targets', the way the construction finds
// them: word-ops.ts turns each into a few operations on words.

import { ANY_BYTE, type ByteSet } from './byte-set.ts';
import type { Expression } from './expression.ts';
import { LINKS_MAX } from './limits.ts';
import { isImpossible, LOOKS, TEXT_END, TEXT_START } from './look.ts';

/** Position 0. It is always active, because a match may begin anywhere, and stands before the first byte. */
export const START = 0;

export interface Links {
  readonly look: number;
  readonly sources: readonly number[];
  readonly targets: readonly number[];
}

export interface Positions {
  /** What each position matches. */
  readonly sets: readonly ByteSet[];
  readonly links: readonly Links[];
  /** Positions that end a match where `look` holds. */
  readonly finals: readonly { readonly look: number; readonly position: number }[];
}

/** A position and the conditions on its far side, as `position * LOOKS + look`. */
type Ends = readonly number[];

interface Fragment {
  /** The conditions under which it matches without a byte; none: never. */
  readonly empty: readonly number[];
  readonly first: Ends;
  readonly last: Ends;
}

/** Returns nothing if the lists would grow past LINKS_MAX. */
export function positionsOf(expression: Expression): Positions | undefined {
  const builder = new Builder();
  const whole = builder.build(expression);
  if (builder.isOverfull) return undefined;
  builder.link([START * LOOKS], whole.first);
  const ends = [...whole.last, ...whole.empty.map((look) => START * LOOKS + look)];
  const finals = ends.map((end) => ({ look: end % LOOKS, position: Math.floor(end / LOOKS) }));
  return {
    sets: builder.sets,
    links: builder.links,
    finals: finals.filter((final) => final.position === START || (final.look & TEXT_START) === 0),
  };
}

const NOTHING: Fragment = { empty: [], first: [], last: [] };

class Builder {
  readonly sets: ByteSet[] = [ANY_BYTE];
  readonly links: Links[] = [];
  #linksHeld = 0;

  build(expression: Expression): Fragment {
    if (this.isOverfull) return NOTHING;
    switch (expression.kind) {
      case 'bytes': {
        const position = this.sets.push(expression.set) - 1;
        return { empty: [], first: [position * LOOKS], last: [position * LOOKS] };
      }
      case 'look':
        return { empty: [expression.look], first: [], last: [] };
      case 'sequence':
        return expression.parts.reduce<Fragment>((before, part) => this.#then(before, this.build(part)), {
          empty: [0],
          first: [],
          last: [],
        });
      case 'choice': {
        const parts = expression.parts.map((part) => this.build(part));
        return {
          empty: fewest(parts.flatMap((part) => part.empty)),
          first: parts.flatMap((part) => part.first),
          last: parts.flatMap((part) => part.last),
        };
      }
      case 'repeat':
        return this.#repeat(expression.body, expression.min, expression.max);
    }
  }

  /** Links every source to every target, sorted by the conditions of both. */
  link(sources: Ends, targets: Ends): void {
    const targetsByLook = byLook(targets);
    for (const [sourceLook, from] of byLook(sources)) {
      for (const [targetLook, to] of targetsByLook) {
        const look = sourceLook | targetLook;
        // A byte follows, and behind any position but the start one went before.
        const isDead = isImpossible(look) || (look & TEXT_END) !== 0;
        const alive = (look & TEXT_START) === 0 ? from : from.filter((position) => position === START);
        if (isDead || alive.length === 0) continue;
        this.#hold(alive.length + to.length);
        if (!this.isOverfull) this.links.push({ look, sources: alive, targets: to });
      }
    }
  }

  #then(before: Fragment, after: Fragment): Fragment {
    this.link(before.last, after.first);
    const first =
      before.empty.length > 0 ? [...before.first, ...under(before.empty, after.first)] : before.first;
    const last = after.empty.length > 0 ? [...under(after.empty, before.last), ...after.last] : after.last;
    this.#hold((first === before.first ? 0 : first.length) + (last === after.last ? 0 : last.length));
    return {
      empty: fewest(before.empty.flatMap((one) => after.empty.map((other) => one | other))),
      first,
      last,
    };
  }

  /**
   * Copies of the body in a row. If the body can be passed without a byte, or only some copies are needed, a
   * match may end after any copy but begins at the first: b{2,4} is bb(b(b)?)?. That keeps the number of links
   * in proportion to the copies.
   */
  #repeat(body: Expression, min: number, max: number): Fragment {
    const head = this.build(body);
    const isFree = head.empty.includes(0);
    const needed = isFree ? 0 : min;
    if (needed > 0 && head.empty.length > 0) return this.#repeatUnderConditions(head, body, min, max);
    const copies = max === Number.POSITIVE_INFINITY ? Math.max(needed, 1) : max;
    const last: number[] = [];
    let copy = head;
    for (let count = 1; ; count++) {
      if (count >= needed) last.push(...copy.last);
      if (count === copies) break;
      const next = this.build(body);
      this.link(copy.last, next.first);
      copy = next;
    }
    if (max === Number.POSITIVE_INFINITY) this.link(copy.last, copy.first);
    return { empty: needed === 0 ? [0] : [], first: head.first, last };
  }

  /** For bodies such as (?:\b|x): a copy passed without a byte still asks for its condition. */
  #repeatUnderConditions(head: Fragment, body: Expression, min: number, max: number): Fragment {
    let whole = head;
    let copy = head;
    for (let count = 2; count <= min; count++) {
      copy = this.build(body);
      whole = this.#then(whole, copy);
    }
    if (max === Number.POSITIVE_INFINITY) this.link(copy.last, copy.first);
    return max === Number.POSITIVE_INFINITY || max === min
      ? whole
      : this.#then(whole, this.#repeat(body, 0, max - min));
  }

  #hold(numbers: number): void {
    this.#linksHeld += numbers;
  }

  /** Past the bound nothing is kept any more, and the result is worth nothing. */
  get isOverfull(): boolean {
    return this.#linksHeld > LINKS_MAX;
  }
}

/** The ends, under one of the given conditions besides their own. */
function under(looks: readonly number[], ends: Ends): number[] {
  const all = new Set(looks.flatMap((look) => ends.map((end) => end | look)));
  return [...all].filter((end) => !isImpossible(end % LOOKS));
}

/** Conditions without those that ask for more than another one does. */
function fewest(looks: readonly number[]): number[] {
  const possible = [...new Set(looks)].filter((look) => !isImpossible(look));
  return possible.filter((look) => !possible.some((other) => other !== look && (look & other) === other));
}

function byLook(ends: Ends): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const end of ends) {
    const look = end % LOOKS;
    const group = groups.get(look);
    if (group === undefined) groups.set(look, [Math.floor(end / LOOKS)]);
    else group.push(Math.floor(end / LOOKS));
  }
  return groups;
}
