"""The command's arguments: one flat parser, so that options may stand before or after the word."""

from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import Any, Literal, NamedTuple, NoReturn, cast

from tokentop import __version__
from tokentop.arguments.clashes import clash
from tokentop.arguments.options import (
    COMMANDS,
    GROUPS,
    LEDGER,
    LEDGER_VERBS,
    OPTIONS,
    OVERRIDES,
    Option,
    View,
    described,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import _ArgumentGroup


_SUMMARY = """\
How busy the LLM servers and GPUs of this machine are, and what a token costs
there. Without options: the full screen (? lists its keys, q leaves).
Try `tokentop --demo`, or `tokentop doctor` where something is missing."""


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


class _Formatter(RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)  # else argparse imports shutil, help or no help


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Stop(f"{message} (see tokentop --help)", error=True)


def parse(words: list[str]) -> Arguments:
    """Return the arguments; raise Stop for a mistake, --help and --version."""
    given = vars(_known(words))
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
    from tokentop.views.help import epilog

    return _parser(epilog(LEDGER_VERBS)).format_help()


def _width(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 10_000):
        raise Stop("--width is a number of cells, 1 to 10000 (see tokentop --help)", error=True)
    return int(text)


def _known(words: list[str]) -> Namespace:
    """The parsed words; what is wrong is named without its value, which may be a pasted token."""
    words = ["--demo=whole" if word == "--demo" else word for word in words]  # no value follows it
    found, unknown = _parser().parse_known_intermixed_args(words)
    flags = [word.partition("=")[0] for word in unknown if word.startswith("-")]
    if flags:
        known = [flag for option in OPTIONS for flag in option.flags]
        raise Stop(f"there is no {_suggested(flags, known)} (see tokentop --help)", error=True)
    names = [command.name for command in COMMANDS]
    if unknown or found.command not in (None, *names):
        several = f"{', '.join(names[:-1])} and {names[-1]}"
        meant = "" if found.command in (None, *names) else _meant(str(found.command), names)
        raise Stop(f"the only commands are {several}{meant} (see tokentop --help)", error=True)
    return found


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


def _parser(epilog: str = "") -> _Parser:
    parser = _Parser(
        prog="tokentop",
        usage="tokentop [options]\n       tokentop COMMAND [options]",
        description="\n".join([_SUMMARY, "", "commands:", *described()]),
        epilog=epilog,
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("command", nargs="?", help=SUPPRESS)
    parser.add_argument("name", nargs="?", help=SUPPRESS)
    parser.add_argument("operand", nargs="?", help=SUPPRESS)
    parser.add_argument("more", nargs="*", help=SUPPRESS)
    parser.add_argument("--example", action="store_true", help=SUPPRESS)
    for title, options in GROUPS.items():
        group = parser.add_argument_group(title)
        for option in options:
            _add(group, option)
    return parser


def _add(group: "_ArgumentGroup", option: Option) -> None:
    if option.value:
        action = "append" if option.many else "store"
        group.add_argument(
            *option.flags, dest=option.dest, metavar=option.value, action=action, help=option.help
        )
        return
    store: Literal["store_true", "store_false"] = "store_true" if option.stores else "store_false"
    default = None if option.overrides else False
    group.add_argument(
        *option.flags, dest=option.dest, action=store, default=default, help=option.help
    )
