"""How a plugin reaches `tokentop serve`: by the environment of the gateway it runs in."""

import os
from collections.abc import Mapping

from tokentop.light_typing import Literal
from tokentop.named_tuple import NamedTuple
from tokentop.secret import Secret

URL = "http://127.0.0.1:8765"
TIMEOUT_S = 0.5  # for one decision: a request waits for it
PREFIX = "TOKENTOP_GATEWAY_"
OPEN, CLOSED = "open", "closed"


class SettingsError(ValueError):
    """What is wrong with a variable, as one sentence."""


class Settings(NamedTuple):
    """`url` has no trailing slash; `spool` is a folder. `failure_mode` holds while no decision can
    be had: open lets requests through."""

    url: str = URL
    token: Secret | None = None
    spool: str = "tokentop-spool"
    failure_mode: Literal["open", "closed"] = "open"
    timeout_s: float = TIMEOUT_S


def settings(environ: Mapping[str, str]) -> Settings:
    """Read TOKENTOP_GATEWAY_URL, _TOKEN or _TOKEN_FILE, _SPOOL, _FAILURE_MODE and _TIMEOUT_S.

    Raises SettingsError.
    """
    given = {name: environ.get(PREFIX + name) or None for name in
             ("URL", "TOKEN", "TOKEN_FILE", "SPOOL", "FAILURE_MODE", "TIMEOUT_S")}  # fmt: skip
    return Settings(
        url=(given["URL"] or URL).rstrip("/"),
        token=_token(given["TOKEN"], given["TOKEN_FILE"]),
        spool=given["SPOOL"] or _spool(environ),
        failure_mode=_mode(given["FAILURE_MODE"] or OPEN),
        timeout_s=_seconds(given["TIMEOUT_S"]),
    )


def _token(text: str | None, file: str | None) -> Secret | None:
    if file is None:
        return None if text is None else Secret(text)
    try:
        with open(file, encoding="utf-8") as opened:
            return Secret(opened.read(4096).strip())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(f"{PREFIX}TOKEN_FILE cannot be read ({reason})") from None


def _mode(text: str) -> Literal["open", "closed"]:
    if text == OPEN:
        return "open"
    if text == CLOSED:
        return "closed"
    raise SettingsError(f"{PREFIX}FAILURE_MODE is neither open nor closed")


def _seconds(text: str | None) -> float:
    try:
        found = TIMEOUT_S if text is None else float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 60:
        raise SettingsError(f"{PREFIX}TIMEOUT_S is no number of seconds up to 60")
    return found


def _spool(environ: Mapping[str, str]) -> str:
    state = environ.get("XDG_STATE_HOME") or os.path.join(environ.get("HOME", "."), ".local/state")
    return os.path.join(state, "tokentop", "gateway-spool")
