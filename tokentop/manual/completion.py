"""Completion for bash, zsh and fish, made from the tables behind --help."""

from collections.abc import Callable, Iterable, Sequence

from tokentop.arguments.options import COMMANDS, OPTIONS, SHELLS, Option
from tokentop.config.schema import PANELS, THEMES
from tokentop.manual.shipped import SHIPPED
from tokentop.views.ledger.verbs import VERBS

VALUES: dict[str, Sequence[str]] = {"NAME": THEMES, "PANELS": PANELS}  # by an option's `value`
ARGUMENTS: dict[str, Sequence[str]] = {
    "example": sorted(SHIPPED),
    "completion": SHELLS,
    "ledger": [verb.name for verb in VERBS],
}


def script(shell: str) -> str:
    """The completion of one of arguments.SHELLS, to be sourced or stored where it looks."""
    return _SCRIPTS[shell]()


def _flags(options: Iterable[Option]) -> list[str]:
    return [flag for option in options for flag in option.flags]


def _bash() -> str:
    return f"""\
# bash completion for tokentop:  source <(tokentop completion bash)
_tokentop() {{
    local IFS=$' \\t\\n' current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    [[ $current == "=" ]] && current=
    [[ $before == "=" ]] && before=${{COMP_WORDS[COMP_CWORD-2]}}
    case $before in
{_bash_cases()}
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "{" ".join(_flags(OPTIONS))}" -- "$current"))
    else
        COMPREPLY=($(compgen -W "{" ".join(each.name for each in COMMANDS)}" -- "$current"))
    fi
}}
complete -F _tokentop tokentop
"""


def _bash_cases() -> str:
    rows = [_bash_case(option) for option in OPTIONS if option.takes_word]
    rows += [_bash_words(name, words) for name, words in ARGUMENTS.items()]
    rows += [_bash_words("config", ["--example", *_flags(OPTIONS)])]
    return "\n".join(rows)


def _bash_case(option: Option) -> str:
    flags = "|".join(option.flags)
    if option.value == "PATH":
        files = "IFS=$'\\n'; compopt -o filenames 2>/dev/null"
        return f'    {flags}) {files}; COMPREPLY=($(compgen -f -- "$current")); return ;;'
    if option.value == "PANELS":
        return _bash_list(flags, VALUES["PANELS"])
    return _bash_words(flags, VALUES.get(option.value, ()))


def _bash_words(pattern: str, words: Sequence[str]) -> str:
    reply = f'COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$current")); ' if words else ""
    return f"    {pattern}) {reply}return ;;"


def _bash_list(pattern: str, words: Sequence[str]) -> str:
    """Words joined by commas: the last one is completed, those before it stay."""
    return f"""\
    {pattern})
        local first=
        [[ $current == *,* ]] && first=${{current%,*}},
        COMPREPLY=($(compgen -P "$first" -W "{" ".join(words)}" -- "${{current##*,}}"))
        return ;;"""


def _zsh() -> str:
    options = "\n".join(f"        {_zsh_option(option)} \\" for option in OPTIONS)
    commands = " ".join(_quoted(f"{each.name}:{each.help}") for each in COMMANDS)
    cases = "\n".join(
        f"                {name}) compadd -- {' '.join(words)} ;;" for name, words in _arguments()
    )
    return f"""\
#compdef tokentop
# zsh completion for tokentop:  tokentop completion zsh > a directory of $fpath/_tokentop
_tokentop() {{
    local curcontext=$curcontext state line
    typeset -A opt_args
    _arguments -C \\
{options}
        '1: :->command' '2: :->argument'
    case $state in
        command)
            local -a commands=({commands})
            _describe command commands ;;
        argument)
            case $line[1] in
{cases}
            esac ;;
    esac
}}
if [[ $funcstack[1] == _tokentop ]]; then _tokentop "$@"; else compdef _tokentop tokentop; fi
"""


def _arguments() -> list[tuple[str, Sequence[str]]]:
    return [*ARGUMENTS.items(), ("config", ("--example",))]


def _zsh_option(option: Option) -> str:
    names = option.flags[0] if len(option.flags) == 1 else "{" + ",".join(option.flags) + "}"
    about = "[" + option.help.replace("[", "(").replace("]", ")").replace(":", " -") + "]"
    value = f":{option.value}:{_zsh_values(option.value)}" if option.takes_word else ""
    return f"{names}{_quoted(about + value)}"


def _zsh_values(value: str) -> str:
    if value == "PATH":
        return "_files"
    words = " ".join(VALUES.get(value, ()))
    return f"_values -s , panel {words}" if value == "PANELS" else f"({words})" if words else " "


def _fish() -> str:
    names = " ".join(each.name for each in COMMANDS)
    rows = ["# fish completion for tokentop:  tokentop completion fish | source"]
    rows += ["complete -c tokentop -f"]
    first = f"not __fish_seen_subcommand_from {names}"
    rows += [
        f"complete -c tokentop -n '{first}' -a {each.name} -d {_quoted(each.help)}"
        for each in COMMANDS
    ]
    rows += [
        f"complete -c tokentop -n '__fish_seen_subcommand_from {name}' -a '{' '.join(words)}'"
        for name, words in _arguments()
    ]
    return "\n".join([*rows, *map(_fish_option, OPTIONS)]) + "\n"


def _fish_option(option: Option) -> str:
    names = " ".join(
        f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags
    )
    words = " ".join(VALUES.get(option.value, ()))
    value = " -r -F" if option.value == "PATH" else f" -x -a '{words}'" if option.takes_word else ""
    return f"complete -c tokentop {names}{value} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    """One word of a shell, in single quotes."""
    return "'" + text.replace("'", "") + "'"


_SCRIPTS: dict[str, Callable[[], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
