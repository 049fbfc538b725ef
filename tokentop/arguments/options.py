"""Every command and flag, once: --help, the manual, completions and the parser read it."""

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple

View = Literal[
    "screen", "compact", "json", "doctor", "config", "serve", "replay", "export", "example",
    "completion", "ledger", "stop", "resume", "value", "swap", "flags", "classify",
]  # fmt: skip

FILES = ("replay", "export")  # commands on a recording
DECISIONS = ("stop", "resume")  # commands about a project
LEDGER_VERBS = ("value", "swap", "flags", "classify")  # commands that are verbs of ledger as well
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
    Command("serve", "the same over HTTP: JSON, events, Prometheus metrics"),
    Command("replay", "a recording on the full screen, any moment of it", "FILE"),
    Command("export", "a recording as a table: --csv or --parquet", "FILE"),
    Command("example", "a file that ships beside the program; else their names", "[NAME]"),
    Command("completion", "completion for bash, zsh or fish", "SHELL"),
    Command("ledger", "who spent what: import, report, verify and more, below", "VERB [WHAT]"),
    Command("stop", "let gateways refuse what a project asks for from now on", "PROJECT"),
    Command("resume", "let a project that was stopped go on", "PROJECT"),
    Command("value", "report N USD of business value that came of a project", "PROJECT N"),
    Command("swap", "leave N credits of project A to project B", "A B N"),
    Command("flags", "tasks that cost a multiple of their kind, to classify"),
    Command("classify", "fine, defer or halt: what a person decides about a flag", "ID AS"),
)
RECORDINGS = "recordings"
SERVING, LEDGER = "tokentop serve (pip install 'tokentop[serve]')", "tokentop ledger"
GROUPS: dict[str, tuple[Option, ...]] = {
    "views": (
        Option(("--compact",), "print one line", "compact"),
        Option(("--json",), "print one JSON object (schema tokentop/1)", "json"),
        Option(("--watch",), "with either: again and again, every interval", "watch"),
        Option(("--format",), "the line from a template of the names below", "format", "TEMPLATE"),
        Option(("--width",), "at most so many cells: what matters least goes first, whole",
               "width", "N"),
        Option(("--check",), "exit code for monitoring: 0 fine, 1 busy, 2 full or down", "check"),
        Option(("--connect",), "what a `tokentop serve` elsewhere shows; several: a row each",
               "connect", "URL", overrides=True, many=True),
        Option(("--fresh",), "poll, whatever another tokentop of yours has just read", "fresh"),
        Option(("--demo",), "a simulated machine; =stack, =engines, =gpus or =fleet play one part",
               "demo.part", "[=PART]", overrides=True),
        Option(("--demo-seed",), "the same demo for the same number", "demo.seed", "N",
               overrides=True),
        Option(("--demo-at",), "the demo, frozen at one moment", "demo.at_s", "SECONDS",
               overrides=True),
        Option(("--help", "-h"), "show this and exit", "help"),
        Option(("--version", "-V"), "show the version and exit", "version"),
    ),
    RECORDINGS: (
        Option(("--record",), "keep each poll's snapshot there, on screen and with --watch",
               "recording.file", "PATH", overrides=True),
        Option(("--parquet",), "export as Apache Parquet instead of --csv; needs pyarrow",
               "parquet"),
        Option(("--bundle",), "doctor: write a bug report there, without secrets", "bundle",
               "PATH"),
    ),
    "configuration (flags win over environment and file)": (
        Option(("--config",), "read this file instead of the usual one", "config", "PATH"),
        Option(("--interval",), "seconds between polls", "interval_s", "S", overrides=True),
        Option(("--theme",), "dark, light, colorblind or ansi", "ui.theme", "NAME",
               overrides=True),
        Option(("--ascii",), "no block characters", "ui.ascii", overrides=True),
        Option(("--no-state",), "keep nothing: no sort, theme, interval, history", "ui.state",
               overrides=True, stores=False),
        Option(("--hide",), "leave these panels out, joined by commas", "ui.hide", "PANELS",
               overrides=True),
        Option(("--no-gpus",), "leave the NVIDIA driver alone", "gpus", overrides=True,
               stores=False),
        Option(("--no-discovery",), "look for no engines by itself", "discovery.enabled",
               overrides=True, stores=False),
        Option(("--prometheus",), "engines and GPUs that a Prometheus server knows",
               "prometheus.url", "URL", overrides=True),
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
    LEDGER: (
        Option(("--by",), "user, project, team, model, provider, engine, outcome, day, hour", "by",
               "KEYS"),
        Option(("--since",), "from then on: 90m, 12h, 7d, or a date", "since", "WHEN"),
        Option(("--until",), "and before then; else until now", "until", "WHEN"),
        Option(("--unit",), "of a value: usd", "unit", "UNIT"),
        Option(("--csv",), "the report, or the exported recording, as CSV", "csv"),
        Option(("--focus",), "as CSV with the columns of FOCUS 1.4, a row a day", "focus"),
        Option(("--checkpoint",), "the checkpoints that were kept", "checkpoint", "PATH"),
        Option(("--key",), "their public keys, where the private one is elsewhere", "key", "PATH"),
    ),
}  # fmt: skip
OPTIONS = tuple(option for group in GROUPS.values() for option in group)
OVERRIDES = tuple(option.dest for option in OPTIONS if option.overrides)


def described() -> list[str]:
    """The commands with their arguments and meanings, one a line."""
    words = [f"{command.name} {command.argument}" for command in COMMANDS]
    width = max(map(len, words))
    return [f"  {w:<{width}}  {c.help}" for w, c in zip(words, COMMANDS, strict=True)]
