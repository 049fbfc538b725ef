"""One raw value against its key's row: the value to use, or the sentence that says what to mend."""

import re
from collections.abc import Callable
from math import isfinite

from tokentop.config.key import Key
from tokentop.config.problems import printable
from tokentop.domain.urls import is_host, split
from tokentop.light_typing import TypeVar
from tokentop.named_tuple import NamedTuple

YES, NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
Item = TypeVar("Item", str, int)
MAX_ITEMS = 100  # of hosts, ports or URLs: each is tried


class Bad(NamedTuple):
    """Why a value cannot be used, with the mend."""

    text: str


def toml(value: object) -> str:
    """Write a value as TOML; None, which TOML lacks, is the empty text that stands for it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    text = "" if value is None else str(value)
    return '"' + "".join(map(_escaped, text)) + '"'


def check(key: Key, raw: object) -> object | Bad:
    """Return what a typed value (from TOML or a parsed flag) means for `key`, or Bad."""
    if raw == "" and key.default is None:
        return None
    if key.kind in _LISTS:
        return _LISTS[key.kind](key, raw)
    match key.kind:
        case "number" | "integer":
            return _number(key, raw)
        case "switch":
            return raw if isinstance(raw, bool) else _wrong(key, raw, "true or false")
    return _text(key, raw) if isinstance(raw, str) else _wrong(key, raw, "text")


def _text(key: Key, raw: str) -> object | Bad:
    if key.kind in _TEXTS:
        return _TEXTS[key.kind](key, raw)
    match key.kind:
        case "choice":
            return raw if raw in key.choices else _no_choice(raw, key.choices)
        case "path":
            return _path(raw)
        case "variable":
            return _variable(raw)
        case "text":
            return _name(raw)
        case "rule":
            return _rule(raw)
    return raw or None if "\0" not in raw else Bad("holds a NUL character; write a file's path")


def check_text(key: Key, raw: str) -> object | Bad:
    """Return what text from the environment or a raw flag means for `key`, or Bad."""
    match key.kind:
        case "number" | "integer":
            try:
                return check(key, int(raw) if key.kind == "integer" else float(raw))
            except ValueError:
                return Bad(f"{printable(raw, 40)!r} is not a number; set it to {key.example}")
        case "switch":
            word = raw.strip().lower()
            if word in YES + NO:
                return word in YES
            return Bad(f"{printable(raw, 40)!r} is neither yes nor no; set it to true or false")
        case "names" | "words" | "hosts" | "origins":
            return check(key, _listed(raw))
        case "ports":
            return check(
                key, [int(x) if re.fullmatch("[0-9]{1,9}", x) else x for x in _listed(raw)]
            )
    return check(key, raw)


def nearest(name: str, names: tuple[str, ...]) -> str | None:
    """Return the name most like this one, if any is."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name[:60], names, 1, 0.6)), None)


def _number(key: Key, raw: object) -> float | int | Bad:
    whole = key.kind == "integer"
    if isinstance(raw, bool) or not isinstance(raw, int if whole else int | float):
        return _wrong(key, raw, "a whole number" if whole else "a number")
    try:
        value = raw if whole else float(raw)
    except OverflowError:
        value = float("inf")
    if not isfinite(value):
        return Bad(f"must be finite; write {key.leaf} = {toml(key.example)}")
    if key.low is not None and value < key.low:
        return Bad(f"{_brief(value)} is below {key.low}; set it to at least {key.low}")
    if key.high is not None and value > key.high:
        return Bad(f"{_brief(value)} is above {key.high}; set it to at most {key.high}")
    return value


def _names(key: Key, raw: object) -> tuple[str, ...] | Bad:
    if not isinstance(raw, list | tuple) or not all(isinstance(name, str) for name in raw):
        return _wrong(key, raw, "a list of texts")
    for name in raw:
        if name not in key.choices:
            return _no_choice(name, key.choices)
    return tuple(dict.fromkeys(raw))


def _words(key: Key, raw: object) -> tuple[str, ...] | Bad:
    """Program and arguments, as they are handed over: no shell reads them."""
    texts = isinstance(raw, list | tuple) and all(isinstance(word, str) for word in raw)
    if not isinstance(raw, list | tuple) or not texts or any("\0" in word for word in raw):
        return _wrong(key, raw, "a list of texts")
    return tuple(raw)


def _rule(raw: str) -> str | Bad:
    """An alert's rule as it was written."""
    from tokentop.domain.alerts.rule import RuleError, parse

    try:
        parse(raw)
    except RuleError as error:
        return Bad(str(error))
    return raw


def _listed(raw: str) -> list[str]:
    return [part.strip() for part in raw.split(",") if part.strip()]


def _hosts(key: Key, raw: object) -> tuple[str, ...] | Bad:
    """Names and addresses; an IPv6 address gets the brackets it has in a URL."""
    if not isinstance(raw, list | tuple) or not all(isinstance(host, str) for host in raw):
        return _wrong(key, raw, "a list of texts")
    hosts = [f"[{host}]" if re.fullmatch("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:.*", host) else host
             for host in raw]  # fmt: skip
    for host in hosts:
        if not is_host(host):
            mend = f"write hosts = {toml(key.sample)} (ports go to ports)"
            return Bad(f'"{printable(host, 40)}" is no host name or address; {mend}')
    return _few(tuple(dict.fromkeys(hosts)))


def _ports(key: Key, raw: object) -> tuple[int, ...] | Bad:
    numbers = isinstance(raw, list | tuple) and all(type(port) is int for port in raw)
    if not isinstance(raw, list | tuple) or not numbers:
        return _wrong(key, raw, "a list of port numbers")
    if any(not 0 < port < 65536 for port in raw):
        return Bad(f"holds a number that is no port; write {key.leaf} = {toml(key.sample)}")
    return _few(tuple(dict.fromkeys(raw)))


def _host(key: Key, raw: str) -> str | Bad:
    """One name or address, an IPv6 address without the brackets it has in a URL."""
    host = raw.removeprefix("[").removesuffix("]")
    if is_host(f"[{host}]" if ":" in host else host):
        return host
    mend = f"write {key.leaf} = {toml(key.example)} (the port goes to port)"
    return Bad(f'"{printable(raw, 40)}" is no host name or address; {mend}')


def _origins(key: Key, raw: object) -> tuple[str, ...] | Bad:
    """Scheme, host and port of web pages, as browsers send them in Origin."""
    if not isinstance(raw, list | tuple) or not all(isinstance(text, str) for text in raw):
        return _wrong(key, raw, "a list of texts")
    for text in raw:
        if isinstance(_url(key, text), Bad) or text.count("/") != 2:
            return Bad(f"names what is no origin; write {key.leaf} = {toml(key.sample)}")
    return tuple(dict.fromkeys(text.lower() for text in raw))


def _urls(key: Key, raw: object) -> tuple[str, ...] | Bad:
    if not isinstance(raw, list | tuple) or not all(isinstance(text, str) for text in raw):
        return _wrong(key, raw, "a list of texts")
    urls = [_url(key, text) for text in raw]
    bad = next((url for url in urls if isinstance(url, Bad)), None)
    return bad or _few(tuple(dict.fromkeys(url for url in urls if isinstance(url, str))))


def _few(items: tuple[Item, ...]) -> tuple[Item, ...] | Bad:
    many = f"names {len(items)}, and at most {MAX_ITEMS} are tried; name fewer"
    return items if len(items) <= MAX_ITEMS else Bad(many)


def _name(raw: str) -> str | Bad:
    """A name for the screen: short and printable."""
    if raw.isprintable() and len(raw) <= 64 and raw.strip() == raw:
        return raw
    return Bad("must be up to 64 printable characters; write a plain name")


def _label(key: Key, raw: str) -> str | Bad:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", raw):
        return raw
    return Bad(f'must be the name of a label; write it like "{key.example}"')


def _writer(key: Key, raw: str) -> str | Bad:
    """Part of a checkpoint's origin, which holds neither spaces nor a plus."""
    if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", raw):
        return raw
    return Bad(f'must be a plain word of letters, digits, ".", "_" or "-"; write it like '
               f'"{key.example}"')  # fmt: skip


def _url(key: Key, raw: str) -> str | Bad:
    """Sentences here never repeat the URL: it may hold a password."""
    sample = key.sample[0] if isinstance(key.sample, list) else key.sample
    mend = f'write it like "{sample or "https://host:8150"}"'
    scheme, separator, rest = raw.partition("://")
    authority = rest.partition("#")[0].partition("?")[0].partition("/")[0]
    if not separator or scheme.lower() not in ("http", "https"):
        return Bad(f"does not start with http:// or https://; {mend}")
    if "@" in authority:
        return Bad("holds a user name or password; take it out and use token_env or token_file")
    if "?" in rest or "#" in rest:
        return Bad("holds a query or fragment; take it out (a secret goes to token_env)")
    if split(f"{scheme}://{rest}") is None or not rest.isascii():
        return Bad(f"has no valid host, port (1 to 65535) or path; {mend}")
    return f"{scheme.lower()}://{rest.rstrip('/')}"


def _path(raw: str) -> str | Bad:
    if re.fullmatch(r"/[!-~]*", raw) and not re.search(r"[?#]|^//", raw):
        return raw
    return Bad('must be a plain path without query or fragment; write it like "/llm/queue"')


def _variable(raw: str) -> str | Bad | None:
    """Accept the name of an environment variable; a mistaken value may be the token itself."""
    if not raw or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", raw):
        return raw or None
    return Bad('must be the name of an environment variable, not a token; write it like "MY_TOKEN"')


def _no_choice(raw: str, choices: tuple[str, ...]) -> Bad:
    guess = nearest(raw, choices)
    meant = f"did you mean {guess}? " if guess else ""
    return Bad(f'"{printable(raw, 40)}" is not known; {meant}choose from {", ".join(choices)}')


def _wrong(key: Key, raw: object, wanted: str) -> Bad:
    """Name the type that was found, not the value."""
    return Bad(f"needs {wanted}, not {_type(raw)}; write {key.leaf} = {toml(key.example)}")


def _type(raw: object) -> str:
    kinds = (
        (bool, "true or false"), (int, "a whole number"), (float, "a fraction"),
        (str, "text"), (list | tuple, "this list"), (dict, "a table"),
    )  # fmt: skip
    return next((name for kind, name in kinds if isinstance(raw, kind)), "a date or time")


def _brief(value: float | int) -> str:
    return f"{value:.6g}" if isinstance(value, float) else printable(_digits(value), 24)


def _digits(value: int) -> str:
    return str(value) if abs(value) < 10**24 else ("-" if value < 0 else "") + "9999…"


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _ledger_value(key: Key, raw: object) -> object:
    from tokentop.config.ledger_values import CHECKS

    return CHECKS[key.kind](key, raw)


_LISTS: dict[str, Callable[[Key, object], object]] = {
    "names": _names, "words": _words, "hosts": _hosts, "ports": _ports, "origins": _origins,
    "urls": _urls, "shares": _ledger_value,
}  # fmt: skip
_TEXTS: dict[str, Callable[[Key, str], object]] = {
    "url": _url, "label": _label, "host": _host, "writer": _writer,
    "database": _ledger_value, "zone": _ledger_value,
}  # fmt: skip
