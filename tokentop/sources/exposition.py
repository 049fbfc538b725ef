"""A tolerant scanner of Prometheus and OpenMetrics text: one bad line costs that line.

Only the series a caller wants are taken apart. A last line without its newline was cut in transit
and is dropped.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from tokentop.sources.exposition_line import KEPT, Series, number, parse_line
from tokentop.sources.exposition_runs import KNOWN_RUNS, numbers
from tokentop.sources.json_fields import BadData
from tokentop.sources.metrics_page import Page, Sample

MAX_SAMPLES = 16 * 1024  # of 400 bytes each
SLICE = 64 * 1024
_TYPE = b"\n# TYPE "  # begins a family


def parse(body: bytes, wanted: frozenset[str] | None = None) -> Page:
    """Read a page; `wanted` names the series to keep (histograms by their _bucket).

    Raises BadData where more than MAX_SAMPLES are to be kept.
    """
    reading = _Reading(wanted)
    for part in _slices(body):
        text = b"\n".join(_wanted_families(part, wanted)).decode("utf-8", "replace")
        if lines := [line for line in text.split("\n") if line and line[0] != "#"]:
            reading.take(lines)
    return Page(reading.series, reading.damaged)


class _Reading:
    """What has been read of one page."""

    def __init__(self, wanted: frozenset[str] | None) -> None:
        self.series: dict[str, list[Sample]] = {}
        self.damaged: set[str] = set()
        self._wanted = wanted
        self._count = 0

    def take(self, lines: list[str]) -> None:
        """Read these lines, all at once where the same came before."""
        parts = [line.rpartition(" ") for line in lines]
        heads, texts = [part[0] for part in parts], [part[2] for part in parts]
        runs = KNOWN_RUNS.find(heads, self._wanted)
        values = None if runs is None else numbers(texts)
        if runs is None or values is None:
            self._each(lines, heads, texts)
            return
        for run in runs:
            self._add(run.name, run.samples(values))

    def _each(self, lines: list[str], heads: list[str], texts: list[str]) -> None:
        wanted = self._wanted
        known: list[Series | None] = []
        for line, head, text in zip(lines, heads, texts, strict=True):
            series = KEPT.get(head)
            if series is not None and (value := number(text)) is not None:
                known.append(series)
                if wanted is None or series.name in wanted:
                    self._add(series.name, (Sample(series.labels, value, series.key),))
                continue
            name = _name(line)
            if wanted is not None and name not in wanted:
                known.append(None)
            elif (parsed := parse_line(line)) is None:
                self.damaged.add(name)
            else:
                self._add(parsed[0], (parsed[1],))
        if len(known) == len(lines):
            KNOWN_RUNS.keep(heads, known, wanted)

    def _add(self, name: str, samples: Sequence[Sample]) -> None:
        self._count += len(samples)
        if self._count > MAX_SAMPLES:
            raise BadData(f"its metrics page has more than {MAX_SAMPLES:,} samples to read")
        self.series.setdefault(name, []).extend(samples)


def _slices(body: bytes) -> Iterator[bytes]:
    """Whole families in parts of about SLICE bytes: as text a page takes four times its size.

    What follows the last newline was cut in transit.
    """
    at, last = 0, body.rfind(b"\n")
    while at < last:
        end = body.find(_TYPE, at + SLICE, last)
        if not 0 <= end < at + 2 * SLICE:
            end = body.find(b"\n", min(at + SLICE, last))
        yield body[at:end]
        at = end


def _wanted_families(part: bytes, wanted: frozenset[str] | None) -> Iterator[bytes]:
    """The families but those that nobody reads, which are not even taken apart."""
    first, *families = part.split(_TYPE)
    yield first
    for family in families:
        name = family[: family.find(b" ")]
        if wanted is not None and _begins_none(name, wanted):
            last = family.rfind(b"\n") + 1
            while last and family.startswith(b"#", last):  # the next family's help
                last = family.rfind(b"\n", 0, last - 1) + 1
            # Series without a type may follow its own, those of one name together.
            if family.startswith(name, last):
                continue
        yield b"#" + family  # its name and type are no series


def _name(line: str) -> str:
    if line[0] in " \t" or "\t" in line:  # a spacing that is allowed and rare
        line = line.lstrip(" \t").replace("\t", " ")
    return line.partition("{")[0].partition(" ")[0]


@lru_cache(4096)
def _begins_none(name: bytes, wanted: frozenset[str]) -> bool:
    """Whether nobody wants a name that begins so."""
    return not any(each.encode().startswith(name) for each in wanted)
