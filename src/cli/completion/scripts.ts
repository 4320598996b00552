/** Shells that hoop completes in. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * What a shell runs to complete `hoop`. The shells know nothing of the commands: they ask hoop itself, which answers
 * with a candidate a line, a tab and its meaning behind it, or with `:files` or `:command` for what the shell knows
 * better. Nothing that is answered is evaluated.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion for hoop: source <(hoop completion bash)
_hoop() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line
  local -a lines=()
  while IFS='' read -r line; do lines+=("\${line%%$'\\t'*}"); done < <(
    "\${COMP_WORDS[0]}" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
  )
  COMPREPLY=()
  case "\${lines[0]-}" in
    :files) compopt -o default 2>/dev/null; return ;;
    :command) while IFS='' read -r line; do COMPREPLY+=("$line"); done < <(compgen -c -- "$current"); return ;;
  esac
  # bash takes what stands behind = for a word of its own.
  [ "$current" = "=" ] && current=""
  for line in "\${lines[@]}"; do
    case "\${COMP_LINE:0:COMP_POINT}" in *[\\ ]--*=*) [ "\${current#--}" = "$current" ] && line="\${line#--*=}" ;; esac
    case "$line" in "$current"*) COMPREPLY+=("$line") ;; esac
  done
}
complete -F _hoop hoop
`,
  zsh: `#compdef hoop
# zsh completion for hoop: source <(hoop completion zsh), after compinit
_hoop() {
  local -a lines entries
  local line word
  lines=("\${(@f)$("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  case "\${lines[1]}" in
    :files) _files; return ;;
    :command) _command_names -e; return ;;
  esac
  for line in "\${lines[@]}"; do
    [[ -z "$line" ]] && continue
    word="\${line%%$'\\t'*}"
    entries+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -t hoop hoop entries
}
compdef _hoop hoop
`,
  fish: `# fish completion for hoop: hoop completion fish | source
function __hoop_complete
    set -l typed (commandline -opc) (commandline -ct)
    set -l lines ($typed[1] completion words -- $typed[2..-1] 2>/dev/null)
    switch "$lines[1]"
        case :files
            __fish_complete_path (commandline -ct)
        case :command
            __fish_complete_command
        case '*'
            string join \\n -- $lines
    end
end
complete -c hoop -f -a '(__hoop_complete)'
`,
};
