// What help on a command consists of, and the options that many commands share. Pure.

export interface CommandHelp {
  readonly summary: string;
  /** What stands behind the command's name; one line for each form. */
  readonly forms: readonly string[];
  readonly about?: readonly string[];
  readonly options?: readonly (readonly [string, string])[];
  readonly examples: readonly (readonly [string, string])[];
}

/** Commands that stand together in `mq help`, in this order. */
export interface HelpGroup {
  readonly title: string;
  readonly commands: Readonly<Record<string, CommandHelp>>;
}

export const serverOption = [
  '--server ADDR',
  'where the server is: unix:PATH, ssh://HOST or https://HOST (or MQ_SERVER, or a file)',
] as const;

export const jsonOption = ['--json', 'for programs'] as const;

/** Options of whatever takes several boards at once. */
export const boardsHelp: readonly (readonly [string, string])[] = [
  ['--count N', 'so many boards of TARGET, all together or none'],
  ['--need TARGET=N', 'and so many of another; may be given again'],
];

/** Options of whatever takes a lock. */
export function wishHelp(key: string): (readonly [string, string])[] {
  return [
    ['--key KEY', `a text that marks the lock ${key}`],
    ['--wait TIME', 'wait so long at most, such as 90s or 10m (default: for ever)'],
    ['--no-wait', 'now or never'],
    ['--hold TIME', 'from then on the lock may be taken back when somebody else waits (default: never)'],
    ['--note TEXT', 'for others to see'],
    ['--set LABEL', 'tickets that take turns with others as one (default: the CI run, where there is one)'],
    ['--priority P', 'high, normal or low; high only for whom the lab lists'],
  ];
}
