// Help for the commands about jobs. Pure.
import { type HelpGroup, jsonOption, serverOption, wishHelp } from './entry.ts';

export const jobsHelp: HelpGroup = {
  title: 'Jobs',
  commands: {
    run: {
      summary: 'Run files on a board',
      forms: ['TARGET FILE ... [--until TEXT] [options]'],
      about: [
        'TARGET: a board, a pool, `a,b` for any of these, or `arch=x86` for any with this attribute.',
        'Takes the lock, runs the files, shows the console until TEXT appears, switches the board off and gives the',
        'lock back. The console is on stdout, everything else on stderr. Ctrl+C stops the job and waits until the',
        'board is off; a second one leaves at once. `mq run help` has the letters of the old scripts.',
        'Exit codes: 0 done; 1 failed or refused; 2 no lock, or wrong use; 3 a fault of the lab; 4 no server; 5 no',
        'time left. A CI may try again what ended with 3 or 4.',
      ],
      options: [
        ['--until TEXT', 'done when this regular expression appears on the console (default: never)'],
        ['--fail-on TEXT', 'failed when this one appears'],
        [
          '--timeout TIME',
          'failed when TEXT has not come by then, such as 5m (default: the limit of the lab)',
        ],
        ['--log FILE', 'also write every byte of the console to FILE'],
        ['--keep-on', 'keep the board on after TEXT; what you type goes to its console until end of input'],
        ['--linux', 'the files boot Linux over the network'],
        ['--dtb FILE', 'the device tree for it'],
        ['--bitstream FILE', 'what to load into the FPGA of the board'],
        ['--own-lock', 'you have the lock already: run under it and leave it as it is'],
        ['--detach', 'print the number of the job and leave; it waits and runs by itself'],
        ...wishHelp('(default 0, which is none)'),
        ['--json', 'for programs: how it ended as one object on stdout; the console goes to --log only'],
        serverOption,
      ],
      examples: [
        ["run sabre sel4test.elf --until 'All is well' --fail-on abort --timeout 5m --log console.log", ''],
        [
          'run x86_pool kernel.elf roottask.elf --until login: --wait 10m',
          'on whichever board comes free first',
        ],
        ['run sabre kernel.elf --until login: --keep-on', 'and then use its console'],
      ],
    },
    jobs: {
      summary: 'What runs and what ran',
      forms: ['[--mine] [--limit COUNT] [--json]', 'JOB [--json]'],
      about: ['With JOB that one alone, also while it waits.'],
      options: [
        ['--mine', 'only your own jobs'],
        ['-n, --limit COUNT', 'the newest so many (default 25)'],
        jsonOption,
        serverOption,
      ],
      examples: [
        ['jobs --mine', 'your jobs and how they ended'],
        ['jobs 81 --json | jq -r .verdict', 'how job 81 ended'],
        ['jobs --json --limit 100 | jq \'map(select(.verdict == "lab-fault"))\'', 'what the lab broke'],
      ],
    },
    logs: {
      summary: 'The console of a job',
      forms: ['JOB [-f] [--timestamps]'],
      about: ['Bytes come as the board sent them.'],
      options: [
        ['-f, --follow', 'go on until the job has ended; where it waits for a board, wait for its beginning'],
        ['-t, --timestamps', 'the time before each line'],
        serverOption,
      ],
      examples: [
        ['logs 81', 'what job 81 has said so far'],
        ['logs 81 -f -t', 'from its start to its end, with the time of each line'],
      ],
    },
    console: {
      summary: "A board's console, to read and to type into",
      forms: ['BOARD [--key K]'],
      about: [
        'Of a job that runs there its last lines and what comes, to its end; where the job is yours and takes input,',
        'what you type goes to it. Else, on a board that you hold, its console as it is: nothing is loaded or switched,',
        'and it is kept as a job (`mq logs`).',
        'On a terminal every key goes to the board; Ctrl+] q leaves, Ctrl+] Ctrl+] sends one Ctrl+].',
        'The end of a pipe ends it too, when the board has been quiet for a second, or after ten.',
      ],
      options: [['--key KEY', 'the key that it was locked with (default 0, which is none)'], serverOption],
      examples: [
        ['console sabre', ''],
        [
          "echo 'cat /proc/version' | mq console sabre",
          'what is piped is typed, and what comes back is printed',
        ],
      ],
    },
    cancel: {
      summary: 'End a job, or stop waiting',
      forms: ['ID', '--mine'],
      options: [['--mine', 'all of your jobs and waiting tickets'], jsonOption, serverOption],
      examples: [
        ['cancel 81', 'ends job 81, or its ticket if it still waits'],
        ['cancel --mine', 'ends everything of yours'],
      ],
    },
  },
};
