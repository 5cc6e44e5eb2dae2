// Which boards go to which parts of a wish for several: a maximum matching of a bipartite graph, by augmenting paths
// from the boards (Kuhn's algorithm: O(boards × edges)). Pure; the same input gives the same answer.

/**
 * Gives as many parts as can be a board each, no board twice.
 *
 * @param boards each once, the preferred first: of all best answers the one whose boards come first in this order
 * @param partsFor the parts that a board would do for, each a whole number below `partCount`
 * @returns for each part its board; undefined where it gets none
 */
export function matchBoards(
  boards: readonly string[],
  partsFor: (board: string) => readonly number[],
  partCount: number,
): (string | undefined)[] {
  const boardOf: (string | undefined)[] = Array.from({ length: partCount });
  let left = partCount;
  const place = (board: string, seen: Set<number>): boolean => {
    for (const part of partsFor(board)) {
      if (seen.has(part)) continue;
      seen.add(part);
      const holder = boardOf[part];
      // Whoever has the part may do for another; once placed, a board stays placed.
      if (holder !== undefined && !place(holder, seen)) continue;
      boardOf[part] = board;
      return true;
    }
    return false;
  };
  for (const board of boards) {
    if (left === 0) break;
    if (place(board, new Set())) left -= 1;
  }
  return boardOf;
}
