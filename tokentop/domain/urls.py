"""The one parser of http(s) URLs, strict; own code, as urllib.parse costs start-up time.

Everything this module returns is printable ASCII by construction, so it may be shown or sent.
"""

import re
from functools import lru_cache

from tokentop.named_tuple import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK = ("127.0.0.1", "::1", "localhost")  # the usual names; is_loopback covers the others too
INVALID = "(invalid address)"
NAME_CHARS = 253
REMEMBERED_CHARS = 256  # of a URL: a redirect may be long

# Sets instead of expressions: those of a URL take half a millisecond to compile.
_ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FORBIDDEN = frozenset("\x7f\\" + "".join(map(chr, range(0x21))))
_IN_NAME = frozenset(_ALPHANUMERIC + "_-.")
_PLAIN = frozenset(_ALPHANUMERIC + "!$%&'()*+,-./:;=?@_~[]|")
_BRACKETED = r"\[[0-9A-Fa-f:.]+(?:%25?[\w.\-]+)?\]"  # these are compiled where they are used
_ADDRESS = r"\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9]+)?\]"
_LOOPBACK_V4 = r"127(?:\.[0-9]{1,3}){3}"


class Target(NamedTuple):
    """A valid URL's parts. `host` has no brackets; `path` includes the query and is secret."""

    scheme: str
    host: str
    port: int
    path: str
    userinfo: str = ""

    def __repr__(self) -> str:
        return f"Target({self.origin!r})"

    @property
    def netloc(self) -> str:
        """Host and port as a Host header and a URL want them: IPv6 in brackets, no zone."""
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """`scheme://host[:port]`: the only place the URL's token may go to."""
        return f"{self.scheme}://{self.netloc}"


def split(url: str) -> Target | None:
    """The parts of an absolute http(s) URL, or None where it is not one; raises nothing."""
    return _remembered(url) if len(url) <= REMEMBERED_CHARS else _split(url)


def _split(url: str) -> Target | None:
    scheme, mark, rest = url.partition("://")
    default = DEFAULT_PORTS.get(scheme.lower())
    if not mark or default is None or not _FORBIDDEN.isdisjoint(url):
        return None
    rest = rest.partition("#")[0]
    authority = rest.partition("?")[0].partition("/")[0]
    path = "/" + rest[len(authority) :].removeprefix("/")
    userinfo, _, place = authority.rpartition("@")
    name, port = _name_and_port(place)
    host = _ascii_host(name)
    number = int(port or default) if _is_port(port) else 0
    if host is None or not 0 < number < 65536:
        return None
    return Target(scheme.lower(), host, number, _quoted(path), userinfo)


_remembered = lru_cache(1024)(_split)  # the same addresses are polled again and again


def _name_and_port(place: str) -> tuple[str, str]:
    """Both as they are written; the name keeps its brackets."""
    end = place.rfind("]") + 1
    name, _, port = place[end:].partition(":")
    return place[:end] + name, port


def _is_port(text: str) -> bool:
    return not text or (len(text) <= 5 and text.isascii() and text.isdigit())


def origin(url: str) -> str:
    """`scheme://host[:port]` of a URL, or `(invalid address)`."""
    target = split(url)
    return INVALID if target is None else target.origin


def safe_url(url: str) -> str:
    """The URL without user info, query and fragment, in plain ASCII, for showing."""
    target = split(url)
    if target is None:
        return INVALID
    path = target.path.partition("?")[0]
    shown = target.origin + ("" if path == "/" else path)
    return shown if len(shown) <= 256 else shown[:255] + "…"


def is_host(text: str) -> bool:
    """Whether `text` is a host as it stands in a URL: a name, or an IPv6 address in brackets."""
    return _is_name(text) or re.fullmatch(_ADDRESS, text) is not None


def is_loopback(host: str) -> bool:
    """Whether what is sent to `host` (with or without brackets) stays on this machine."""
    return host.lower().strip("[]") in LOOPBACK or re.fullmatch(_LOOPBACK_V4, host) is not None


def _ascii_host(text: str) -> str | None:
    if text.startswith("["):
        address = re.fullmatch(_BRACKETED, text, re.ASCII)
        return text[1:-1].replace("%25", "%") if address else None
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return text.lower() if _is_name(text) else None


def _is_name(text: str) -> bool:
    """Whether it is a host's name, which may end in a dot."""
    name = text.removesuffix(".")
    ends = name[:1] + name[-1:]
    inside = _IN_NAME.issuperset(name) and "-" not in ends and "." not in ends
    return inside and 0 < len(name) <= NAME_CHARS


def _quoted(path: str) -> str:
    if _PLAIN.issuperset(path):
        return path
    return "".join(char if char in _PLAIN else _percent(char) for char in path)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
