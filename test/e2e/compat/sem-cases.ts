// The old words of `sem`: what they print and how they end.
import type { Case, Lock } from './case.ts';

const yours = 'Attempting to grab lock you already own. Please explicitly release';
const yoursByKey = 'Attempting to grab lock you already own with the same key. Please explicitly release';
const failed = 'Failed to acquire lock for system ({A})';
const failedPool = 'Failed to acquire lock for any system in pool ({P})';
const attempt = (board: string) => `Attempting system {${board}} in pool {P}`;
const done = 'Done attempting system {B} in pool {P}';
const notMine = (board: string) => `Attempting to unlock system {${board}} that you do not hold`;
const wrongKey = (board: string) => `Attempting to unlock system {${board}} with the wrong key!`;
const oddKey = `owner/repo-Some workflow (x): it's "q" $(id) \`id\`; .* \\ é-job-3`;
const mine = (board: 'A' | 'B', key?: string, words?: string): Lock => ({
  board,
  ...(key === undefined ? {} : { key }),
  ...(words === undefined ? {} : { words }),
});
const others: Lock = { board: 'A', byOther: true };
const bothTaken = [mine('A', 'a'), mine('B', 'a')];
const list = [
  "System or pool 'nosuch' does not exist. Valid systems are",
  '{boards}',
  'Valid pools are',
  '{pools}',
];

export const waitCases: readonly Case[] = [
  {
    rows: ['sem 1'],
    name: 'a free board is locked without a word',
    words: 'sem -wait {A}',
    stdout: [],
    exit: 0,
    left: { A: 'LOCKED {me}' },
  },
  {
    rows: ['sem 1', 'sem 25'],
    name: 'a free board under its other name, with a key and -T, verb last',
    words: 'sem -T 600 -k x -wait {alias}',
    stdout: [],
    exit: 0,
    left: { A: 'LOCKED {me} x' },
  },
  {
    rows: ['sem 2'],
    name: 'a board that is mine with no key is refused at once',
    given: [mine('A')],
    words: 'sem -wait {A}',
    stdout: [yours, failed],
    exit: 2,
    left: { A: 'LOCKED {me}' },
  },
  {
    rows: ['sem 3'],
    name: 'a board that is mine with the same key is refused at once',
    given: [mine('A', 'x')],
    words: 'sem -wait {A} -k x',
    stdout: [yoursByKey, failed],
    exit: 2,
  },
  {
    rows: ['sem 4'],
    name: 'a board that is mine with another key is waited for, -w times -t',
    given: [mine('A', 'a')],
    words: 'sem -wait {A} -k b -w 1 -t 2',
    stdout: [failed],
    exit: 2,
    left: { A: 'LOCKED {me} a' },
  },
  {
    rows: ['sem 4'],
    name: 'a board that another holds is waited for, and had when it is released',
    given: [others],
    words: 'sem -wait {A} -k next',
    meanwhile: [{ until: 'tickets', waiting: 1 }, { run: 'sem -signal {A} -f' }],
    stdout: [],
    exit: 0,
    left: { A: 'LOCKED {me} next' },
  },
  {
    rows: ['sem 5'],
    name: '-t 0 fails at once on a board',
    given: [mine('A', 'a')],
    words: 'sem -t 0 -wait {A} -w 60',
    stdout: [failed],
    exit: 2,
  },
  {
    rows: ['sem 5', 'sem 8'],
    name: '-t 0 fails at once on a pool',
    given: bothTaken,
    words: 'sem -wait {P} -w 60 -t 0',
    stdout: [attempt('A'), attempt('B'), done, failedPool],
    exit: 2,
  },
  {
    rows: ['sem 6'],
    name: 'a pool of which the first is free',
    words: 'sem -wait {P}',
    stdout: [attempt('A'), '{A}'],
    exit: 0,
    left: { A: 'LOCKED {me}', B: 'FREE' },
  },
  {
    rows: ['sem 6'],
    name: 'a pool whose first member is mine with the same key: passed over',
    given: [mine('A', 'x')],
    words: 'sem -wait {P} -k x',
    stdout: [attempt('A'), attempt('B'), '{B}'],
    exit: 0,
    left: { B: 'LOCKED {me} x' },
  },
  {
    rows: ['sem 7'],
    name: 'a pool with none free: the lines once, silence, the name',
    given: bothTaken,
    words: 'sem -wait {P} -k w -w 1',
    meanwhile: [
      { until: 'printed', text: 'Done attempting' },
      { until: 'tickets', waiting: 1 },
      { run: 'sem -signal {B} -k a' },
    ],
    stdout: [attempt('A'), attempt('B'), done, '{B}'],
    exit: 0,
    left: { B: 'LOCKED {me} w' },
  },
  {
    rows: ['sem 8'],
    name: 'a pool of which none comes free in time',
    given: bothTaken,
    words: 'sem -wait {P} -k w -w 1 -t 1',
    stdout: [attempt('A'), attempt('B'), done, failedPool],
    exit: 2,
  },
  ...(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const).map(
    (signal): Case => ({
      rows: ['sem 26'],
      name: `${signal} to a command that waits: not 0, no ticket, no lock`,
      given: [mine('A', 'a')],
      words: 'sem -wait {A} -k w',
      meanwhile: [{ until: 'tickets', waiting: 1 }, { signal }],
      stdout: [],
      exit: 1,
      left: { A: 'LOCKED {me} a' },
    }),
  ),
  {
    rows: ['sem 27'],
    name: 'a key of any text',
    words: ['sem', '-wait', '{A}', '-k', oddKey],
    stdout: [],
    exit: 0,
    left: { A: `LOCKED {me} ${oddKey}` },
  },
  ...['-k', '*', ' ', "it's", 'a:b', '$HOME', ''].map(
    (key): Case => ({
      rows: ['sem 27', 'sem 11'],
      name: `the key '${key}' is not another one`,
      given: [mine('A', key)],
      words: ['sem', '-signal', '{A}', '-k', `${key}x`],
      stdout: [wrongKey('A')],
      exit: 0,
    }),
  ),
];

export const signalCases: readonly Case[] = [
  {
    rows: ['sem 9', 'sem 25'],
    name: '-signal of mine with the right key is silent, flags first',
    given: [mine('A', oddKey)],
    words: ['sem', '-k', oddKey, '-signal', '{A}'],
    stdout: [],
    exit: 0,
    left: { A: 'FREE' },
  },
  {
    rows: ['sem 10'],
    name: '-signal of a free board',
    words: 'sem -signal {A}',
    stdout: [notMine('A')],
    exit: 0,
  },
  {
    rows: ['sem 10'],
    name: "-signal of another's board leaves it",
    given: [others],
    words: 'sem -signal {A}',
    stdout: [notMine('A')],
    exit: 0,
    left: { A: 'LOCKED nobody' },
  },
  {
    rows: ['sem 11'],
    name: '-signal of mine without its key leaves it',
    given: [mine('A', 'x')],
    words: 'sem -signal {A}',
    stdout: [wrongKey('A')],
    exit: 0,
    left: { A: 'LOCKED {me} x' },
  },
  {
    rows: ['sem 12', 'sem 25'],
    name: "-f -signal of another's board",
    given: [others],
    words: 'sem -f -signal {A}',
    stdout: [],
    exit: 0,
    left: { A: 'FREE' },
  },
  {
    rows: ['sem 12'],
    name: '-signal -f of a free board',
    words: 'sem -signal {A} -f -k k',
    stdout: [],
    exit: 0,
  },
  {
    rows: ['sem 13'],
    name: '-signal of a pool: a line for each that is not mine with that key',
    given: [mine('A', 'x'), mine('B', 'y')],
    words: 'sem -signal {P} -k x',
    stdout: [wrongKey('B')],
    exit: 0,
    left: { A: 'FREE', B: 'LOCKED {me} y' },
  },
  {
    rows: ['sem 14'],
    name: '-signal -f of a pool releases every member',
    given: [others, mine('B', 'y')],
    words: 'sem -signal {P} -f',
    stdout: [],
    exit: 0,
    left: { A: 'FREE', B: 'FREE' },
  },
  {
    rows: ['sem 15'],
    name: '-info of a free board',
    words: 'sem -info {A}',
    stdout: ['Lock for {A} currently free'],
    exit: 0,
  },
  {
    rows: ['sem 15'],
    name: '-info with holder, time, time-out and key',
    given: [mine('A', 'a key', '-T 30')],
    words: 'sem -info {A}',
    stdout: ["Lock for {A} held by {me} since {time}, timeout 30 with key 'a key'"],
    exit: 0,
  },
  {
    rows: ['sem 15'],
    name: '-info without a key and -T',
    given: [mine('A')],
    words: 'sem -info {A}',
    stdout: ['Lock for {A} held by {me} since {time}, timeout 0'],
    exit: 0,
  },
  {
    rows: ['sem 16'],
    name: '-mr-info of a free board',
    words: 'sem -mr-info {A}',
    stdout: ['{A} FREE'],
    exit: 0,
  },
  {
    rows: ['sem 16'],
    name: '-mr-info with key and without',
    given: [mine('A', 'a key')],
    words: 'sem -mr-info {A}',
    stdout: ['{A} LOCKED {me} {time} a key'],
    exit: 0,
  },
  {
    rows: ['sem 17', 'sem 16'],
    name: '-mr-info of a pool',
    given: [mine('A')],
    words: 'sem -mr-info {P}',
    stdout: ['{A} LOCKED {me} {time}', '{B} FREE'],
    exit: 0,
  },
  {
    rows: ['sem 17'],
    name: '-info of a pool',
    given: [mine('B')],
    words: 'sem -info {P}',
    stdout: ['Lock for {A} currently free', 'Lock for {B} held by {me} since {time}, timeout 0'],
    exit: 0,
  },
  {
    rows: ['sem 18'],
    alone: true,
    name: 'dumpall has the locked boards and no others',
    given: [mine('A', 'a key'), mine('B')],
    words: 'sem dumpall',
    stdout: ['{A} LOCKED {me} {time} a key', '{B} LOCKED {me} {time}'],
    exit: 0,
  },
  { rows: ['sem 18'], alone: true, name: 'dumpall of a free lab', words: 'sem dumpall', stdout: [], exit: 0 },
];

export const wordCases: readonly Case[] = [
  {
    rows: ['sem 19'],
    name: '-cancel is silent, and leaves a key that is not exactly that',
    given: [mine('A', 'a')],
    words: ['sem', '-cancel', '{A}', '-k', 'o/r-1 .*'],
    stdout: [],
    exit: 0,
  },
  {
    rows: ['sem 19'],
    name: '-cancel from elsewhere ends a command that waits for a board',
    given: [mine('A', 'a')],
    words: ['sem', '-wait', '{A}', '-k', 'x-.'],
    meanwhile: [
      { until: 'tickets', waiting: 1 },
      { run: 'sem -cancel {A} -k x-y' },
      { until: 'tickets', waiting: 1 },
      { run: 'sem -cancel {A} -k x-.' },
    ],
    stdout: [failed],
    exit: 2,
  },
  {
    rows: ['sem 19'],
    name: '-cancel of a pool from elsewhere ends a command that waits for it',
    given: bothTaken,
    words: 'sem -wait {P} -k w',
    meanwhile: [
      { until: 'tickets', waiting: 1 },
      { run: 'sem -k w -cancel {A}' },
      { until: 'tickets', waiting: 1 },
      { run: 'sem -k w -cancel {P}' },
    ],
    stdout: [attempt('A'), attempt('B'), done, failedPool],
    exit: 2,
  },
  ...['x', '-1', '1.5', ''].map(
    (hold): Case => ({
      rows: ['sem 20'],
      name: `-T '${hold}', before the name is looked at`,
      words: ['sem', '-wait', 'nosuch', '-T', hold],
      stdout: ['-T <timeout> requires a positive integer'],
      exit: 1,
    }),
  ),
  ...['-wait', '-signal', '-info', '-mr-info', '-cancel', '-f -signal'].map(
    (verb): Case => ({
      rows: ['sem 21'],
      name: `${verb} of an unknown name`,
      words: `sem ${verb} nosuch`,
      stdout: list,
      exit: 1,
    }),
  ),
  ...(['-x', '{A}', '-wait {A} --frobnicate'] as const).map(
    (words): Case => ({
      rows: ['sem 22'],
      name: `sem ${words}: an unknown option`,
      words: `sem ${words}`,
      stdout: [],
      matches: /^Unknown option (-x|a\d|--frobnicate)\n\S*mq\S* sem -wait/,
      exit: 1,
    }),
  ),
  ...['sem', 'sem -k x'].map(
    (words): Case => ({
      rows: ['sem 23'],
      name: `${words}: no verb`,
      words,
      stdout: [],
      matches: /^Unknown usage\n\S*mq\S* sem -wait/,
      exit: 1,
    }),
  ),
  {
    rows: ['sem 24'],
    name: 'sem help',
    words: 'sem help',
    stdout: [],
    matches: /^\S*mq\S* sem -wait/,
    exit: 1,
  },
];

export const semCases: readonly Case[] = [...waitCases, ...signalCases, ...wordCases];
