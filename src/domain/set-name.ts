// The name of a set of boards, equal for equal sets.

/** Names a set of boards whatever their order. */
export function setName(boards: readonly string[]): string {
  return [...boards].sort().join(',');
}
