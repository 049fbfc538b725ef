"""The command's arguments: one flat parser, so that options may stand before or after the word."""

from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, NoReturn, cast

from tokentop import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import _ArgumentGroup

View = Literal[
    "screen", "compact", "json", "doctor", "config", "serve", "example", "completion", "ledger"
]

SHELLS = ("bash", "zsh", "fish")


class Option(NamedTuple):
    """One flag: a row of --help, of the manual and of every shell's completion.

    `dest` is its name in Arguments, or the dotted key of the configuration that it `overrides`.
    `value` stands for its value and is empty for a switch, which stores `stores`.
    It may be given `many` times.
    """

    flags: tuple[str, ...]
    help: str
    dest: str
    value: str = ""
    overrides: bool = False
    stores: bool = True
    many: bool = False

    @property
    def takes_word(self) -> bool:
        """Whether the next word is its value; `[=...]` stands in the same word, or nowhere."""
        return bool(self.value) and not self.value.startswith("[=")


class Command(NamedTuple):
    """One word that is a command; `argument` stands for the word after it, `[...]` if optional."""

    name: str
    help: str
    argument: str = ""


COMMANDS = (
    Command("doctor", "what was found, what not, and what to do about it"),
    Command("config", "what holds now, and where each value came from", "[--example]"),
    Command("serve", "the same over HTTP: JSON, a stream of events, Prometheus metrics"),
    Command("example", "a file that ships beside the program; all names without one", "[NAME]"),
    Command("completion", "the completion for bash, zsh or fish", "SHELL"),
    Command("ledger", "who spent what: import, report, verify and more, below", "VERB [WHAT]"),
)
SERVING, LEDGER = "tokentop serve (pip install 'tokentop[serve]')", "tokentop ledger"
GROUPS: dict[str, tuple[Option, ...]] = {
    "views": (
        Option(("--compact",), "print one line", "compact"),
        Option(("--json",), "print one JSON object (schema tokentop/1)", "json"),
        Option(("--watch",), "with either: again and again, every interval", "watch"),
        Option(("--format",), "the line from a template of the names below", "format", "TEMPLATE"),
        Option(("--width",), "at most so many cells: what matters least goes first, whole",
               "width", "N"),
        Option(("--check",), "make the exit code the banner mode", "check"),
        Option(("--connect",), "what a `tokentop serve` elsewhere shows; several: a row each",
               "connect", "URL", overrides=True, many=True),
        Option(("--fresh",), "poll, whatever another tokentop of yours has just read", "fresh"),
        Option(("--demo",), "a simulated machine; =stack, =engines, =gpus or =fleet play one part",
               "demo.part", "[=PART]", overrides=True),
        Option(("--demo-seed",), "make it repeatable", "demo.seed", "N", overrides=True),
        Option(("--demo-at",), "freeze one moment", "demo.at_s", "SECONDS", overrides=True),
        Option(("--help", "-h"), "show this and exit", "help"),
        Option(("--version", "-V"), "show the version and exit", "version"),
    ),
    LEDGER: (
        Option(("--by",), "user, project, team, model, provider, engine, outcome, day, hour", "by",
               "KEYS"),
        Option(("--since",), "from then on: 90m, 12h, 7d, or a date", "since", "WHEN"),
        Option(("--until",), "and before then; else until now", "until", "WHEN"),
        Option(("--csv",), "the report as CSV", "csv"),
        Option(("--focus",), "as CSV with the columns of FOCUS 1.4, a row a day", "focus"),
        Option(("--checkpoint",), "the checkpoints that were kept", "checkpoint", "PATH"),
        Option(("--key",), "their public keys, where the private one is elsewhere", "key", "PATH"),
    ),
    "configuration (flags win over environment and file)": (
        Option(("--config",), "read this file instead of the usual one", "config", "PATH"),
        Option(("--interval",), "seconds between polls", "interval_s", "S", overrides=True),
        Option(("--theme",), "dark, light, colorblind or ansi", "ui.theme", "NAME",
               overrides=True),
        Option(("--ascii",), "no block characters", "ui.ascii", overrides=True),
        Option(("--no-state",), "remember no sort, theme, interval and history", "ui.state",
               overrides=True, stores=False),
        Option(("--hide",), "panels, joined by commas", "ui.hide", "PANELS", overrides=True),
        Option(("--no-gpus",), "leave NVML alone", "gpus", overrides=True, stores=False),
        Option(("--no-discovery",), "look for no engines by itself", "discovery.enabled",
               overrides=True, stores=False),
        Option(("--prometheus",), "read a fleet from there", "prometheus.url", "URL",
               overrides=True),
    ),
    SERVING: (
        Option(("--host",), "listen there; else on 127.0.0.1 only", "serve.host", "H",
               overrides=True),
        Option(("--port",), "8765; 0 takes a free one", "serve.port", "N", overrides=True),
        Option(("--token-file",), "clients send what it holds as a bearer token",
               "serve.token_file", "PATH", overrides=True),
        Option(("--web",), "the full screen too, for a browser (pip install 'tokentop[web]')",
               "serve.web", overrides=True),
        Option(("--insecure-no-auth",), "beyond this machine without a token",
               "serve.insecure_no_auth", overrides=True),
    ),
}  # fmt: skip
OPTIONS = tuple(option for group in GROUPS.values() for option in group)
OVERRIDES = tuple(option.dest for option in OPTIONS if option.overrides)


class Stop(Exception):  # not always an error: --help and --version end here too
    """Nothing to run: `text` is an error's one sentence, or what was asked for."""

    def __init__(self, text: str, *, error: bool) -> None:
        super().__init__(text)
        self.text = text
        self.error = error


class Arguments(NamedTuple):
    """What to show, how, and what overrides the configuration (dotted key -> text or switch).

    The configuration checks the texts, so that a flag is refused in the same words as a file.
    `name` is the word after `example`, `completion` or `ledger`, `operand` the one after that,
    `width` in cells. `ledger` has the options of `tokentop ledger` by name.
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
    operand: str | None = None


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
    _refuse(given, view)
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
        operand=given["operand"],
        ledger={name: given[name] for name in ("json", *(each.dest for each in GROUPS[LEDGER]))},
    )


def help_text() -> str:
    """What --help prints: usage, commands, flags, the names of --format, examples, exit codes."""
    from tokentop.views.help import epilog

    return _parser(epilog()).format_help()


def _width(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 10_000):
        raise Stop("--width is a number of cells, 1 to 10000 (see tokentop --help)", error=True)
    return int(text)


def _known(words: list[str]) -> Namespace:
    """The parsed words; what is wrong is named without its value, which may be a pasted token."""
    words = ["--demo=whole" if word == "--demo" else word for word in words]  # no value follows it
    found, unknown = _parser().parse_known_args(words)
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


def _refuse(given: dict[str, object], view: View) -> None:
    clashes = (
        (given["json"] and given["compact"], "--json and --compact cannot go together"),
        (given["json"] and given["format"] is not None, "--format is for --compact, not --json"),
        (given["json"] and given["width"] is not None, "--width is for --compact, not --json"),
        (given["check"] and given["watch"], "--check ends with one code, so not with --watch"),
        (
            given["fresh"] and view not in ("compact", "json"),
            "--fresh is for --compact, --json and --check",
        ),
        (given["example"] and view != "config", "--example belongs to `tokentop config`"),
        *_serving_clashes(given, view),
        *_ledger_clashes(given, view),
        (
            given["command"]
            and any(given[name] for name in ("json", "compact", "watch", "check"))
            and (view != "ledger" or not given["json"]),
            f"`tokentop {given['command']}` takes no --compact, --json, --watch or --check",
        ),
        (
            (given["name"] and view not in ("example", "completion", "ledger"))
            or (given["operand"] and view != "ledger"),
            f"`tokentop {given['command']}` takes no further word",
        ),
        (view == "completion" and given["name"] not in SHELLS, "completion is for " + _or(SHELLS)),
    )
    for clash, sentence in clashes:
        if clash:
            raise Stop(f"{sentence} (see tokentop --help)", error=True)


def _serving_clashes(given: dict[str, object], view: View) -> Iterator[tuple[object, str]]:
    options = GROUPS[SERVING]
    if given["connect"]:  # which takes the token to send
        options = tuple(option for option in options if option.dest != "serve.token_file")
    misplaced = view != "serve" and any(given[option.dest] for option in options)
    words = _or([option.flags[0] for option in GROUPS[SERVING]])
    yield misplaced, f"{words} belong to `tokentop serve`"
    several = len(cast("list[str]", given["connect"] or ())) > 1
    yield several and view != "screen", "the text views show one host: one --connect"
    yield given["connect"] and given["command"], "--connect is for the screen and the text views"
    yield given["connect"] and given["demo.part"], "--connect and --demo cannot go together"


def _ledger_clashes(given: dict[str, object], view: View) -> Iterator[tuple[object, str]]:
    words = _or([option.flags[0] for option in GROUPS[LEDGER]])
    misplaced = view != "ledger" and any(given[option.dest] for option in GROUPS[LEDGER])
    yield misplaced, f"{words} belong to `tokentop ledger`"


def _overrides(given: dict[str, object]) -> dict[str, object]:
    found = {key: given[key] for key in OVERRIDES if given[key] is not None}
    if any(key.startswith("demo.") for key in found):
        found["demo.enabled"] = True
    return found


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def usage() -> list[str]:
    """Every way to call the program, one a line."""
    words = (f"{command.name} {command.argument}".rstrip() for command in COMMANDS)
    return ["tokentop [options]", *(f"tokentop {each} [options]" for each in words)]


def _parser(epilog: str = "") -> _Parser:
    parser = _Parser(
        prog="tokentop",
        usage="\n       ".join(usage()),
        description="The live economy of self-hosted LLM inference.",
        epilog=epilog,
        formatter_class=_Formatter,
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("command", nargs="?", help=SUPPRESS)
    parser.add_argument("name", nargs="?", help=SUPPRESS)
    parser.add_argument("operand", nargs="?", help=SUPPRESS)
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
