// The name of a set of boards, equal for equal sets.

const known = new WeakMap<readonly string[], string>();

/**
 * Names a set of boards whatever their order. The same list gets the same string back, not an equal one: comparing two
 * equal names of ten thousand boards would cost more than everything else in a submit.
 */
export function setName(boards: readonly string[]): string {
  let name = known.get(boards);
  if (name === undefined) {
    name = [...boards].sort().join(',');
    known.set(boards, name);
  }
  return name;
}
