/** How long a board may be held and left unused: the same keys on a board, its type, a pool and the whole lab. */
import { Type } from 'typebox';
import { duration } from './values.ts';

export const useLimits = {
  hold_max: Type.Optional(
    duration('The longest hold; past it somebody who waits may have the board.', '8h', {}),
  ),
  idle_max: Type.Optional(
    duration(
      'The longest that a lock may be without a job, console input or switch of the power; then it ends.',
      '30m',
      {},
    ),
  ),
};
