// The lines with which a run begins and fails.

export const allowed = 'Lock acquired, we are allowed to run';
export const failed = (board: string) => `Failed to acquire lock for system ({${board}})`;
export const free = (board: string) => `Lock for {${board}} currently free`;

/** @param key of the caller's own lock on it */
export function acquired(board: string, key?: string): string[] {
  const held = `Lock for {${board}} held by {me} since {time}, timeout 0 with key '${key}'`;
  return [`Acquiring lock for {${board}}`, key === undefined ? free(board) : held];
}

/** The same for a member of the pool. */
export function boards(board: string, key?: string): string[] {
  return [`Attempting system {${board}} in pool {P}`, ...acquired(board, key)];
}
