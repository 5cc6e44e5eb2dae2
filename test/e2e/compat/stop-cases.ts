// The old words of `run`: under a lock of one's own, reservations, signals and the death of a client.
import type { Case } from './case.ts';
import { acquired, allowed, failed, free } from './run-lines.ts';

const notMine = "Failed to run because you said you own the lock (-n flag), but you don't!";
const wrongKey = 'Failed to run because you said you own the lock (-n flag), but you gave the wrong key!';
const reserved = [
  'This is a reservation. You now own {A} and',
  'can do what you want. Press ctrl+d or enter here when done',
];
const leaving = 'Attempting to power off machine now that you are done';

const ownLockCases: readonly Case[] = [
  {
    rows: ['run 7'],
    name: '-n on a free board: the three lines',
    words: 'run -n -s {A} -c x -k x -t 5 -f done',
    stdout: [notMine, free('A'), failed('A')],
    exit: 2,
  },
  {
    rows: ['run 7'],
    name: "-n on another's board: its -info line in the middle",
    given: [{ board: 'A', byOther: true }],
    words: 'run -n -s {A} -c x -f done',
    stdout: [notMine, 'Lock for {A} held by nobody since {time}, timeout 0', failed('A')],
    exit: 2,
    left: { A: 'LOCKED nobody' },
  },
  {
    rows: ['run 8'],
    name: '-n with the wrong key: two lines',
    given: [{ board: 'A', key: 'x' }],
    words: 'run -n -s {A} -c x -k y -f done',
    stdout: [wrongKey, failed('A')],
    exit: 2,
    left: { A: 'LOCKED {me} x' },
  },
  {
    rows: ['run 9', 'run 11'],
    name: '-n with the right key: the last line and the console, and the lock stays with its key',
    given: [{ board: 'A', key: 'x y' }],
    words: ['run', '-n', '-s', '{A}', '-c', 'x', '-k', 'x y', '-f', 'done'],
    stdout: [allowed, 'done'],
    exit: 0,
    left: { A: 'LOCKED {me} x y' },
    journal: ['start', 'off'],
  },
  {
    rows: ['run 10'],
    name: '-n on a pool: lines for each member that is not it, then the first that is',
    given: [
      { board: 'A', key: 'other' },
      { board: 'B', key: 'x' },
    ],
    words: 'run -n -s {P} -c x -k x -f done',
    stdout: [wrongKey, failed('A'), allowed, 'done'],
    exit: 0,
    left: { A: 'LOCKED {me} other', B: 'LOCKED {me} x' },
  },
  {
    rows: ['run 10'],
    name: '-n on a pool: lines once, silence, and it runs when one becomes mine',
    words: 'run -n -s {P} -c x -k x -f done',
    meanwhile: [
      { until: 'printed', text: 'Failed to acquire lock for system (b' },
      { until: 'tickets', waiting: 1 },
      { run: 'sem -wait {B} -k x' },
    ],
    stdout: [notMine, free('A'), failed('A'), notMine, free('B'), failed('B'), allowed, 'done'],
    exit: 0,
    left: { B: 'LOCKED {me} x' },
  },
  {
    rows: ['run 10'],
    name: '-n on a pool of which none becomes mine in time',
    given: [{ board: 'A', key: 'other' }],
    words: 'run -n -s {P} -c x -k x -t 1 -w 1 -f done',
    stdout: [
      ...[wrongKey, failed('A'), notMine, free('B'), failed('B')],
      'Failed to acquire lock for any system in pool ({P})',
    ],
    exit: 2,
  },
  {
    rows: ['run 10'],
    name: '-n on a pool that is not to be waited for',
    words: 'run -n -s {P} -c x -k x -t 0 -w 60 -f done',
    stdout: [
      ...[notMine, free('A'), failed('A'), notMine, free('B'), failed('B')],
      'Failed to acquire lock for any system in pool ({P})',
    ],
    exit: 2,
  },
  {
    rows: ['run 19'],
    name: 'INT with -n: the job stops, the board goes off, lock and key stay',
    given: [{ board: 'A', key: 'x' }],
    words: 'run -n -s {A} -c never -k x -f hang',
    meanwhile: [{ until: 'printed', text: 'ready\n' }, { signal: 'SIGINT' }],
    stdout: [allowed, 'ready'],
    exit: 1,
    left: { A: 'LOCKED {me} x' },
    journal: ['start', 'off'],
  },
];

const reservationCases: readonly Case[] = [
  {
    rows: ['run 12'],
    name: '-r without a file ends with Enter',
    words: 'run -s {A} -r',
    stdin: 'open',
    meanwhile: [{ until: 'printed', text: 'when done\n' }, { until: 'locked', board: 'A' }, { type: '\n' }],
    stdout: [...acquired('A'), allowed, ...reserved, leaving],
    exit: 0,
    left: { A: 'FREE' },
    journal: ['off'],
  },
  ...['run -s {A} -r -c x -f done', 'run -s {A} -c x -r'].map(
    (words): Case => ({
      rows: ['run 12'],
      name: `${words}: a reservation that ends with its input`,
      words,
      stdin: 'open',
      meanwhile: [{ until: 'printed', text: 'when done\n' }, { end: 'input' }],
      stdout: [...acquired('A'), allowed, ...reserved, leaving],
      exit: 0,
      left: { A: 'FREE' },
    }),
  ),
  {
    rows: ['run 13'],
    name: '-r with a signal: released',
    words: 'run -s {A} -r',
    stdin: 'open',
    meanwhile: [{ until: 'printed', text: 'when done\n' }, { signal: 'SIGTERM' }],
    stdout: [],
    matches: /when done\n(Attempting to power off machine now that you are done\n)?$/,
    exit: 1,
    left: { A: 'FREE' },
  },
];

const stopCases: readonly Case[] = [
  ...(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGPIPE'] as const).map(
    (signal): Case => ({
      rows: ['run 21', ...(signal === 'SIGTERM' ? ['run 30'] : [])],
      name: `${signal}: the job is stopped, the board off, the lock gone`,
      words: `run -s {A} -c never -f hang -l ${signal}-{A}`,
      meanwhile: [{ until: 'printed', text: 'ready\n' }, { signal }],
      stdout: [...acquired('A'), allowed, 'ready'],
      exit: 1,
      left: { A: 'FREE' },
      journal: ['start', 'off'],
      log: { name: `${signal}-{A}`, holds: 'ready\n' },
    }),
  ),
  {
    rows: ['run 21'],
    name: 'a reader that goes away stops it too',
    words: 'run -s {A} -c never -f talk',
    meanwhile: [{ until: 'printed', text: 'line\n' }, { end: 'reader' }],
    stdout: [],
    matches: /line\n/,
    stderr: 'any',
    exit: 1,
    left: { A: 'FREE' },
    journal: ['start', 'off'],
  },
  {
    rows: ['run 21'],
    name: 'a signal to a run that waits: no ticket, no lock',
    given: [{ board: 'A', key: 'h' }],
    words: 'run -s {A} -c x -f done',
    meanwhile: [
      { until: 'printed', text: 'Lock for' },
      { until: 'tickets', waiting: 1 },
      { signal: 'SIGINT' },
    ],
    stdout: acquired('A', 'h'),
    exit: 1,
    left: { A: 'LOCKED {me} h' },
  },
  {
    rows: ['run 22'],
    name: 'a client that is killed: a -signal right after finds the lock gone or releases it',
    words: 'run -s {A} -c never -k x -f hang',
    meanwhile: [
      { until: 'printed', text: 'ready\n' },
      { signal: 'SIGKILL' },
      { run: 'sem -signal {A} -k x', stdout: /^(Attempting to unlock system a\d that you do not hold\n)?$/ },
      { run: 'sem -wait {A} -k y -w 1 -t 20' },
    ],
    stdout: [...acquired('A'), allowed, 'ready'],
    exit: -1,
    left: { A: 'LOCKED {me} y' },
    journal: ['start', 'off'],
  },
];

export const stopAndOwnCases: readonly Case[] = [...ownLockCases, ...reservationCases, ...stopCases];
