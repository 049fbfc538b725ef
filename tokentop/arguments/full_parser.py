"""argparse for every option: what to print for --help, and what is wrong with words."""

from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter

from tokentop.arguments.options import GROUPS, Option, described
from tokentop.arguments.parse import Stop
from tokentop.light_typing import TYPE_CHECKING, Literal, NoReturn

if TYPE_CHECKING:
    from argparse import _ArgumentGroup

_SUMMARY = """\
How busy the LLM servers and GPUs of this machine are, and what a token costs
there. Without options: the full screen (? lists its keys, q leaves).
Try `tokentop --demo`, or `tokentop doctor` where something is missing."""


class _Formatter(RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)  # else argparse imports shutil, help or no help


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Stop(f"{message} (see tokentop --help)", error=True)


def parser(epilog: str = "") -> ArgumentParser:
    """The parser of one flat command line, so that options may stand before or after the word."""
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
