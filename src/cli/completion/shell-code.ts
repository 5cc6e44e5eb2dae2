// What a shell must be told so that it asks mq. Small: everything is decided in mq, which answers with `files`, or with
// candidates one a line. Pure.

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const bash = `# Completion of mq for bash. In ~/.bashrc: eval "$(mq completion bash)"
_mq() {
  local IFS=$'\\n' program=\${1/#\\~/$HOME}
  COMPREPLY=($("$program" completion --line="\${COMP_LINE:0:COMP_POINT}" bash 2>/dev/null))
  if [[ \${COMPREPLY[0]} == files ]]; then
    COMPREPLY=()
    compopt -o default
  elif [[ \${COMPREPLY[0]} == *[=:/,] ]]; then
    compopt -o nospace
  fi
}
complete -F _mq mq mq.sh
`;

const zsh = `#compdef mq mq.sh
# Completion of mq for zsh. In ~/.zshrc, behind compinit: eval "$(mq completion zsh)"
_mq() {
  local -a candidates
  candidates=("\${(@f)$(\${~words[1]} completion zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $candidates[1] == files ]]; then
    _files
  else
    compadd -- \${candidates:#}
  fi
}
compdef _mq mq mq.sh
`;

const fish = `# Completion of mq for fish. In ~/.config/fish/completions/mq.fish: mq completion fish | source
function __mq_complete
    set -l words (commandline -opc)
    set -l candidates ($words[1] completion fish -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if test "$candidates[1]" = files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $candidates
    end
end
complete -c mq -f -a '(__mq_complete)'
complete -c mq.sh -f -a '(__mq_complete)'
`;

export const shellCode: Readonly<Record<Shell, string>> = { bash, zsh, fish };
