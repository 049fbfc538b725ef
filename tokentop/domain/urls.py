"""The one parser of http(s) URLs, strict; own code, as urllib.parse costs start-up time.

Everything this module returns is printable ASCII by construction, so it may be shown or sent.
"""

import re

from tokentop.named_tuple import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK = ("127.0.0.1", "::1", "localhost")  # the usual names; is_loopback covers the others too
INVALID = "(invalid address)"

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:(?P<userinfo>[^/?#]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%25?[\w.\-]+)?\]|[^/?#@:\[\]%\s\\]+)"
    r"(?::(?P<port>[0-9]{1,5})?)?"
    r"(?P<path>/[^?#]*)?"
    r"(?P<query>\?[^#]*)?"
    r"(?:\#.*)?",
    re.IGNORECASE | re.ASCII,
)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_HOST_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._\-]{0,251}[A-Za-z0-9_])?\.?")
_ADDRESS = r"\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9]+)?\]"  # these two are compiled where they are used
_LOOPBACK_V4 = r"127(?:\.[0-9]{1,3}){3}"
_TO_QUOTE = re.compile(r"[^!$%&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]|]")


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
    match = _URL.fullmatch(url) if not _FORBIDDEN.search(url) else None
    if match is None:
        return None
    scheme = match["scheme"].lower()
    host = _ascii_host(match["host"])
    port = int(match["port"] or DEFAULT_PORTS[scheme])
    if host is None or not 0 < port < 65536:
        return None
    path = _quoted((match["path"] or "/") + (match["query"] or ""))
    return Target(scheme, host, port, path, match["userinfo"] or "")


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
    return bool(_HOST_NAME.fullmatch(text) or re.fullmatch(_ADDRESS, text))


def is_loopback(host: str) -> bool:
    """Whether what is sent to `host` (with or without brackets) stays on this machine."""
    return host.lower().strip("[]") in LOOPBACK or re.fullmatch(_LOOPBACK_V4, host) is not None


def _ascii_host(text: str) -> str | None:
    if text.startswith("["):
        return text[1:-1].replace("%25", "%")
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return text.lower() if _HOST_NAME.fullmatch(text) else None


def _quoted(path: str) -> str:
    if not _TO_QUOTE.search(path):
        return path
    return "".join(char if not _TO_QUOTE.match(char) else _percent(char) for char in path)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
