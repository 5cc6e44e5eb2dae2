// Help for the commands about a person's own machine. Pure.
import type { HelpGroup } from './entry.ts';

export const shellHelp: HelpGroup = {
  title: 'Your machine',
  commands: {
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
