"""As much of PromQL as our queries use, over pages that were all scraped once.

Every counter is taken to have stood at 0 a minute before: a rate is the value over 60 seconds.
https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

WINDOW_S = 60.0

TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?[a-z]*|[a-zA-Z_:][\w:]*|=~|!~|!=|==|>=|[-{}()\[\],=])'
)


class Row(NamedTuple):
    """One element of an instant vector."""

    labels: Mapping[str, str]
    value: float


Vector = list[Row]


def scraped(body: bytes, scraped_at: float, **target: str) -> Iterable[tuple[Row, float]]:
    """The samples of a page with their target's labels, as a Prometheus server stores them.

    A label that the target has too is renamed; the library's _total for counters is undone.
    """
    text = body.decode()
    names = set(re.findall(r"(?m)^[a-zA-Z_:][\w:]*", text))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name if sample.name in names else sample.name.removesuffix("_total")
            own = {f"exported_{k}" if k in target else k: v for k, v in sample.labels.items() if v}
            yield Row({"__name__": name, **own, **target}, sample.value), scraped_at


class Server:
    """Answers instant queries about the rows it has."""

    def __init__(self, rows: Iterable[tuple[Row, float]]) -> None:
        self._rows = list(rows)

    def query(self, promql: str) -> Vector:
        parser = _Parser(TOKEN.findall(promql), self._rows)
        found = parser.either()
        assert parser.done, parser.rest
        return found


class _Parser:
    """Reads and computes at once."""

    def __init__(self, tokens: list[str], rows: list[tuple[Row, float]]) -> None:
        self._tokens = tokens
        self._rows = rows

    @property
    def rest(self) -> str:
        return " ".join(self._tokens[:8])

    @property
    def done(self) -> bool:
        return not self._tokens

    def either(self) -> Vector:
        found = self._both()
        while self._take("or"):
            known = {_identity(row) for row in found}
            found = found + [row for row in self._both() if _identity(row) not in known]
        return found

    def _both(self) -> Vector:
        found = self._compared()
        while self._take("and"):
            self._expect("on")
            by = self._names()
            there = {_key(row, by) for row in self._compared()}
            found = [row for row in found if _key(row, by) in there]
        return found

    def _compared(self) -> Vector:
        found = self._atom()
        if self._take("=="):
            number = float(self._next())
            return [row for row in found if row.value == number]
        if self._take(">="):
            number = float(self._next())
            return [row for row in found if row.value >= number]
        return found

    def _atom(self) -> Vector:
        word = self._tokens[0]
        if word in ("sum", "max"):
            return self._aggregated({"sum": sum, "max": max}[self._next()])
        if word in _FUNCTIONS and self._tokens[1] == "(":
            return getattr(self, f"_{self._next()}")()
        if self._take("("):
            found = self.either()
            self._expect(")")
            return found
        return [row for row, _ in self._selected()]

    def _aggregated(self, combine: Callable[[list[float]], float]) -> Vector:
        self._expect("by")
        by = self._names()
        self._expect("(")
        rows = self.either()
        self._expect(")")
        groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
        for row in rows:
            groups.setdefault(_key(row, by), []).append(row.value)
        return [Row(dict(key), combine(values)) for key, values in groups.items()]

    def _rate(self) -> Vector:
        return [Row(_unnamed(row), row.value / WINDOW_S) for row, _ in self._range()]

    def _timestamp(self) -> Vector:
        self._expect("(")
        found = [Row(_unnamed(row), at) for row, at in self._selected()]
        self._expect(")")
        return found

    def _last_over_time(self) -> Vector:
        return [row for row, _ in self._range()]

    def _label_replace(self) -> Vector:
        self._expect("(")
        rows = self.either()
        target, value, source, pattern = (self._text() for _ in range(4))
        assert (source, pattern) == ("", "")
        self._expect(")")
        found = [Row({**row.labels, target: value}, row.value) for row in rows]
        assert len({tuple(sorted(row.labels.items())) for row in found}) == len(found)
        return found

    def _topk(self) -> Vector:
        self._expect("(")
        count = int(self._next())
        self._expect(",")
        rows = self.either()
        self._expect(")")
        return sorted(rows, key=lambda row: -row.value)[:count]

    def _histogram_quantile(self) -> Vector:
        self._expect("(")
        q = float(self._next())
        self._expect(",")
        rows = self.either()
        self._expect(")")
        groups: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
        for row in rows:
            own = tuple(sorted((k, v) for k, v in row.labels.items() if k != "le"))
            groups.setdefault(own, []).append((float(row.labels["le"]), row.value))
        return [Row(dict(own), quantile(q, sorted(found))) for own, found in groups.items()]

    def _range(self) -> list[tuple[Row, float]]:
        self._expect("(")
        found = self._selected()
        self._expect("[")
        self._next()
        self._expect("]")
        self._expect(")")
        return found

    def _selected(self) -> list[tuple[Row, float]]:
        wanted: list[Callable[[Mapping[str, str]], bool]] = []
        if self._tokens[0] != "{":
            wanted.append(_matcher("__name__", "=", self._next()))
        if self._take("{"):
            while not self._take("}"):
                label, operator = self._next(), self._next()
                wanted.append(_matcher(label, operator, self._text(first=True)))
                self._take(",")
        found = self._rows
        for match in wanted:
            found = [each for each in found if match(each[0].labels)]
        return found

    def _names(self) -> tuple[str, ...]:
        self._expect("(")
        names = []
        while not self._take(")"):
            names.append(self._next())
            self._take(",")
        return tuple(names)

    def _text(self, *, first: bool = False) -> str:
        if not first:
            self._expect(",")
        return self._next()[1:-1]

    def _next(self) -> str:
        return self._tokens.pop(0)

    def _take(self, word: str) -> bool:
        found = bool(self._tokens) and self._tokens[0] == word
        if found:
            self._tokens.pop(0)
        return found

    def _expect(self, word: str) -> None:
        assert self._take(word), f"{word} expected at: {self.rest}"


_FUNCTIONS = ("rate", "timestamp", "last_over_time", "label_replace", "topk", "histogram_quantile")


def quantile(q: float, buckets: list[tuple[float, float]]) -> float:
    """Linear within the bucket that holds the rank, as Prometheus interpolates."""
    total = buckets[-1][1]
    if total == 0:
        return float("nan")
    rank, low, below = q * total, 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            return (
                low
                if bound == float("inf")
                else low + (bound - low) * ((rank - below) / (count - below))
            )
        low, below = bound, count
    return low


def _matcher(label: str, operator: str, text: str) -> Callable[[Mapping[str, str]], bool]:
    positive = operator in ("=", "=~")
    if "~" not in operator:
        return lambda labels: (labels.get(label, "") == text) == positive
    pattern = re.compile(text)
    return lambda labels: (pattern.fullmatch(labels.get(label, "")) is not None) == positive


def _unnamed(row: Row) -> dict[str, str]:
    return {label: value for label, value in row.labels.items() if label != "__name__"}


def _identity(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(_unnamed(row).items()))


def _key(row: Row, by: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((label, row.labels[label]) for label in by if row.labels.get(label))
