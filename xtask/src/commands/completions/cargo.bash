
# Bash completes by the first word, which is `cargo`. So this stands before what completed
# that until now, and takes `cargo xtask …` alone.
_cargo_xtask() {
    if [[ ${COMP_WORDS[1]} == xtask ]] && (( COMP_CWORD > 1 )); then
        local COMP_WORDS=("${COMP_WORDS[@]:1}") COMP_CWORD=$(( COMP_CWORD - 1 ))
        _xtask xtask "$2" "$3"
    elif [[ -n $_cargo_without_xtask ]]; then
        "$_cargo_without_xtask" "$@"
    else
        COMPREPLY=( $(compgen -W xtask -- "$2") )
    fi
}

if ! complete -p cargo &> /dev/null; then
    # Bash-completion reads a command's script when it is first wanted, and only where
    # there is none yet.
    __load_completion cargo || _comp_load -- cargo || true
fi &> /dev/null
if [[ $(complete -p cargo 2> /dev/null) =~ -F\ ([^ ]+) && ${BASH_REMATCH[1]} != _cargo_xtask ]]; then
    _cargo_without_xtask=${BASH_REMATCH[1]}
fi
complete -F _cargo_xtask -o bashdefault -o default cargo
