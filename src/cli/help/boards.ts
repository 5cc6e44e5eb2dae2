// Help for the commands about boards and what waits for them. Pure.
import { type HelpGroup, jsonOption, serverOption } from './entry.ts';

export const boardsHelp: HelpGroup = {
  title: 'Boards',
  commands: {
    status: {
      summary: 'Who has which board, and what waits',
      forms: ['[--watch] [--json]'],
      options: [
        ['-w, --watch', 'the whole screen, with your jobs, kept up to date; q or Ctrl+C leaves'],
        jsonOption,
        serverOption,
      ],
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
    power: {
      summary: 'Switch a board that you hold, or ask whether it is on',
      forms: ['BOARD on|off|cycle|status [--key K] [--json]'],
      about: [
        'Ends when it is done. Also while a job of yours runs there, or `mq console`.',
        'What is on at the end of the lock is switched off, unless the lab leaves that board on. Some boards are',
        'switched on only by a job.',
      ],
      options: [
        ['--key KEY', 'the key that it was locked with (default 0, which is none)'],
        jsonOption,
        serverOption,
      ],
      examples: [
        ['power sabre cycle', ''],
        ['power sabre status --json | jq -r .power', '`on`, `off` or `unknown`'],
      ],
    },
    board: {
      summary: 'Take boards out of service, bring them back, or note something of them',
      forms: [
        'drain BOARD... [--note TEXT] [--until TIME]',
        'resume BOARD... [--note TEXT]',
        'note BOARD... --note TEXT',
        'drain|resume|note --where ATTRIBUTE=VALUE [--where ...]',
      ],
      about: [
        'A board that drains keeps its present lock until that ends, and gives no new one.',
        'Resuming also forgets its faults, and its note unless there is a new one. All boards at once, or none.',
        'BOARD may also be an alias, a pool or `a,b`. All of this is for admins of the lab.',
      ],
      options: [
        ['--note TEXT', "why, for others to see; '' takes the note of a board in service away"],
        ['--until TIME', 'in service again by itself after so long, such as 90s or 2h'],
        ['--where A=V', 'every board with this attribute; of several it must have all'],
        jsonOption,
        serverOption,
      ],
      examples: [
        ['board drain sabre --note "new power supply" --until 2h', ''],
        ['board drain --where soc=imx6 --where desk=north', ''],
        ['board resume sabre', ''],
      ],
    },
  },
};
