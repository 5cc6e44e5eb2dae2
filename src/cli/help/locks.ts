// Help for the commands about locks. Pure.
import { boardsHelp, type HelpGroup, jsonOption, serverOption, wishHelp } from './entry.ts';

export const locksHelp: HelpGroup = {
  title: 'Locks',
  commands: {
    lock: {
      summary: 'Take a board, the first of several that comes free, or several at once',
      forms: ['TARGET... [--count N] [--need TARGET=N]... [options]'],
      about: [
        'TARGET: a board, a pool, `a,b` for any of these, or `arch=x86` for any with this attribute.',
        'Several TARGETs, --count and --need: all of these boards in one step, or none of them.',
        'Prints the name of each board. It is yours until `mq unlock`.',
      ],
      options: [
        ...boardsHelp,
        ...wishHelp('(default 0, which is none)'),
        ['--reuse', 'a lock that you have already, with this key, will do'],
        jsonOption,
        serverOption,
      ],
      examples: [
        ['lock sabre', ''],
        ['lock sabre_pool --wait 10m --hold 1h', 'any board of the pool; others may have it after an hour'],
        ['lock arch=x86 --no-wait', 'a free one, or none'],
        ['lock x86_pool --count 2 --need sabre_pool=1', 'two and one, when all three can be had'],
      ],
    },
    unlock: {
      summary: 'Give boards back',
      forms: ['TARGET... [--key K] [--force] [--note TEXT] [--json]'],
      about: [
        'Several TARGETs in one step; of a pool all boards that you hold with the key.',
        'Ends when the board is off and free, after a minute at the latest.',
      ],
      options: [
        ['--key KEY', 'the key that it was locked with (default 0, which is none)'],
        ['--force', 'whoever has it, with whatever key'],
        ['--note TEXT', 'why, for the one who had it'],
        jsonOption,
        serverOption,
      ],
      examples: [
        ['unlock sabre', ''],
        ['unlock x86_pool sabre', 'what you hold of the pool, and one more'],
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
    with: {
      summary: 'Run a command that has a board to itself',
      forms: ['TARGET... [--count N] [--need TARGET=N]... [options] -- COMMAND [ARGUMENT ...]'],
      about: [
        'Takes the lock, runs COMMAND (without a shell) and gives the lock back, however COMMAND ends.',
        'COMMAND finds MQ_BOARD, MQ_KEY and the token of the lock, MQ_LOCK and MQ_TOKEN, in its environment.',
        'Of several boards MQ_BOARDS and MQ_TOKENS have all, MQ_BOARD is the first.',
        'The exit code is that of COMMAND: 128 + the number of a signal; 127: not found; 126: can not be run;',
        '2: the lock was not had, or was lost while COMMAND, which had no fault, still ran.',
      ],
      options: [...boardsHelp, ...wishHelp('(default: one of its own)'), serverOption],
      examples: [
        [`with sabre -- sh -c 'mq run "$MQ_BOARD" kernel.elf --own-lock --key "$MQ_KEY" --until login:'`, ''],
        ['with sabre_pool --wait 10m --hold 1h -- make test', 'on whichever board comes free first'],
      ],
    },
    sem: { summary: 'Take, give back and show the locks of boards', forms: [], examples: [] },
  },
};
