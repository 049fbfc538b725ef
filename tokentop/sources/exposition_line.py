"""One line of a metrics page: its name, labels and value.

A server writes the same label sets at every poll, and one for all buckets of a histogram: each is
taken apart once.
"""

import re
from _blake2 import blake2b  # hashlib would load OpenSSL
from collections.abc import Mapping
from functools import cache, lru_cache
from sys import intern

from tokentop.named_tuple import NamedTuple
from tokentop.sources.metrics_page import Sample

MAX_LABELS = 64
LONGEST = 2048  # longer series are not kept
SHORT = 512  # longer label sets are no series' but one's
ROOM = 4 * 1024 * 1024  # characters of those that are, which take two to four bytes each
EACH = 128  # characters that an empty one would take
FORGET_AFTER = 128 * 1024  # series that found no place: those that have one may be gone
LONG_KEY = 64

# Possessive quantifiers: a hostile line is read once, never tried again in another way.
_LABEL = re.compile(
    r'[ \t]*+([a-zA-Z_][a-zA-Z0-9_]*+)[ \t]*+=[ \t]*+"((?:[^"\\]++|\\.)*+)"[ \t]*+(?:,|\Z)'
)
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Series(NamedTuple):
    """All of a line but its value."""

    name: str
    labels: Mapping[str, str]
    key: str


class _Kept(dict[str, Series]):
    """Series by the text before the value, as many as there is room for.

    `generation` counts how often they were forgotten.
    """

    taken = missed = generation = 0

    def keep(self, head: str, series: Series) -> None:
        size = len(head) + EACH
        if self.taken + size <= ROOM:
            self[head] = series
            self.taken += size
            return
        self.missed += 1
        if self.missed > FORGET_AFTER:
            self.forget()

    def forget(self) -> None:
        self.clear()
        self.taken = self.missed = 0
        self.generation += 1


KEPT = _Kept()


def number(text: str) -> float | None:
    """A number as the formats write it (NaN and infinities included), else None."""
    if "_" in text or not text.isascii() or text != text.strip():  # which float reads as well
        return None
    try:
        return float(text)
    except ValueError:
        return None


def parse_line(line: str) -> tuple[str, Sample] | None:
    """One line that is no comment, of a series that is not kept; None where it cannot be read."""
    head, _, text = line.rpartition(" ")
    value = number(text)
    series = None if value is None else _plain(head)
    if series is None or value is None:
        return _parse_unusual(line)
    if len(line) <= LONGEST:
        KEPT.keep(head, series)
    return series.name, Sample(series.labels, value, series.key)


def _plain(head: str) -> Series | None:
    """A name, with labels or without; None where anything else stands there, be it a blank."""
    name, brace, rest = head.partition("{")
    if not name.isascii() or not name.replace(":", "_").isidentifier():
        return None
    return _series(intern(name), rest[:-1]) if rest.endswith("}") or not brace else None


def _parse_unusual(line: str) -> tuple[str, Sample] | None:
    """A line with blanks at other places, a time or an exemplar."""
    found = _any_line().match(line)
    if found is None:
        return None
    series, value = _series(found["name"], found["labels"] or ""), number(found["value"])
    if series is None or value is None:
        return None
    return series.name, Sample(series.labels, value, series.key)


@cache
def _any_line() -> re.Pattern[str]:
    """Everything that the formats allow; most servers never write such a line."""
    return re.compile(
        r"[ \t]*+(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*+)"
        r'(?:[ \t]*+\{(?P<labels>(?:[^"}]++|"(?:[^"\\]++|\\.)*+")*+)\}[ \t]*+|[ \t]++)'
        r"(?P<value>[^ \t#\r]++)"
        r"(?:[ \t]++-?[0-9.eE+-]++)?+[ \t]*+(?:#.*+)?\r?\Z"
    )


def _series(name: str, text: str) -> Series | None:
    """`text` is what stands in braces; None where that is no label set."""
    others, bound = _without_bound(text)
    read = _label_set if len(others) <= SHORT else _label_set.__wrapped__
    found = read(others)
    if found is None:
        return None
    labels, key = found
    if bound is None:
        return Series(name, labels, key)
    if "le" in labels or len(labels) == MAX_LABELS:
        return None
    return Series(name, {**labels, "le": bound}, key)


def _without_bound(text: str) -> tuple[str, str | None]:
    """A bucket's labels without its `le`, and that; the text as it is where there is none.

    An even number of quotes before it: it is a label's name and no part of a value.
    """
    before, mark, rest = text.partition(',le="')
    if mark:
        before += ","
    elif text.startswith('le="'):
        before, rest = "", text[4:]
    else:
        return text, None
    bound, _, after = rest.partition('"')
    if before.count('"') % 2 or after[:1] not in ("", ",") or "\\" in text:
        return text, None
    return before + after[1:], bound


@lru_cache(4096)
def _label_set(text: str) -> tuple[dict[str, str], str] | None:
    """The labels and their key; None where the text is no label set."""
    labels = _labels(text)
    return None if labels is None else (labels, _key(labels))


def _key(labels: Mapping[str, str]) -> str:
    """The label set as one text, whatever the labels' order; buckets of a histogram share it."""
    key = ",".join(f"{name}={labels[name]!r}" for name in sorted(labels) if name != "le")
    if len(key) <= LONG_KEY:
        return key
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _labels(text: str) -> dict[str, str] | None:
    """None where the text is no label set; the same label twice is none."""
    labels: dict[str, str] = {}
    position, end = 0, len(text.rstrip(" \t"))
    while position < end:
        found = _LABEL.match(text, position)
        if found is None or len(labels) >= MAX_LABELS:
            return None
        name, value = found.groups()
        if name in labels:
            return None
        if "\\" in value:
            value = re.sub(r"\\[\\\"n]", lambda escape: _ESCAPES[escape[0]], value)
        labels[name] = value
        position = found.end()
    return labels
