// Help for people: what there is, and for each command its options and examples. Pure; loaded only when asked for.
import { nearestName } from './config/nearest.ts';
import { runUsage, semUsage } from './legacy/usage.ts';

interface Help {
  readonly summary: string;
  /** What stands behind the command's name; one line for each form. */
  readonly forms: readonly string[];
  readonly about?: readonly string[];
  readonly options?: readonly (readonly [string, string])[];
  readonly examples: readonly (readonly [string, string])[];
}

const serverOption = [
  '--server ADDR',
  'where the server is: unix:PATH or ssh://HOST (or MQ_SERVER, or a configuration file)',
] as const;
const jsonOption = ['--json', 'for programs'] as const;

/** Options of whatever takes a lock. */
function wishHelp(key: string): (readonly [string, string])[] {
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

const helps: Readonly<Record<string, Help>> = {
  run: { summary: 'Run an image on a board, or keep a board for yourself', forms: [], examples: [] },
  sem: { summary: 'Take, give back and show the locks of boards', forms: [], examples: [] },
  lock: {
    summary: 'Take a board, or the first of several that comes free',
    forms: ['TARGET [options]'],
    about: [
      'TARGET: a board, a pool, `a,b` for any of these, or `arch=x86` for any with this attribute.',
      'Prints the name of the board. It is yours until `mq unlock`.',
    ],
    options: [
      ...wishHelp('(default 0, which is none)'),
      ['--reuse', 'a lock that you have already, with this key, will do'],
      jsonOption,
      serverOption,
    ],
    examples: [
      ['lock sabre', ''],
      ['lock sabre_pool --wait 10m --hold 1h', 'any board of the pool; others may have it after an hour'],
      ['lock arch=x86 --no-wait', 'a free one, or none'],
    ],
  },
  with: {
    summary: 'Run a command that has a board to itself',
    forms: ['TARGET [options] -- COMMAND [ARGUMENT ...]'],
    about: [
      'Takes the lock, runs COMMAND (without a shell) and gives the lock back, however COMMAND ends.',
      'COMMAND finds MQ_BOARD, MQ_KEY and the token of the lock, MQ_LOCK and MQ_TOKEN, in its environment.',
      'The exit code is that of COMMAND: 128 + the number of a signal; 127: not found; 126: can not be run;',
      '2: the lock was not had, or was lost while COMMAND, which had no fault, still ran.',
    ],
    options: [...wishHelp('(default: one of its own)'), serverOption],
    examples: [
      [`with sabre -- sh -c 'mq run -n -s "$MQ_BOARD" -k "$MQ_KEY" -c "login:" -f kernel.elf'`, ''],
      ['with sabre_pool --wait 10m --hold 1h -- make test', 'on whichever board comes free first'],
    ],
  },
  unlock: {
    summary: 'Give a board back',
    forms: ['TARGET [--key K] [--force] [--note TEXT] [--json]'],
    about: ['Ends when the board is off and free, after a minute at the latest.'],
    options: [
      ['--key KEY', 'the key that it was locked with (default 0, which is none)'],
      ['--force', 'whoever has it, with whatever key'],
      ['--note TEXT', 'why, for the one who had it'],
      jsonOption,
      serverOption,
    ],
    examples: [
      ['unlock sabre', ''],
      ['unlock sabre --force --note "its power supply is being replaced"', ''],
    ],
  },
  extend: {
    summary: 'Give a lock of yours a new end',
    forms: ['BOARD --hold TIME [--key K] [--json]'],
    options: [
      ['--hold TIME', 'from now on, such as 20m; 0: no end'],
      ['--key KEY', 'the key that it was locked with (default 0, which is none)'],
      jsonOption,
      serverOption,
    ],
    examples: [['extend sabre --hold 20m', '']],
  },
  give: {
    summary: 'Hand a lock of yours to somebody else',
    forms: ['BOARD --to USER [--key K] [--new-key K] [--json]'],
    about: ['In one step: nobody who waits gets in between. Not while a job runs on the board.'],
    options: [
      ['--to USER', 'who has the board from then on'],
      ['--key KEY', 'the key that it was locked with (default 0, which is none)'],
      ['--new-key KEY', 'the key from then on (default 0, which is none)'],
      jsonOption,
      serverOption,
    ],
    examples: [['give sabre --to bob', '']],
  },
  steal: {
    summary: "Take over somebody's lock",
    forms: ['BOARD [--key K] [--note TEXT] [--json]'],
    about: [
      'In one step: nobody who waits gets in between. For whoever may use `mq unlock --force` there.',
      'Not while a job runs on the board: cancel that first.',
    ],
    options: [
      ['--key KEY', 'the key from then on (default 0, which is none)'],
      ['--note TEXT', 'why, for the one who had it'],
      jsonOption,
      serverOption,
    ],
    examples: [['steal sabre --note "ana is on holiday"', '']],
  },
  status: {
    summary: 'Who has which board, and what waits',
    forms: ['[--watch] [--json]'],
    options: [['-w, --watch', 'show it again whenever it changes, until Ctrl+C'], jsonOption, serverOption],
    examples: [
      ['status', 'the lab at a glance'],
      ['status --watch', 'the same, kept up to date'],
      ['status --json | jq \'.boards[] | select(.state == "free").board\'', 'names of free boards'],
    ],
  },
  queue: {
    summary: 'What waits, in order, and why',
    forms: ['[NAME] [--mine] [--json]'],
    about: ['With NAME only what waits for exactly this board or pool.'],
    options: [['--mine', 'only your own tickets'], jsonOption, serverOption],
    examples: [
      ['queue', 'everything that waits'],
      ['queue sabre_pool --mine', 'your tickets for this pool'],
    ],
  },
  jobs: {
    summary: 'What runs and what ran',
    forms: ['[--mine] [--limit COUNT] [--json]'],
    options: [
      ['--mine', 'only your own jobs'],
      ['-n, --limit COUNT', 'the newest so many (default 25)'],
      jsonOption,
      serverOption,
    ],
    examples: [
      ['jobs --mine', 'your jobs and how they ended'],
      ['jobs --json --limit 100 | jq \'map(select(.verdict == "lab-fault"))\'', 'what the lab broke'],
    ],
  },
  logs: {
    summary: 'The console of a job',
    forms: ['JOB [-f] [--timestamps]'],
    about: ['Bytes come as the board sent them.'],
    options: [
      ['-f, --follow', 'go on until the job has ended'],
      ['-t, --timestamps', 'the time before each line'],
      serverOption,
    ],
    examples: [
      ['logs 81', 'what job 81 has said so far'],
      ['logs 81 -f -t', 'from its start to its end, with the time of each line'],
    ],
  },
  cancel: {
    summary: 'End a job, or stop waiting',
    forms: ['ID', '--mine'],
    options: [['--mine', 'all of your jobs and waiting tickets'], serverOption],
    examples: [
      ['cancel 81', 'ends job 81, or its ticket if it still waits'],
      ['cancel --mine', 'ends everything of yours'],
    ],
  },
  board: {
    summary: 'Take a board out of service, or bring it back',
    forms: ['drain BOARD [--note TEXT]', 'resume BOARD'],
    about: [
      'A board that drains keeps its present lock until that ends, and gives no new one.',
      'Resuming also forgets its faults. Both are for admins of the lab.',
    ],
    options: [['--note TEXT', 'why, for others to see'], serverOption],
    examples: [
      ['board drain sabre --note "new power supply, back on Monday"', ''],
      ['board resume sabre', ''],
    ],
  },
  systems: {
    summary: 'Boards and pools of the lab',
    forms: ['[simple]'],
    about: ['With `simple` only the names of the boards.'],
    examples: [
      ['systems', ''],
      ['systems simple', ''],
    ],
  },
  'system-tsv': {
    summary: 'Boards and their attributes, tab separated',
    forms: [''],
    examples: [['system-tsv', '']],
  },
  'pool-tsv': { summary: 'Pools and their boards, tab separated', forms: [''], examples: [['pool-tsv', '']] },
  features: {
    summary: 'Which boards boot Linux and take a device tree',
    forms: [''],
    examples: [['features', '']],
  },
  server: {
    summary: 'Serve a lab',
    forms: ['--config FILE [--state DIR] [--socket PATH]'],
    options: [
      ['-c, --config FILE', "the lab's boards and pools (docs/configuration.md)"],
      ['--state DIR', 'where locks, jobs and logs are kept (default /var/lib/machine-queue)'],
      ['--socket PATH', 'where clients connect (default /run/machine-queue/mq.sock)'],
      ['--drain TIME', 'how long a SIGTERM waits for jobs that end with the server (default 60s)'],
      ['--accept-clock', 'the wall clock is right though it jumped by more than a day'],
      ['--log-level LEVEL', 'debug, info, warn or error (default info)'],
    ],
    examples: [['server --config lab.yaml --state ./state --socket ./mq.sock', 'a lab for yourself']],
  },
  agent: {
    summary: 'Drive the boards of this host (the server starts one by itself)',
    forms: ['[--state DIR]'],
    options: [
      ['--state DIR', 'its folder (default /var/lib/machine-queue/agent)'],
      ['--linger TIME', 'how long to stay when no server comes and nothing runs (default 10m)'],
    ],
    examples: [['agent --state /var/lib/machine-queue/agent', '']],
  },
  connect: {
    summary: "Join stdin and stdout to the server's socket (what ssh://HOST runs on HOST)",
    forms: [''],
    about: ['Nothing to type by hand: `mq --server ssh://HOST COMMAND` starts it through ssh.'],
    options: [['--server ADDR', "the server's socket on this host: unix:PATH"]],
    examples: [['connect', '']],
  },
  import: {
    summary: "Write a lab's configuration from a checkout of the old scripts",
    forms: ['DIR [--out FILE] [--force] [--script-path PATTERN] [--power-off-path PATTERN]'],
    about: [
      'Asks DIR/mq.sh for system-tsv, pool-tsv and features, and writes boards that their old programs drive.',
      'Comments in the file say what to check. Exits with 1 where a list of mq would differ from the old one.',
    ],
    options: [
      ['-o, --out FILE', 'where to write it (default: stdout)'],
      ['--force', 'replace FILE where it is there already'],
      [
        '--script-path PATTERN',
        'the program of a board (default /tftpboot/{board}/reboot, else DIR/{board}/reboot)',
      ],
      ['--power-off-path PATTERN', 'the program that powers a board off, where that is another one'],
    ],
    examples: [
      ['import ~/machine_queue --out lab.yaml', ''],
      ["import . --script-path '/srv/boards/{board}/run'", 'to look at first'],
    ],
  },
  'check-config': {
    summary: "Every problem of a lab's configuration, and what to write instead",
    forms: ['FILE'],
    about: ['Exits with 1 where there is a problem; a warning is none.'],
    examples: [['check-config lab.yaml', '']],
  },
};

const groups: readonly (readonly [string, readonly string[]])[] = [
  [
    'Boards and jobs',
    [
      'run',
      'with',
      'lock',
      'unlock',
      'extend',
      'give',
      'steal',
      'sem',
      'status',
      'queue',
      'jobs',
      'logs',
      'cancel',
      'board',
    ],
  ],
  ['Lists', ['systems', 'system-tsv', 'pool-tsv', 'features']],
  ['The lab', ['server', 'agent', 'connect', 'import', 'check-config']],
];

/** `mq` alone, and `mq help`. */
export function usageLines(program: string): string[] {
  const lines = [
    `usage: ${program} COMMAND [OPTIONS]`,
    '',
    'Hands out the boards of a test lab, and runs images on them.',
  ];
  for (const [title, names] of groups) {
    lines.push('', `${title}:`, ...names.map((name) => `  ${name.padEnd(12)} ${helps[name]?.summary ?? ''}`));
  }
  return [
    ...lines,
    '',
    `  ${program} COMMAND --help   options and examples of a command`,
    `  ${program} --version        the version of this program`,
  ];
}

/** `mq COMMAND --help`. */
export function commandHelp(command: string, program = 'mq'): string[] {
  if (command === 'run') return runUsage(program);
  if (command === 'sem') return semUsage(program);
  const help = helps[command];
  if (!help) return usageLines(program);
  const lines = help.forms.map((form, index) =>
    `${index === 0 ? 'usage: ' : '       '}${program} ${command} ${form}`.trimEnd(),
  );
  lines.push('', `${help.summary}.`, ...(help.about ?? []));
  if (help.options) lines.push('', 'Options:', ...pairs(help.options, ''));
  lines.push('', 'Examples:', ...pairs(help.examples, `${program} `));
  return lines;
}

/** The command that was probably meant. */
export function nearestCommand(name: string): string | undefined {
  return nearestName(name, [...Object.keys(helps), 'help']);
}

export function isCommand(name: string): boolean {
  return Object.hasOwn(helps, name);
}

/** Two columns; what is too long for the first has its explanation on the next line. */
function pairs(rows: readonly (readonly [string, string])[], prefix: string): string[] {
  const column = 20;
  return rows.flatMap(([left, right]) => {
    const start = `  ${prefix}${left}`;
    if (right === '') return [start];
    if (start.length < column + 2) return [`${start.padEnd(column + 2)} ${right}`];
    return [start, `${' '.repeat(column + 3)}${right}`];
  });
}
