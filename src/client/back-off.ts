// How long to wait before the next attempt to reach the server. Pure.

const firstMs = 50;
const longestMs = 1000;

/**
 * Milliseconds to wait before attempt number `attempt` (0: the first, at once). Doubles from 50 ms to 1 s, and is
 * shortened by up to a half at random, so that the clients of a server that was away do not all come at once.
 *
 * @param random from 0 up to but not with 1
 */
export function backOffMs(attempt: number, random: number): number {
  if (attempt <= 0) return 0;
  const ms = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 10));
  return ms * (1 - random / 2);
}
