"""The command's arguments: one flat parser, so that options may stand before or after the word."""

from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import Literal, NamedTuple, NoReturn

from tokentop import __version__

View = Literal["screen", "compact", "json", "doctor", "config"]

EPILOG = """\
examples:
  tokentop                      the full screen
  tokentop --demo               the full screen on a simulated stack
  tokentop --compact            one line, for a status bar
  tokentop --compact --watch    a fresh line every interval
  tokentop --format '{gpu_util}% {queued} {multiplier:.2f}x'
  tokentop --json | jq .demand.tier
  tokentop --check              for Nagios and its kin
  tokentop doctor               what was found, what not, and what to do
  tokentop config --example     a commented configuration file

exit codes:
  0  printed from at least one live source
  1  an unexpected fault
  2  a usage or configuration error
  3  nothing answered; the line, or the JSON, is printed still
  with --check: 0 normal, 1 pressure, 2 saturated, 3 unknown or an error
"""


class Stop(Exception):  # not always an error: --help and --version end here too
    """Nothing to run: `text` is an error's one sentence, or what was asked for."""

    def __init__(self, text: str, *, error: bool) -> None:
        super().__init__(text)
        self.text = text
        self.error = error


class Arguments(NamedTuple):
    """What to show, how, and what overrides the configuration (dotted key -> text or switch).

    The configuration checks the texts, so that a flag is refused in the same words as a file.
    """

    view: View
    watch: bool
    format: str | None
    check: bool
    example: bool
    config: str | None
    overrides: dict[str, object]


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
        raise Stop(_parser().format_help(), error=False)
    if given["version"]:
        raise Stop(f"tokentop {__version__}", error=False)
    view = _view(given)
    _refuse(given, view)
    return Arguments(
        view=view,
        watch=given["watch"],
        format=given["format"],
        check=given["check"],
        example=given["example"],
        config=given["config"],
        overrides=_overrides(given),
    )


def _known(words: list[str]) -> Namespace:
    """The parsed words; what is wrong is named without its value, which may be a pasted token."""
    parser = _parser()
    found, unknown = parser.parse_known_args(words)
    flags = [word.partition("=")[0] for word in unknown if word.startswith("-")]
    if flags:
        known = [flag for action in parser._actions for flag in action.option_strings]
        raise Stop(f"there is no {_suggested(flags, known)} (see tokentop --help)", error=True)
    if unknown or found.command not in COMMANDS:
        commands = [name for name in COMMANDS if name]
        meant = _meant(str(found.command), commands) if found.command not in COMMANDS else ""
        raise Stop(
            f"the only commands are {' and '.join(commands)}{meant} (see tokentop --help)",
            error=True,
        )
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
        return "doctor" if given["command"] == "doctor" else "config"
    if given["json"]:
        return "json"
    line = given["compact"] or given["watch"] or given["check"] or given["format"] is not None
    return "compact" if line else "screen"


def _refuse(given: dict[str, object], view: View) -> None:
    clashes = (
        (given["json"] and given["compact"], "--json and --compact cannot go together"),
        (given["json"] and given["format"] is not None, "--format is for --compact, not --json"),
        (given["check"] and given["watch"], "--check ends with one code, so not with --watch"),
        (given["example"] and view != "config", "--example belongs to `tokentop config`"),
        (
            given["command"] and any(given[name] for name in ("json", "compact", "watch", "check")),
            f"`tokentop {given['command']}` takes no --compact, --json, --watch or --check",
        ),
    )
    for clash, sentence in clashes:
        if clash:
            raise Stop(f"{sentence} (see tokentop --help)", error=True)


def _overrides(given: dict[str, object]) -> dict[str, object]:
    found = {key: given[key] for key in OVERRIDES if given[key] is not None}
    if "demo.seed" in found or "demo.at_s" in found:
        found["demo.enabled"] = True
    return found


COMMANDS = ("doctor", "config", None)
OVERRIDES = (
    "interval_s", "ui.theme", "ui.ascii", "ui.hide", "ui.state", "gpus",
    "demo.enabled", "demo.seed", "demo.at_s", "discovery.enabled", "prometheus.url",
)  # fmt: skip


def _parser() -> _Parser:
    parser = _Parser(
        prog="tokentop",
        usage="tokentop [options]\n       tokentop doctor [options]\n"
        "       tokentop config [--example] [options]",
        description="The live economy of self-hosted LLM inference.",
        epilog=EPILOG,
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("command", nargs="?", help=SUPPRESS)
    parser.add_argument("--example", action="store_true", help=SUPPRESS)
    _view_options(parser)
    _config_options(parser)
    return parser


def _view_options(parser: _Parser) -> None:
    flag = parser.add_argument_group("views").add_argument
    flag("--compact", action="store_true", help="print one line")
    flag("--json", action="store_true", help="print one JSON object (schema tokentop/1)")
    flag("--watch", action="store_true", help="with either: again and again, every interval")
    flag("--format", metavar="TEMPLATE", help="the line from a template; {nope} lists the names")
    flag("--check", action="store_true", help="make the exit code the banner mode")
    flag("--demo", dest="demo.enabled", action="store_true", default=None, help="a simulated stack")
    flag("--demo-seed", dest="demo.seed", metavar="N", help="make it repeatable")
    flag("--demo-at", dest="demo.at_s", metavar="SECONDS", help="freeze one moment")
    flag("--help", "-h", action="store_true", help="show this and exit")
    flag("--version", "-V", action="store_true", help="show the version and exit")


def _config_options(parser: _Parser) -> None:
    flag = parser.add_argument_group(
        "configuration (flags win over environment and file)"
    ).add_argument
    flag("--config", metavar="PATH", help="read this file instead of the usual one")
    flag("--interval", dest="interval_s", metavar="S", help="seconds between polls")
    flag("--theme", dest="ui.theme", metavar="NAME", help="dark, light, colorblind or ansi")
    flag("--ascii", dest="ui.ascii", action="store_true", default=None, help="no block characters")
    flag("--no-state", dest="ui.state", action="store_false", default=None,
         help="remember no sort, theme and interval")  # fmt: skip
    flag("--hide", dest="ui.hide", metavar="PANELS", help="panels, joined by commas")
    flag("--no-gpus", dest="gpus", action="store_false", default=None, help="leave NVML alone")
    flag("--no-discovery", dest="discovery.enabled", action="store_false", default=None,
         help="look for no engines by itself")  # fmt: skip
    flag("--prometheus", dest="prometheus.url", metavar="URL", help="read a fleet from there")
