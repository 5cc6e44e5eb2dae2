// Help for the commands about jobs. Pure.
import { type HelpGroup, jsonOption, serverOption } from './entry.ts';

export const jobsHelp: HelpGroup = {
  title: 'Jobs',
  commands: {
    run: { summary: 'Run an image on a board, or keep a board for yourself', forms: [], examples: [] },
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
  },
};
