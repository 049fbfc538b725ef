"""The lines of a page that a server writes at every poll: only their values differ.

Read line by line a page takes three times as long. What is kept leads to the series that
exposition_line.py keeps, and goes with them.
"""

from _blake2 import blake2b  # hashlib would load OpenSSL
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby

from tokentop.named_tuple import NamedTuple
from tokentop.sources.exposition_line import KEPT, Series
from tokentop.sources.metrics_page import Sample

MOST_LINES = 128 * 1024  # of all pages together, 16 bytes each

_sample = partial(tuple.__new__, Sample)


class Run(NamedTuple):
    """The lines of one name, which stand together: where they begin, and their series."""

    name: str
    start: int
    labels: tuple[Mapping[str, str], ...]
    keys: tuple[str, ...]

    def samples(self, values: Sequence[float]) -> list[Sample]:
        """The samples, of the values of all lines."""
        own = values[self.start : self.start + len(self.keys)]
        return list(map(_sample, zip(self.labels, own, self.keys, strict=True)))


class _KnownRuns:
    """Runs by all that stands before the values, as long as KEPT has those series."""

    def __init__(self) -> None:
        self._runs: dict[tuple[bytes, frozenset[str] | None], tuple[Run, ...]] = {}
        self._lines = 0
        self._generation = KEPT.generation

    def find(self, heads: list[str], wanted: frozenset[str] | None) -> tuple[Run, ...] | None:
        """The runs of wanted names; None where they are not kept."""
        if self._generation != KEPT.generation:
            self._forget()
        return self._runs.get((_digest(heads), wanted)) if self._runs else None

    def keep(
        self, heads: list[str], series: list[Series | None], wanted: frozenset[str] | None
    ) -> None:
        """Keep the runs of these lines; None is the series of one that nobody reads."""
        if self._lines + len(heads) > MOST_LINES:
            self._forget()
        named = (run for run in _runs(series) if wanted is None or run.name in wanted)
        self._runs[_digest(heads), wanted] = tuple(named)
        self._lines += len(heads)

    def _forget(self) -> None:
        self._runs.clear()
        self._lines, self._generation = 0, KEPT.generation


def _runs(series: list[Series | None]) -> Iterator[Run]:
    start = 0
    for name, group in groupby(series, _name_of):
        own = list(group)
        if name is not None:
            labels, keys = zip(*((one.labels, one.key) for one in own if one), strict=True)
            yield Run(name, start, labels, keys)
        start += len(own)


def _name_of(series: Series | None) -> str | None:
    return None if series is None else series.name


def _digest(heads: list[str]) -> bytes:
    text = "\n".join(heads).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).digest()


KNOWN_RUNS = _KnownRuns()


def numbers(texts: list[str]) -> list[float] | None:
    """The values; None where one is no number as exposition_line.number reads it."""
    together = " ".join(texts)
    if "_" in together or not together.isascii() or together.split() != texts:
        return None
    try:
        return list(map(float, texts))
    except ValueError:
        return None
