"""The command's arguments: what the words mean, or what is wrong with them."""

from tokentop import __version__
from tokentop.arguments.clashes import clash
from tokentop.arguments.options import (
    COMMANDS,
    GROUPS,
    LEDGER,
    LEDGER_VERBS,
    OPTIONS,
    OVERRIDES,
    View,
)
from tokentop.light_typing import Any, cast
from tokentop.named_tuple import NamedTuple


class Stop(Exception):  # not always an error: --help and --version end here too
    """Nothing to run: `text` is an error's one sentence, or what was asked for."""

    def __init__(self, text: str, *, error: bool) -> None:
        super().__init__(text)
        self.text = text
        self.error = error


class Arguments(NamedTuple):
    """What to show, how, and what overrides the configuration (dotted key -> text or switch).

    The configuration checks the texts, so that a flag is refused in the same words as a file.
    `name` is the word after the command, `words` are all of them, `width` is in cells. `ledger` has
    the options of `tokentop ledger` by name.
    """

    view: View
    watch: bool
    format: str | None
    check: bool
    example: bool
    config: str | None
    overrides: dict[str, object]
    ledger: dict[str, Any]
    name: str | None = None
    width: int | None = None
    fresh: bool = False
    words: tuple[str, ...] = ()
    parquet: bool = False
    bundle: str | None = None


def parse(words: list[str]) -> Arguments:
    """Return the arguments; raise Stop for a mistake, --help and --version."""
    words = ["--demo=whole" if word == "--demo" else word for word in words]  # no value follows it
    given = flags_only(words) or _known(words)
    if given["help"]:
        raise Stop(help_text(), error=False)
    if given["version"]:
        raise Stop(f"tokentop {__version__}", error=False)
    view = _view(given)
    refused = clash(given, view)
    if refused is not None:
        raise Stop(f"{refused} (see tokentop --help)", error=True)
    return Arguments(
        view=view,
        watch=given["watch"],
        format=given["format"],
        check=given["check"],
        example=given["example"],
        config=given["config"],
        overrides=_overrides(given),
        name=given["name"],
        width=_width(given["width"]),
        fresh=given["fresh"],
        words=tuple(given[name] for name in ("name", "operand") if given[name])
        + tuple(given["more"]),
        parquet=given["parquet"],
        bundle=given["bundle"],
        ledger={name: given[name] for name in ("json", *(each.dest for each in GROUPS[LEDGER]))},
    )


def help_text() -> str:
    """What --help prints: usage, commands, flags, the names of --format, examples, exit codes."""
    from tokentop.arguments.full_parser import parser
    from tokentop.views.help import epilog

    return parser(epilog(LEDGER_VERBS)).format_help()


def _width(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 10_000):
        raise Stop("--width is a number of cells, 1 to 10000 (see tokentop --help)", error=True)
    return int(text)


def flags_only(words: list[str]) -> dict[str, Any] | None:
    """What argparse finds in flags and their values; None where there is anything else.

    A status bar's words are no more than that, and argparse takes a tenth of its line's time.
    """
    by_flag = {flag: option for option in OPTIONS for flag in option.flags}
    found: dict[str, Any] = dict.fromkeys(("command", "name", "operand"))
    found |= {"more": [], "example": False}
    for option in OPTIONS:
        found.setdefault(option.dest, None if option.value or option.overrides else False)
    rest = iter(words)
    for word in rest:
        flag, given, value = word.partition("=")
        if flag not in by_flag or (given and not by_flag[flag].value):
            return None
        option = by_flag[flag]
        if not option.value:
            found[option.dest] = option.stores
            continue
        if not given:
            value = next(rest, "-") if option.takes_word else "-"
        if value == "--" or (value.startswith("-") and not given):  # argparse knows what they are
            return None
        found[option.dest] = [*(found[option.dest] or ()), value] if option.many else value
    return found


def _known(words: list[str]) -> dict[str, Any]:
    """The parsed words; what is wrong is named without its value, which may be a pasted token."""
    from tokentop.arguments.full_parser import parser

    found, unknown = parser().parse_known_intermixed_args(words)
    flags = [word.partition("=")[0] for word in unknown if word.startswith("-")]
    if flags:
        known = [flag for option in OPTIONS for flag in option.flags]
        raise Stop(f"there is no {_suggested(flags, known)} (see tokentop --help)", error=True)
    names = [command.name for command in COMMANDS]
    if unknown or found.command not in (None, *names):
        several = f"{', '.join(names[:-1])} and {names[-1]}"
        meant = "" if found.command in (None, *names) else _meant(str(found.command), names)
        raise Stop(f"the only commands are {several}{meant} (see tokentop --help)", error=True)
    return vars(found)


def _suggested(flags: list[str], known: list[str]) -> str:
    """The unknown flags, each with the one that may have been meant."""
    return " or ".join(ascii(flag) + _meant(flag, known) for flag in flags)


def _meant(word: str, known: list[str]) -> str:
    """`, did you mean --demo?`; nothing where no word is near. Names, never a flag's value."""
    from difflib import get_close_matches  # only after a mistake

    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else ""


def _view(given: dict[str, object]) -> View:
    if given["command"]:
        return cast("View", given["command"])
    if given["json"]:
        return "json"
    templated = given["format"] is not None or given["width"] is not None
    line = given["compact"] or given["watch"] or given["check"] or templated
    return "compact" if line else "screen"


def _overrides(given: dict[str, object]) -> dict[str, object]:
    found = {key: given[key] for key in OVERRIDES if given[key] is not None}
    if any(key.startswith("demo.") for key in found):
        found["demo.enabled"] = True
    return found
