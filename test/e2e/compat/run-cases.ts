// The old words of `run`: lines, console, limits and files. Files are in the folder where the commands run.
import type { Case } from './case.ts';
import { acquired, allowed, boards, failed } from './run-lines.ts';

const hello = ['hello: booted', 'Hello from the board', 'All is well in the universe'];
/** Without its last line feed: the console ends where the text does. */
const upTo = (text: string): RegExp => new RegExp(`we are allowed to run\\n${text.replaceAll('\n', '\\n')}$`);
const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
const lists = [
  "System or pool 'nosuch' does not exist. Valid systems are",
  '{boards}',
  'Valid pools are',
  '{pools}',
];

const consoleCases: readonly Case[] = [
  {
    rows: ['run 1', 'run 35'],
    name: 'a board: the three lines and the console, byte for byte',
    words: ['run', '-s', '{A}', '-c', 'do+ne (x) "y"', '-e', "it's $HOME", '-d', '300', '-f', 'done'],
    stdout: [...acquired('A'), allowed, 'done'],
    exit: 0,
    left: { A: 'FREE' },
    journal: ['start', 'off'],
    called: /^10 <-t> <300> <-c> <do\+ne \(x\) "y"> <-e> <it's \$HOME> <-l> <\/[^>]+> <-k> <\/[^>]+>$/,
  },
  {
    rows: ['run 3', 'run 26', 'run 29'],
    name: 'the end text ends it with 0, across line ends, without a limit',
    words: ['run', '-s', '{V}', '-c', 'booted.*un[a-i]+', '-d', '-1', '-f', 'hello.elf'],
    stdout: [],
    matches: upTo(hello.join('\n').replace(/verse$/, '')),
    exit: 0,
  },
  {
    rows: ['run 4'],
    name: 'the error text ends it with an error, and wins over a later end text',
    words: ['run', '-s', '{V}', '-c', 'well', '-e', 'from the b', '-f', 'hello.elf'],
    stdout: [],
    matches: upTo('hello: booted\nHello from the b'),
    exit: 1,
  },
  {
    rows: ['run 4', 'run 29', 'run 30'],
    name: '[[Timeout]] where -d ran out, and the file of -l is there',
    words: 'run -s {V} -c never -d 1 -f hang.elf -l log-{A}',
    stdout: [...acquired('V'), allowed, 'hang: booted', '[[Timeout]]'],
    exit: 1,
    log: { name: 'log-{A}', holds: 'hang: booted' },
  },
  {
    rows: ['run 4'],
    name: '[[Boot timeout]] where the board did not boot, and the reason on stderr',
    words: 'run -s {V} -c x -f done',
    stdout: [...acquired('V'), allowed, '[[Boot timeout]]'],
    stderr: 'any',
    exit: 1,
  },
  ...[1, 3, 255].map(
    (exit): Case => ({
      rows: ['run 5'],
      name: `a program that exits ${exit}`,
      words: `run -s {A} -c x -f exit-${exit}`,
      stdout: [...acquired('A'), allowed, 'bad'],
      exit,
      left: { A: 'FREE' },
    }),
  ),
  {
    rows: ['run 32', 'run 30'],
    name: 'every byte passes to stdout and to the file of -l',
    words: ['run', '-s', '{V}', '-c', 'universe', '-l', 'raw log {A}', '-f', 'a raw image.elf'],
    stdout: [],
    matches: /we are allowed to run\n[\s\S]*universe$/,
    log: { name: 'raw log {A}', holds: everyByte },
    exit: 0,
  },
  {
    rows: ['run 30'],
    name: 'the file of -l is there after a run that was refused',
    words: ['run', '-s', '{A}', '-c', 'x', '-l', 'empty log {A}', '-f', 'done', '-f', 'done'],
    stdout: ['Wrong number of files specified for system {A}'],
    exit: 1,
    log: { name: 'empty log {A}', holds: '' },
  },
  {
    rows: ['run 31', 'run 33', 'run 35'],
    name: '-L, -b, --bitstream, two files with blanks and quotes in their names',
    words: [
      'run',
      '-s',
      '{D}',
      '-L',
      '-a',
      '-c',
      'x',
      '-f',
      'show files',
      '-f',
      `root "t'ask`,
      '-b',
      'a dtb',
      '--bitstream',
      'bits',
    ],
    stdout: [...acquired('D'), allowed, 'this is the dtb', 'these are the bits', 'this is the root task'],
    exit: 0,
    called:
      /^19 <-L> <-b> <\/[^>]+> <--bitstream> <\/[^>]+> <-t> <-1> <-c> <x> <-e> <> <-l> <\/[^>]+> <-k> <\/[^>]+> <-u> <\/[^>]+> <-a> <-i>$/,
  },
  {
    rows: ['run 34'],
    name: 'a kernel as the second file changes nothing on stdout',
    words: 'run -s {D} -L -c x -f done -f kernel.img',
    stdout: [...acquired('D'), allowed, 'done'],
    exit: 0,
  },
  {
    rows: ['run 27'],
    name: '-a -c "": what is typed goes to the board from the start',
    words: ['run', '-s', '{A}', '-a', '-c', '', '-f', 'ask'],
    stdin: 'open',
    meanwhile: [{ until: 'printed', text: 'ready\n' }, { type: 'good day\n' }],
    stdout: [...acquired('A'), allowed, 'ready', 'got good day'],
    exit: 0,
  },
  {
    rows: ['run 28'],
    name: '-a: the board stays on after the end text, until the end of input',
    words: 'run -s {V} -a -c booted -f echo.elf',
    stdin: 'open',
    meanwhile: [
      { until: 'printed', text: '> ' },
      { type: 'still here\n' },
      { until: 'printed', text: 'you said: still here\r\n> ' },
      { until: 'locked', board: 'V' },
      { end: 'input' },
    ],
    stdout: [],
    matches: /you said: still here\r\n> $/,
    exit: 0,
    left: { V: 'FREE' },
  },
  {
    rows: ['run 24'],
    name: 'while it runs, its lock shows time-out 0',
    words: 'run -s {A} -c never -k k -f hang',
    meanwhile: [
      { until: 'printed', text: 'ready\n' },
      { run: 'sem -info {A}', stdout: /, timeout 0 with key 'k'\n$/ },
      { signal: 'SIGINT' },
    ],
    stdout: [...acquired('A'), allowed, 'ready'],
    exit: 1,
  },
];

const lockCases: readonly Case[] = [
  {
    rows: ['run 2'],
    name: 'a pool: a member passed over, then the one that it gets',
    given: [{ board: 'A', key: 'mine' }],
    words: 'run -s {P} -c x -f done',
    stdout: [...boards('A', 'mine'), ...boards('B'), allowed, 'done'],
    exit: 0,
  },
  {
    rows: ['run 2'],
    name: 'a pool with none free: done attempting, silence, the three lines at the grant',
    given: [
      { board: 'A', key: 'h' },
      { board: 'B', key: 'h' },
    ],
    words: 'run -s {P} -c x -k w -f done',
    meanwhile: [
      { until: 'printed', text: 'Done attempting' },
      { until: 'tickets', waiting: 1 },
      { run: 'sem -signal {B} -k h' },
    ],
    stdout: [
      ...boards('A', 'h'),
      ...boards('B', 'h'),
      'Done attempting system {B} in pool {P}',
      ...boards('B'),
      allowed,
      'done',
    ],
    exit: 0,
  },
  {
    rows: ['run 6'],
    name: 'a board that is not had in time',
    given: [{ board: 'A', key: 'h' }],
    words: 'run -s {A} -c x -t 1 -w 1 -f done',
    stdout: [...acquired('A', 'h'), failed('A')],
    exit: 2,
    left: { A: 'LOCKED {me} h' },
  },
  {
    rows: ['run 6'],
    name: 'a pool that is not had at once',
    given: [
      { board: 'A', key: 'h' },
      { board: 'B', key: 'h' },
    ],
    words: 'run -s {P} -c x -t 0 -f done',
    stdout: [
      ...boards('A', 'h'),
      ...boards('B', 'h'),
      'Done attempting system {B} in pool {P}',
      'Failed to acquire lock for any system in pool ({P})',
    ],
    exit: 2,
  },
];

const refusedCases: readonly Case[] = [
  {
    rows: ['run 14'],
    name: 'no file',
    words: 'run -s {A} -c x',
    stdout: ['Wrong number of files specified for system {A}'],
    exit: 1,
  },
  ...['no such', '.'].map(
    (path): Case => ({
      rows: ['run 15'],
      name: `a file '${path}' that is none, whatever else is wrong`,
      words: ['run', '-s', 'nosuch', '-f', path, '-c', 'x'],
      stdout: [`File "${path}" either does not exist, or is not considered a valid file`],
      exit: 1,
    }),
  ),
  ...['run -c x -f done', 'run -s {A} -f done', 'run -s {A} -c x -c y -f done'].map(
    (words): Case => ({
      rows: ['run 16'],
      name: `${words}: usage`,
      words,
      stdout: [],
      matches: /^\S*mq\S* run -s/,
      exit: 1,
    }),
  ),
  {
    rows: ['run 16'],
    name: 'run with an unknown option',
    words: 'run -s {A} --nosuch -c x -f done',
    stdout: [],
    matches: /^Unknown option --nosuch\n\S*mq\S* run -s/,
    exit: 1,
  },
  { rows: ['run 16'], name: 'run help', words: 'run help', stdout: [], matches: /^\S*mq\S* run -s/, exit: 0 },
  {
    rows: ['run 17'],
    name: 'the file of -b is missing',
    words: 'run -s {A} -L -b none -c x -f done',
    stdout: ['dtb file "none" either does not exist, or is not considered a valid file'],
    exit: 1,
  },
  { rows: ['run 18'], name: 'an unknown board', words: 'run -s nosuch -c x -f done', stdout: lists, exit: 1 },
  {
    rows: ['run 20'],
    name: '-L on a board without it',
    words: 'run -s {A} -L -c x -f done',
    stdout: ['System {A} cannot boot Linux over the network.'],
    exit: 1,
  },
  {
    rows: ['run 20'],
    name: '-b on a board without it',
    words: ['run', '-s', '{N}', '-L', '-b', 'a dtb', '-c', 'x', '-f', 'done'],
    stdout: ['System {N} does not accept a dtb'],
    exit: 1,
  },
  {
    rows: ['run 20'],
    name: '-b without -L',
    words: ['run', '-s', '{D}', '-b', 'a dtb', '-c', 'x', '-f', 'done'],
    stdout: ['A dtb may only be supplied when booting a linux image over the network.'],
    exit: 1,
  },
  ...['sem -info {A}', 'run -s {A} -c x -f done'].map(
    (words): Case => ({
      rows: ['run 23'],
      name: `${words}: a server that can not be reached`,
      words,
      server: 'none',
      stdout: ['Unable to ssh to {host}'],
      stderr: 'any',
      exit: 1,
    }),
  ),
  ...['', 'frobnicate'].map(
    (words): Case => ({
      rows: ['run 25'],
      name: `mq ${words}: usage`,
      words,
      stdout: [],
      matches: /^(Unknown command frobnicate\n)?[\s\S]*run/,
      stderr: 'any',
      exit: 1,
    }),
  ),
];

export const runCases: readonly Case[] = [...consoleCases, ...lockCases, ...refusedCases];
