// Help for the commands about a person's own machine. Pure.
import { type HelpGroup, jsonOption, serverOption } from './entry.ts';

export const shellHelp: HelpGroup = {
  title: 'Your machine',
  commands: {
    doctor: {
      summary: 'Whether all is well from here to the boards, and what to do where it is not',
      forms: ['[--json]'],
      about: [
        "Looks at the address, the socket and its rights, versions, clocks, the server's disk, agent and boards.",
        'Exits with 1 where there is trouble. A board that somebody took out of service is none.',
      ],
      options: [jsonOption, serverOption],
      examples: [
        ['doctor', ''],
        ["doctor --json | jq -r '.checks[] | select(.fix).fix'", 'what to do'],
      ],
    },
    completion: {
      summary: 'Let the shell complete commands, options and the names of the lab',
      forms: ['bash|zsh|fish'],
      about: [
        'Prints code for the shell. Names of boards, jobs and keys come from the server, where it answers at once.',
      ],
      examples: [
        ['completion bash', 'in ~/.bashrc: eval "$(mq completion bash)"'],
        ['completion zsh', 'in ~/.zshrc, behind compinit: eval "$(mq completion zsh)"'],
        ['completion fish', 'in ~/.config/fish/completions/mq.fish: mq completion fish | source'],
      ],
    },
  },
};
