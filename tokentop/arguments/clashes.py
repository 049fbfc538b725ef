"""Flags and commands that cannot go together."""

from collections.abc import Iterator, Sequence

from tokentop.arguments.options import (
    DECISIONS,
    FILES,
    GROUPS,
    LEDGER,
    LEDGER_VERBS,
    SERVING,
    SHELLS,
    View,
)
from tokentop.light_typing import cast

_ONE_WORD = ("example", "completion", *FILES, *DECISIONS)
_VERBS = ("ledger", *LEDGER_VERBS)


def clash(given: dict[str, object], view: View) -> str | None:
    """The first two flags, or flag and command, that cannot go together, as a sentence."""
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
        *_recording_clashes(given, view),
        (
            given["command"]
            and any(given[name] for name in ("json", "compact", "watch", "check"))
            and (view not in _VERBS or not given["json"]),
            f"`tokentop {given['command']}` takes no --compact, --json, --watch or --check",
        ),
        (
            (given["name"] and view not in _ONE_WORD and view not in _VERBS)
            or (given["operand"] and view not in _VERBS),
            f"`tokentop {given['command']}` takes no further word",
        ),
        (view in DECISIONS and not given["name"], f"`tokentop {view}` needs the project"),
        (view == "completion" and given["name"] not in SHELLS, "completion is for " + _or(SHELLS)),
    )
    return next((sentence for found, sentence in clashes if found), None)


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
    shared = ("csv",) if view == "export" else ()
    named = (given[option.dest] for option in GROUPS[LEDGER] if option.dest not in shared)
    misplaced = view not in _VERBS and any(named)
    yield misplaced, f"{words} belong to `tokentop ledger`"


def _recording_clashes(given: dict[str, object], view: View) -> Iterator[tuple[object, str]]:
    yield view in FILES and not given["name"], f"`tokentop {view}` needs the recording's file"
    one = "`tokentop export FILE` takes one of --csv and --parquet"
    yield view == "export" and bool(given["csv"]) == bool(given["parquet"]), one
    yield given["parquet"] and view != "export", one
    yield given["bundle"] is not None and view != "doctor", "--bundle is for `tokentop doctor`"


def _or(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
