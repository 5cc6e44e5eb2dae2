// Help for the commands of whoever runs the lab. Pure.
import { type HelpGroup, jsonOption, serverOption } from './entry.ts';

export const labHelp: HelpGroup = {
  title: 'The lab',
  commands: {
    server: {
      summary: 'Serve a lab',
      forms: ['--config FILE [--state DIR] [--socket PATH]'],
      options: [
        ['-c, --config FILE', "the lab's boards and pools (docs/configuration.md)"],
        ['--state DIR', 'where locks, jobs and logs are kept (default /var/lib/machine-queue)'],
        ['--socket PATH', 'where clients connect (default /run/machine-queue/mq.sock)'],
        ['--drain TIME', 'how long a SIGTERM waits for jobs that end with the server (default 60s)'],
        ['--wait-for-agent', 'start no agent of its own: something else does, such as systemd'],
        ['--accept-clock', 'the wall clock is right though it jumped by more than a day'],
        ['--log-level LEVEL', 'debug, info, warn or error (default info)'],
      ],
      examples: [['server --config lab.yaml --state ./state --socket ./mq.sock', 'a lab for yourself']],
    },
    reload: {
      summary: 'Have the server load its configuration again',
      forms: ['[--json]'],
      about: [
        'For admins. Prints what is different. Where the file has a problem nothing changes, each problem is told with',
        'its place, and the exit code is 1. A SIGHUP to the server does the same, and tells its log.',
      ],
      options: [jsonOption, serverOption],
      examples: [['reload', '']],
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
      forms: ['DIR [--out FILE] [--force] [--script-path PATTERN] [--power-off-path PATTERN] [--json]'],
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
        ['--json', 'for programs: how good the file of --out is'],
      ],
      examples: [
        ['import ~/machine_queue --out lab.yaml', ''],
        ["import . --script-path '/srv/boards/{board}/run'", 'to look at first'],
      ],
    },
    'check-config': {
      summary: "Every problem of a lab's configuration, and what to write instead",
      forms: ['FILE [--json]'],
      about: ['Exits with 1 where there is a problem; a warning is none.'],
      options: [jsonOption],
      examples: [['check-config lab.yaml', '']],
    },
  },
};
