/**
 * The shape of a lab's file, as JSON Schema. It checks the file when it is read, and editors use the same schema
 * from docs/lab.schema.json. What a schema can't say (names that clash, pools that name no board) is in ../check.ts.
 *
 * Each `title` completes the sentence '… must be TITLE', so that an error says what would have been right.
 */
import { type Static, Type } from 'typebox';
import { board, boardType } from './board.ts';
import { limits } from './limits.ts';
import { listen } from './listen.ts';
import { mail } from './mail.ts';
import { powerUnits } from './parts.ts';
import { pool } from './pool.ts';
import { retention } from './retention.ts';
import { useLimits } from './use-limits.ts';
import { absolutePath, closed, duration, named, printable, text, users } from './values.ts';

export const labSchema = Type.Object(
  {
    lab: text('The name of the lab.'),
    boards: named(board, { title: 'a mapping of boards', description: 'The boards, by name.' }),
    include: Type.Optional(
      Type.Unsafe<string | string[]>({
        type: ['string', 'array'],
        pattern: printable,
        maxLength: 4096,
        items: { type: 'string', pattern: printable, maxLength: 4096, title: 'the path of a file' },
        uniqueItems: true,
        title: 'the path of a file, such as boards.d/*.yaml, or a list of them',
        description: 'Files with more boards, types, power units and pools.',
      }),
    ),
    types: Type.Optional(
      named(boardType, { title: 'a mapping of types', description: 'What boards have in common, by name.' }),
    ),
    power_units: Type.Optional(powerUnits),
    pools: Type.Optional(named(pool, { title: 'a mapping of pools', description: 'The pools, by name.' })),
    socket_group: Type.Optional(
      Type.String({
        pattern: '^[^\\s:,\\u0000-\\u001f\\u007f]+$',
        maxLength: 64,
        title: 'the name of a group',
        description: 'Only members of this group may connect; without it every local user may.',
      }),
    ),
    listen: Type.Optional(listen),
    priority: Type.Optional(
      Type.Object(
        { high: Type.Optional(users('Users who may submit in the class high.')) },
        { ...closed, title: 'a mapping of classes', description: 'Who may ask for more than normal.' },
      ),
    ),
    force: Type.Optional(
      Type.Unsafe<'anyone' | 'admin'>({
        enum: ['anyone', 'admin'],
        default: 'anyone',
        title: 'anyone or admin',
        description: 'Who may release a lock of somebody else (-f).',
      }),
    ),
    admins: Type.Optional(users('Users with the role admin.')),
    discipline: Type.Optional(
      Type.Unsafe<'turns' | 'fifo'>({
        enum: ['turns', 'fifo'],
        default: 'turns',
        title: 'turns or fifo',
        description: 'Within a class, sets take turns; or first come, first served.',
      }),
    ),
    gather_max: Type.Optional(
      duration('How long free boards are kept for somebody who asked for several and waits for more.', '10m'),
    ),
    set_from_key: Type.Optional(
      Type.String({
        pattern: printable,
        maxLength: 200,
        title: 'a regular expression, such as -([0-9]+)-',
        description: 'What of a key names the set, where the client names none.',
      }),
    ),
    lock_files: Type.Optional(
      absolutePath('The folder in which clients of the old scripts lock boards by files: ours do so too.'),
    ),
    ...useLimits,
    mail: Type.Optional(mail),
    limits: Type.Optional(limits),
    retention: Type.Optional(retention),
  },
  {
    ...closed,
    title: 'a mapping that begins with lab and boards',
    description: 'The configuration of a lab.',
  },
);

export type SourceLab = Static<typeof labSchema>;
