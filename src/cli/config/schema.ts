/**
 * The shape of a lab's file, as JSON Schema. It checks the file when it is read, and editors use the same schema
 * from docs/lab.schema.json. What a schema can't say (names that clash, pools that name no board) is in check.ts.
 *
 * Each `title` completes the sentence '… must be TITLE', so that an error says what would have been right.
 */
import { type Static, type TSchema, Type } from 'typebox';

/** YAML reads `cores: 4` as a number and `ram: 1.0` as another; both are text to us, as they stand in the file. */
export type Scalar = string | number | boolean;

const namePattern = '^[A-Za-z0-9][A-Za-z0-9_.+-]*$';
const nameTitle = 'a name of letters, digits, _ . + and -, that begins with a letter or digit (64 at most)';
const printable = '^[^\\u0000-\\u001f\\u007f]+$';

const closed = { additionalProperties: false } as const;

const name = (description: string) =>
  Type.String({ pattern: namePattern, maxLength: 64, title: nameTitle, description });
const names = (description: string) =>
  Type.Array(name('A name.'), { uniqueItems: true, title: 'a list of names', description });
const flag = (description: string) => Type.Boolean({ title: 'true or false', description, default: false });

/** Text on one line; numbers and booleans are taken as they are written. */
const text = (description: string) =>
  Type.Unsafe<Scalar>({
    type: ['string', 'number', 'boolean'],
    pattern: printable,
    maxLength: 200,
    title: 'text on one line (200 characters at most)',
    description,
  });

const count = (description: string, options: { default: number; maximum: number }) =>
  Type.Integer({
    minimum: 1,
    title: `a whole number from 1 to ${options.maximum}`,
    description,
    ...options,
  });
const size = (description: string, example: string) =>
  Type.String({
    pattern: '^[1-9][0-9]{0,5}(B|KB|MB|GB)$',
    title: `a size such as ${example} (units B, KB, MB, GB)`,
    description,
    default: example,
  });
const duration = (
  description: string,
  example: string,
  options: { default?: string } = { default: example },
) =>
  Type.String({
    pattern: '^(?=.)([1-9][0-9]{0,5}d)?([1-9][0-9]{0,5}h)?([1-9][0-9]{0,5}m)?([1-9][0-9]{0,5}s)?$',
    title: `a duration such as ${example} or 1h30m (units d, h, m, s)`,
    description,
    ...options,
  });

/** Names under `key: value`, where the keys are the lab's own. */
function named<Value extends TSchema>(value: Value, options: { title: string; description: string }) {
  return Type.Record(Type.String(), value, {
    minProperties: 1,
    propertyNames: { type: 'string', pattern: namePattern, maxLength: 64, title: nameTitle },
    ...options,
  });
}

const oneOrTwo = { minimum: 1, maximum: 2 };
const imageCount = (description: string) =>
  Type.Integer({ ...oneOrTwo, title: 'a number of images (1 or 2)', description });

export type SourceRange = number | { min?: number; max?: number };

const rangeKeys = {
  min: imageCount('The fewest images that a job may bring.'),
  max: imageCount('The most images that a job may bring.'),
};
const range = (description: string) =>
  Type.Unsafe<SourceRange>({
    type: ['integer', 'object'],
    ...oneOrTwo,
    ...closed,
    properties: rangeKeys,
    title: 'a number of images (1 or 2), or { min, max }',
    description,
  });

export interface SourceFiles {
  min?: number;
  max?: number;
  default?: SourceRange;
  linux?: SourceRange;
}

const files = Type.Unsafe<number | SourceFiles>({
  type: ['integer', 'object'],
  ...oneOrTwo,
  ...closed,
  properties: {
    ...rangeKeys,
    default: range('Without -L.'),
    linux: range('With -L; the same as without where it is left out.'),
  },
  title: 'a number of images (1 or 2), { min, max } or { default, linux }',
  description: 'How many images a job brings.',
  default: 1,
});

const absolutePath = (description: string) =>
  Type.String({
    pattern: '^/[^\\u0000-\\u001f\\u007f]*$',
    maxLength: 4096,
    title: 'an absolute path',
    description,
  });

/** One entry for each driver, told apart by `driver`. */
const script = Type.Object(
  {
    driver: Type.Literal('script'),
    path: absolutePath('The program that runs a job on the board.'),
    power_off_path: Type.Optional(
      absolutePath('The program that powers the board off, where that is another one.'),
    ),
  },
  { ...closed, title: 'the settings of a script' },
);
const v86 = Type.Object(
  {
    driver: Type.Literal('v86'),
    memory_mb: Type.Optional(
      Type.Integer({
        minimum: 8,
        maximum: 512,
        default: 32,
        title: 'a whole number from 8 to 512',
        description: 'Memory of the emulated PC, in MB.',
      }),
    ),
  },
  { ...closed, title: 'the settings of an emulated PC' },
);
/** The attributes that every list has a column for, in the order of `system-tsv`. */
const attributes = {
  arch: Type.Optional(text('Architecture: arm, riscv, x86.')),
  sel4_plat: Type.Optional(text('Platform name of seL4, such as imx6:sabre.')),
  isa: Type.Optional(text('Instruction set, such as armv8-a.')),
  soc: Type.Optional(text('System on chip.')),
  cpu: Type.Optional(text('Processor.')),
  cores: Type.Optional(text('Number of cores.')),
  ram: Type.Optional(text('Memory, such as 4GB.')),
  max_clk: Type.Optional(text('Highest clock rate.')),
};
export const attributeNames = Object.keys(attributes) as (keyof typeof attributes)[];

/** On a board, its type, a pool or the whole lab. */
const useLimits = {
  hold_max: Type.Optional(
    duration('The longest hold; past it somebody who waits may have the board.', '8h', {}),
  ),
  idle_max: Type.Optional(duration('The longest that a lock may be without a job; then it ends.', '30m', {})),
};

const machine = Type.Unsafe<Static<typeof script> | Static<typeof v86>>({
  type: 'object',
  required: ['driver'],
  discriminator: { propertyName: 'driver' },
  oneOf: [script, v86],
  title: 'the settings of a driver, such as { driver: v86 }',
  description: 'What drives the board.',
});

/** What a board has, and what its type may have for it. */
const boardSettings = {
  ...attributes,
  tags: Type.Optional(
    named(text('The value of the tag.'), {
      title: 'a mapping of tags',
      description: 'More attributes, of the lab’s own; selectors find boards by them.',
    }),
  ),
  files: Type.Optional(files),
  linux: Type.Optional(flag('Boots Linux over the network (-L).')),
  dtb: Type.Optional(flag('Takes a device tree (-b), with -L.')),
  ...useLimits,
  machine: Type.Optional(machine),
};

const board = Type.Object(
  {
    type: Type.Optional(name('The type whose settings this board has, where it has none of its own.')),
    aliases: Type.Optional(names('Other names under which the board is accepted.')),
    ...boardSettings,
  },
  { ...closed, title: 'a mapping of settings', description: 'A board.' },
);

const boardType = Type.Object(boardSettings, {
  ...closed,
  title: 'a mapping of settings',
  description: 'Settings of every board that names this type.',
});

const members = { type: 'array', items: name('A board.'), uniqueItems: true, title: 'a list of boards' };

export interface SourcePool {
  boards?: string[];
  where?: Record<string, Scalar>;
  spread?: boolean;
  hold_max?: string;
  idle_max?: string;
}

const pool = Type.Unsafe<string[] | SourcePool>({
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
    ...useLimits,
  },
  title: 'a list of boards, { boards } or { where }',
  description: 'Boards under one name, of which any will do.',
});

const user = (description: string) =>
  Type.Array(
    Type.String({
      pattern: '^[^\\s\\u0000-\\u001f\\u007f]+$',
      maxLength: 200,
      title: 'a user’s name',
    }),
    { uniqueItems: true, title: 'a list of users', description, default: [] },
  );

const limits = Type.Object(
  {
    tickets_per_user: Type.Optional(
      count('Tickets that one user may have waiting, over all queues.', {
        default: 1_000,
        maximum: 1_000_000,
      }),
    ),
    queue_length: Type.Optional(count('Tickets in one queue.', { default: 20_000, maximum: 1_000_000 })),
    image_bytes_max: Type.Optional(size('Size of one image.', '512MB')),
    log_bytes_max: Type.Optional(size('Console bytes kept of one job.', '256MB')),
    job_max: Type.Optional(duration('The end of a job that gave no limit (-d) of its own.', '2h')),
    ad_hoc_queues_per_board: Type.Optional(
      count('Queues of ad-hoc sets and selectors in which one board may be.', {
        default: 64,
        maximum: 10_000,
      }),
    ),
    open_streams: Type.Optional(
      count('Streams that all clients together may have open.', {
        default: 20_000,
        maximum: 1_000_000,
      }),
    ),
  },
  { ...closed, title: 'a mapping of limits', description: 'A limit on everything that grows.' },
);

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
        description: 'Files with more boards, types and pools.',
      }),
    ),
    types: Type.Optional(
      named(boardType, { title: 'a mapping of types', description: 'What boards have in common, by name.' }),
    ),
    pools: Type.Optional(named(pool, { title: 'a mapping of pools', description: 'The pools, by name.' })),
    socket_group: Type.Optional(
      Type.String({
        pattern: '^[^\\s:,\\u0000-\\u001f\\u007f]+$',
        maxLength: 64,
        title: 'the name of a group',
        description: 'Only members of this group may connect; without it every local user may.',
      }),
    ),
    priority: Type.Optional(
      Type.Object(
        { high: Type.Optional(user('Users who may submit in the class high.')) },
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
    admins: Type.Optional(user('Users with the role admin.')),
    discipline: Type.Optional(
      Type.Unsafe<'turns' | 'fifo'>({
        enum: ['turns', 'fifo'],
        default: 'turns',
        title: 'turns or fifo',
        description: 'Within a class, sets take turns; or first come, first served.',
      }),
    ),
    set_from_key: Type.Optional(
      Type.String({
        pattern: printable,
        maxLength: 200,
        title: 'a regular expression, such as -([0-9]+)-',
        description: 'What of a key names the set, where the client names none.',
      }),
    ),
    ...useLimits,
    limits: Type.Optional(limits),
  },
  {
    ...closed,
    title: 'a mapping that begins with lab and boards',
    description: 'The configuration of a lab.',
  },
);

export type SourceLab = Static<typeof labSchema>;
export type SourceBoard = Static<typeof board>;
export type SourceMachine = NonNullable<SourceBoard['machine']>;
export type SourceType = Static<typeof boardType>;
