"""The rows of all answers sorted by who was scraped."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tokentop.domain.engines.readings import EngineKind, Histogram
from tokentop.domain.text import clean
from tokentop.sources.exposition import number
from tokentop.sources.prometheus.answers import Row
from tokentop.sources.prometheus.queries import APART, INSTANCE, SHOWN, plain

Key = tuple[str, ...]
Labelled = list[tuple[dict[str, str], float]]

MAX_TARGETS = 10_000
KINDS: dict[str, EngineKind] = {
    "vllm": "vllm", "sglang": "sglang", "llamacpp": "llamacpp", "tgi": "tgi", "litellm": "litellm",
}  # fmt: skip


class Target:
    """What was said of one scraped target: samples by series, and sums by letter."""

    __slots__ = ("age_s", "kind", "labels", "samples", "sums", "up")

    def __init__(self, labels: dict[str, str], kind: EngineKind, *, up: bool = True) -> None:
        self.labels = labels
        self.kind = kind
        self.up = up
        self.age_s: float | None = None
        self.samples: dict[str, Labelled] = {}
        self.sums: dict[str, Labelled] = {}

    def total(self, *names: str) -> float | None:
        """The sum of the first of these series that is there."""
        for name in names:
            if rows := self.samples.get(name):
                return sum(value for _, value in rows)
        return None

    def highest(self, *names: str) -> float | None:
        for name in names:
            if rows := self.samples.get(name):
                return max(value for _, value in rows)
        return None

    def added(self, letter: str) -> float | None:
        """The sum of the rows of one letter; None where there is none."""
        rows = self.sums.get(letter)
        return sum(value for _, value in rows) if rows else None

    def by(self, letter: str, label: str) -> dict[str, float]:
        """The rows of one letter by one of their labels."""
        found: dict[str, float] = {}
        for labels, value in self.sums.get(letter, ()):
            name = labels.get(label, "")
            found[name] = found.get(name, 0.0) + value
        return found


class Identity(NamedTuple):
    """How targets are told apart: by the usual labels, and the picked one if it is a target's."""

    labels: Key

    def of(self, labels: Mapping[str, str]) -> Key:
        get = labels.get
        return tuple([get(name, "") for name in self.labels])


def identity(group_by: str | None) -> Identity:
    """A label of the series themselves, such as model_name, does not make another target."""
    own = group_by is None or group_by in (*INSTANCE, *APART, *SHOWN)
    return Identity(INSTANCE if own else (*INSTANCE, str(group_by)))


class Sums:
    """Rows marked with a letter, by target and letter; kept while they are not asked again."""

    def __init__(self, own: Identity, rows: Iterable[Row]) -> None:
        self.found: dict[Key, dict[str, Labelled]] = {}
        for labels, value, _ in rows:
            if "le" not in labels:
                of_target = self.found.setdefault(own.of(labels), {})
                of_target.setdefault(labels.get("q", ""), []).append((labels, value))


class Targets:
    """All targets of one poll, by their identity."""

    def __init__(self, own: Identity) -> None:
        self._identity = own
        self.found: dict[Key, Target] = {}

    def gauges(self, rows: Iterable[Row], *, up: bool) -> None:
        """Samples with their names; they say which targets are engines, and of which kind."""
        of = self._identity.of
        for labels, value, _ in rows:
            name = plain(labels.get("__name__", ""))
            target = self._target(of(labels), labels, _kind(name), up=up)
            if target is not None and target.up == up:
                target.samples.setdefault(name, []).append((labels, value))

    def ages(self, rows: Iterable[Row]) -> None:
        """When each target was scraped, against the server's own clock."""
        for labels, scraped, at in rows:
            target = self.found.get(self._identity.of(labels))
            if target is not None:
                target.age_s = max(0.0, at - scraped)

    def sums(self, sums: Sums) -> None:
        """Accounts alone make a target: an older LiteLLM has no gauge of its own."""
        for key, letters in sums.found.items():
            accounts = letters.get("$") or letters.get("#")
            if accounts:
                self._target(key, accounts[0][0], "litellm", up=True)
            if key in self.found:
                self.found[key].sums |= letters

    def _target(
        self, key: Key, labels: dict[str, str], kind: EngineKind | None, *, up: bool
    ) -> Target | None:
        if key not in self.found and kind is not None and len(self.found) < MAX_TARGETS:
            self.found[key] = Target(labels, kind, up=up)
        return self.found.get(key)


def _kind(series: str) -> EngineKind | None:
    return KINDS.get(series.partition(":")[0].partition("_")[0])


def histograms(rows: Iterable[Row], letter: str) -> tuple[Histogram, ...]:
    """One histogram for each set of labels beside `le`: the observations of one minute."""
    found: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
    for labels, value, _ in rows:
        bound = number(labels.get("le", ""))
        if labels.get("q") == letter and bound is not None and bound == bound:
            own = tuple(sorted(item for item in labels.items() if item[0] != "le"))
            found.setdefault(own, {})[bound] = value * 60.0
    return tuple(Histogram(tuple(sorted(each.items()))) for each in found.values())


def label(labels: Mapping[str, str], name: str) -> str:
    """The series' own label, which the server renames where its target has one of that name."""
    return labels.get(f"exported_{name}") or labels.get(name, "")


def shown(text: str) -> str | None:
    return clean(text, 128).strip() or None
