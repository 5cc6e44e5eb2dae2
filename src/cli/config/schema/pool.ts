/** A pool: a list of boards, or a selector over their attributes. */
import { Type } from 'typebox';
import { useLimits } from './use-limits.ts';
import { closed, flag, name, named, type Scalar, text } from './values.ts';

const members = { type: 'array', items: name('A board.'), uniqueItems: true, title: 'a list of boards' };

export interface SourcePool {
  boards?: string[];
  where?: Record<string, Scalar>;
  spread?: boolean;
  force?: 'anyone' | 'admin';
  hold_max?: string;
  idle_max?: string;
}

export const pool = Type.Unsafe<string[] | SourcePool>({
  ...members,
  ...closed,
  type: ['array', 'object'],
  properties: {
    boards: { ...members, description: 'The boards, in the order in which they are tried.' },
    where: named(text('The value that the attribute must have.'), {
      title: 'a mapping of attributes, such as { soc: imx6 }',
      description: 'Every board with these attributes, in the order of the file.',
    }),
    spread: flag('Prefer the board that has rested longest to the first that is free.'),
    force: Type.Unsafe<'anyone' | 'admin'>({
      enum: ['anyone', 'admin'],
      title: 'anyone or admin',
      description: 'Who may release a lock of somebody else (-f) on these boards.',
    }),
    ...useLimits,
  },
  title: 'a list of boards, { boards } or { where }',
  description: 'Boards under one name, of which any will do.',
});
