// Help for the commands about boards and what waits for them. Pure.
import { type HelpGroup, jsonOption, serverOption } from './entry.ts';

export const boardsHelp: HelpGroup = {
  title: 'Boards',
  commands: {
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
  },
};
