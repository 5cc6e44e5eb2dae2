// Conditions on the place between two bytes: ^ $ \A \z \b \B. A set of them is a number, one bit a condition.
//
// A place is known from two sides. What lies behind it is the *kind* that a matcher's state carries along;
// what lies ahead is a property of the next byte's class, or of the end of the input.

export const TEXT_START = 1;
export const LINE_START = 2;
export const TEXT_END = 4;
export const LINE_END = 8;
export const WORD_BOUNDARY = 16;
export const NOT_WORD_BOUNDARY = 32;
/** A set of conditions fits below this: `position * LOOKS + look` packs both. */
export const LOOKS = 64;

/** Conditions that the next byte decides. */
export const LOOKS_AHEAD = TEXT_END | LINE_END | WORD_BOUNDARY | NOT_WORD_BOUNDARY;

/** Kinds of what lies behind a place; TEXT_START and LINE_START are the first two bits. */
export const AFTER_WORD = 4;
/** Kinds of what lies ahead; TEXT_END and LINE_END are bits of it. */
export const BEFORE_WORD = 16;

/** The kind behind the first byte, and the kind ahead of the end. */
export const KIND_AT_START = TEXT_START | LINE_START;
export const KIND_AT_END = TEXT_END | LINE_END;

/** The conditions that hold between `behind` and `ahead`. */
export function looksThatHold(behind: number, ahead: number): number {
  const wordBehind = (behind & AFTER_WORD) !== 0;
  const wordAhead = (ahead & BEFORE_WORD) !== 0;
  return (
    (behind & (TEXT_START | LINE_START)) |
    (ahead & (TEXT_END | LINE_END)) |
    (wordBehind === wordAhead ? NOT_WORD_BOUNDARY : WORD_BOUNDARY)
  );
}

/** No place is a word boundary and none at once. */
export function isImpossible(look: number): boolean {
  return (look & WORD_BOUNDARY) !== 0 && (look & NOT_WORD_BOUNDARY) !== 0;
}
