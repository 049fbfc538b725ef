"""Snapshot -> a page of metrics: Prometheus text (0.0.4) or OpenMetrics (1.0.0).

What is unknown has no sample: a 0 would be averaged and alerted on.
"""

from collections.abc import Iterable, Iterator
from math import isfinite

from tokentop.domain.snapshot import Snapshot
from tokentop.views.metric_families import Family, Labels, families

_UNITS = ("seconds", "bytes", "ratio", "celsius", "watts")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def prometheus(snapshot: Snapshot) -> str:
    """The page in Prometheus' text format."""
    return "".join(_page(snapshot, open_metrics=False))


def openmetrics(snapshot: Snapshot) -> str:
    """The page in OpenMetrics, with units and its closing line."""
    return "".join(_page(snapshot, open_metrics=True)) + "# EOF\n"


def _page(snapshot: Snapshot, *, open_metrics: bool) -> Iterator[str]:
    for family in families(snapshot):
        samples = list(_samples(family))
        if samples:
            yield from _head(family) if open_metrics else _plain_head(family)
            yield from samples


def _head(family: Family) -> Iterator[str]:
    yield f"# TYPE {family.name} {family.kind}\n"
    unit = family.name.rpartition("_")[2]
    if unit in _UNITS:
        yield f"# UNIT {family.name} {unit}\n"
    yield f"# HELP {family.name} {family.help}\n"


def _plain_head(family: Family) -> Iterator[str]:
    name = _sample_name(family)
    yield f"# HELP {name} {family.help}\n"
    yield f"# TYPE {name} {'counter' if family.kind == 'counter' else 'gauge'}\n"


def _sample_name(family: Family) -> str:
    suffix = {"counter": "_total", "info": "_info"}.get(family.kind, "")
    return family.name + suffix


def _samples(family: Family) -> Iterator[str]:
    """One line each; a label set that came before is left out, which a scraper would refuse."""
    name, written = _sample_name(family), set()
    for labels, value in family.samples:
        text = _labels(labels)
        if value is not None and isfinite(value) and text not in written:
            written.add(text)
            yield f"{name}{text} {_number(value)}\n"


def _labels(labels: Labels) -> str:
    pairs: Iterable[str] = (
        f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels if value
    )
    text = ",".join(pairs)
    return f"{{{text}}}" if text else ""


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, bool | int) else repr(value)
