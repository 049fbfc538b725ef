"""The manual page, tokentop(1), made from the tables behind --help and the keys' table."""

from collections.abc import Iterable

from tokentop.arguments.options import COMMANDS, GROUPS, LEDGER_VERBS, Option
from tokentop.config.credentials import CONNECT_TOKEN
from tokentop.config.keys import table
from tokentop.manual.shipped import SHIPPED
from tokentop.views.figures import FIELDS
from tokentop.views.help import EPILOG
from tokentop.views.ledger.verbs import VERBS
from tokentop.views.tui.keys import KEYS


def page() -> str:
    """The page as man(7) macros."""
    parts = (
        ('.TH TOKENTOP 1 "" tokentop "User Commands"',),
        (".SH NAME", r"tokentop \- the live token economy of self-hosted LLM inference"),
        _synopsis(),
        _section("DESCRIPTION", _DESCRIPTION),
        _commands(),
        _verbs(),
        *(_options(title, options) for title, options in GROUPS.items()),
        _formats(),
        _keys(),
        _section("EXIT STATUS", _verbatim(EPILOG.partition("exit codes:\n")[2])),
        _environment(),
        _files(),
        _section("EXAMPLES", _verbatim(EPILOG.partition("\n\n")[0].partition("\n")[2])),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


_DESCRIPTION = (
    "tokentop polls the inference servers and the local NVIDIA GPUs every few seconds and shows",
    "how full the box is, what a token costs right now, and what one more GPU would cost.",
    "It finds vLLM, SGLang, llama.cpp, Ollama, TGI, Triton and LiteLLM by itself.",
    "Without a view among the options it draws the full screen.",
)


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [f".SH {title}", *lines]


def _synopsis() -> list[str]:
    rows = [_bold("tokentop") + r" [options]"]
    for each in COMMANDS:
        argument = f" {_escaped(each.argument)}" if each.argument else ""
        rows += [".br", _bold(f"tokentop {each.name}") + argument + " [options]"]
    return _section("SYNOPSIS", rows)


def _commands() -> list[str]:
    rows = (_item(f"{each.name} {each.argument}".rstrip(), each.help) for each in COMMANDS)
    return _section("COMMANDS", (line for row in rows for line in row))


def _verbs() -> list[str]:
    own = (verb for verb in VERBS if verb.name not in LEDGER_VERBS)
    rows = (_item(f"ledger {verb.usage}", verb.help) for verb in own)
    return _section('"VERBS OF LEDGER"', (line for row in rows for line in row))


def _options(title: str, options: Iterable[Option]) -> list[str]:
    rows = (_item(_named(option), option.help) for option in options)
    return _section(f'"OPTIONS: {title.upper()}"', (line for row in rows for line in row))


def _named(option: Option) -> str:
    flags = ", ".join(option.flags)
    return f"{flags} {option.value}" if option.value else flags


def _formats() -> list[str]:
    names = (
        _item(name, f"{field.means} ({field.unit})" if field.unit else field.means)
        for name, field in FIELDS.items()
    )
    intro = (
        "A template has these names in braces, with Python format specs:",
        _bold("{multiplier:.2f}") + ". What is unknown prints a dash.",
    )
    return _section('"NAMES FOR --FORMAT"', (*intro, *(line for row in names for line in row)))


def _keys() -> list[str]:
    rows: list[str] = []
    for group in dict.fromkeys(key.group for key in KEYS):
        rows += [f".SS {group}"]
        for key in KEYS:
            rows += _item(key.shown, key.label) if key.group == group and key.shown else ()
    return _section("KEYS", rows)


def _environment() -> list[str]:
    named = [(name, key.help) for key in table().values() for name in key.env]
    own = [(name, what) for name, what in named if name.startswith("TOKENTOP_")]
    rows = (
        _item(name, what)
        for name, what in (
            ("TOKENTOP_CONFIG", "The configuration file"),
            (CONNECT_TOKEN, "The token for what --connect names"),
            *own,
            ("NO_COLOR", "No colour where it is set and not empty"),
        )
    )
    return _section("ENVIRONMENT", (line for row in rows for line in row))


def _files() -> list[str]:
    rows = [
        *_item("~/.config/tokentop/config.toml", "The configuration; tokentop config --example"),
        "What ships beside the program, and tokentop example NAME prints:",
    ]
    for name, what in sorted(SHIPPED.items()):
        rows += _item(name, what)
    return _section("FILES", rows)


def _item(term: str, text: str) -> list[str]:
    return [".TP", _bold(term), _escaped(text)]


def _verbatim(text: str) -> list[str]:
    return [".nf", *(_escaped(line) for line in text.strip("\n").splitlines()), ".fi"]


def _bold(text: str) -> str:
    return rf"\fB{_escaped(text)}\fR"


def _escaped(text: str) -> str:
    """Text that roff prints as it stands; a line never begins with a control character."""
    plain = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    arrows = (("↓", r"\(da"), ("↑", r"\(ua"), ("←", r"\(<-"), ("→", r"\(->"))
    for sign, name in (*arrows, ("^", r"\(ha"), ("~", r"\(ti")):
        plain = plain.replace(sign, name)
    return rf"\&{plain}" if plain.startswith(".") else plain
