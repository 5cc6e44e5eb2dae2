// Help for the lists that the old scripts had. Pure.
import { type HelpGroup, jsonOption, serverOption } from './entry.ts';

export const listsHelp: HelpGroup = {
  title: 'Lists',
  commands: {
    systems: {
      summary: 'Boards and pools of the lab',
      forms: ['[simple] [--json]'],
      about: ['With `simple` only the names of the boards.'],
      options: [jsonOption, serverOption],
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
    'pool-tsv': {
      summary: 'Pools and their boards, tab separated',
      forms: [''],
      examples: [['pool-tsv', '']],
    },
    features: {
      summary: 'Which boards boot Linux and take a device tree',
      forms: [''],
      examples: [['features', '']],
    },
  },
};
