// What a pattern may cost. Whatever goes beyond is refused when it is compiled, so that a pattern that is accepted
// is quick on any bytes: there is nothing left to go wrong while a board runs.

/** Characters of a pattern's source. */
export const SOURCE_CHARACTERS_MAX = 10_000;
/** RE2's own bound on {n,m}. */
export const REPEAT_MAX = 1000;
/** Bytes that a pattern may spell out once its repeats are written out. */
export const STEPS_MAX = 2047;
/** Groups within groups. */
export const DEPTH_MAX = 250;
/** Numbers in the lists of predecessors and successors while a pattern is built. */
export const LINKS_MAX = 200_000;
/** Machine operations that a byte may take, roughly. This decides the slowest pattern: see bench/match.ts. */
export const OPERATIONS_MAX = 320;
