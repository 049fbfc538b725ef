"""A tolerant scanner of Prometheus and OpenMetrics text: one bad line costs that line.

Only the series a caller wants are taken apart. A last line without its newline was cut in transit
and is dropped.
"""

from collections.abc import Iterator
from functools import lru_cache

from tokentop.sources.exposition_line import KEPT, number, parse_line
from tokentop.sources.json_fields import BadData
from tokentop.sources.metrics_page import Page, Sample

MAX_SAMPLES = 16 * 1024  # of 400 bytes each
SLICE = 64 * 1024
_TYPE = b"\n# TYPE "  # begins a family


def _slices(body: bytes) -> Iterator[bytes]:
    """The whole lines in parts of about SLICE bytes: as text a page takes four times its size.

    What follows the last newline was cut in transit.
    """
    at, last = 0, body.rfind(b"\n") + 1
    while at < last:
        end = body.find(b"\n", min(at + SLICE, last - 1)) + 1
        yield body[at:end]
        at = end


def _name(line: str) -> str:
    if line[0] in " \t" or "\t" in line:  # a spacing that is allowed and rare
        line = line.lstrip(" \t").replace("\t", " ")
    return line.partition("{")[0].partition(" ")[0]


def parse(body: bytes, wanted: frozenset[str] | None = None) -> Page:
    """Read a page; `wanted` names the series to keep (histograms by their _bucket).

    Raises BadData where more than MAX_SAMPLES are to be kept.
    """
    series: dict[str, list[Sample]] = {}
    damaged: set[str] = set()
    count, last = 0, ""
    samples: list[Sample] = []
    for line in _lines(body, wanted):
        if not line or line[0] == "#":
            continue
        head, _, text = line.rpartition(" ")
        known = KEPT.get(head)
        if known is not None and (value := number(text)) is not None:
            if wanted is not None and known.name not in wanted:
                continue
            name, sample = known.name, tuple.__new__(Sample, (known.labels, value, known.key))
        else:
            name = _name(line)
            if wanted is not None and name not in wanted:
                continue
            if (parsed := parse_line(line)) is None:
                damaged.add(name)
                continue
            name, sample = parsed
        count += 1
        if count > MAX_SAMPLES:
            raise BadData(f"its metrics page has more than {MAX_SAMPLES:,} samples to read")
        if name != last:
            last, samples = name, series.setdefault(name, [])
        samples.append(sample)
    return Page(series, damaged)


def _lines(body: bytes, wanted: frozenset[str] | None) -> Iterator[str]:
    """The lines but those of families that nobody reads, which are not even taken apart."""
    for part in _slices(body):
        first, *families = part.removesuffix(b"\n").split(_TYPE)
        yield from first.decode("utf-8", "replace").split("\n")
        for family in families:
            if wanted is None or not _is_unread(family, wanted):
                # behind its own name and type
                yield from family.decode("utf-8", "replace").split("\n")[1:]


def _is_unread(family: bytes, wanted: frozenset[str]) -> bool:
    """Whether nobody wants a name that begins with the family's, and its last line has such a one.

    Series without a type may follow it, those of one name together.
    """
    name = family[: family.find(b" ")]
    if not _begins_none(name, wanted):
        return False
    end = len(family)
    while (start := family.rfind(b"\n", 0, end) + 1) and family.startswith(b"#", start):
        end = start - 1  # the next family's help
    return family.startswith(name, start)


@lru_cache(4096)
def _begins_none(name: bytes, wanted: frozenset[str]) -> bool:
    return not any(each.encode().startswith(name) for each in wanted)
