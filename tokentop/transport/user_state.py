"""What outlasts a run: $XDG_STATE_HOME/tokentop, with the choices on the screen in screen.json.

The file is readable for its user alone and is replaced whole. A file that is damaged, another
user's or a link is no file; nothing here raises.
"""

import os
from collections.abc import Mapping
from contextlib import suppress

from tokentop.transport.user_cache import open_directory, read_private, replace_private

_DIRECTORY, _FILE = "tokentop", "screen.json"


def load(environ: Mapping[str, str] = os.environ) -> dict[str, object]:
    """What was saved last; empty where there is nothing to be trusted."""
    parent = _state_home(environ)
    place = open_directory(parent, _DIRECTORY, True) if os.path.isdir(parent) else None
    if place is None:
        return {}
    try:
        saved = read_private(place, _FILE)
    finally:
        os.close(place)
    return {} if saved is None else _choices(saved)


def _choices(saved: bytes) -> dict[str, object]:
    from json import loads  # only where something was saved: the first picture waits for it

    try:
        found = loads(saved)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def save(values: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> bool:
    """Replace what was saved; whether that worked."""
    import json

    place = _made(environ)
    if place is None:
        return False
    try:
        return replace_private(place, _FILE, json.dumps(dict(values)).encode())
    finally:
        os.close(place)


def directory(environ: Mapping[str, str] = os.environ) -> str | None:
    """Our directory's path, made where it is missing; None where none can be trusted."""
    place = _made(environ)
    if place is None:
        return None
    os.close(place)
    return os.path.join(_state_home(environ), _DIRECTORY)


def _made(environ: Mapping[str, str]) -> int | None:
    parent = _state_home(environ)
    with suppress(OSError, ValueError):
        os.makedirs(parent, 0o700, exist_ok=True)
    return open_directory(parent, _DIRECTORY, True)


def _state_home(environ: Mapping[str, str]) -> str:
    """$XDG_STATE_HOME where it is absolute, as its specification asks, else ~/.local/state."""
    named = environ.get("XDG_STATE_HOME", "")
    home = environ.get("HOME") or os.path.expanduser("~")
    return named if named.startswith("/") else os.path.join(home, ".local", "state")
