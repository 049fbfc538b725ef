"""The rows of all answers by the target that was scraped."""

from collections.abc import Iterable, Mapping

from tokentop.domain.engines.readings import EngineKind, Histogram
from tokentop.domain.text import clean_name
from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines.registry import spec, specs
from tokentop.sources.exposition_line import number
from tokentop.sources.metrics_page import Sample, is_measurement
from tokentop.sources.prometheus.answers import Row
from tokentop.sources.prometheus.queries import (
    FIGURE,
    INSTANCE,
    SHOWN,
    kinds,
    plain_names,
    series_labels,
)

Key = tuple[str, ...]

MAX_TARGETS = 10_000


class Target:
    """The rows of one scraped target: gauges by their series, sums by their figure."""

    __slots__ = ("age_s", "bad", "kind", "labels", "others", "samples", "sums", "up")

    def __init__(self, labels: Mapping[str, str], kind: EngineKind, *, up: bool = True) -> None:
        self.labels = labels
        self.kind = kind
        self.others: set[EngineKind] = set()  # of which it has series too
        self.up = up
        self.bad: tuple[str, ...] = ()  # sums that came in an unusable form
        self.age_s: float | None = None
        self.samples: dict[str, list[Sample]] = {}
        self.sums: dict[str, list[Sample]] = {}

    def figure(self, name: str) -> float | None:
        """The sum of a figure's rows; None where there is none."""
        rows = self.sums.get(name)
        if rows is None:
            return None
        return rows[0].value if len(rows) == 1 else sum(row.value for row in rows)

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """The sums of a figure by one of its labels."""
        found: dict[str, float] = {}
        for row in self.sums.get(name, ()):
            key = row.labels.get(label, "")
            found[key] = found.get(key, 0.0) + row.value
        return found


class Identity(NamedTuple):
    """The labels that identify a target: the usual ones, and the one to group by if it has it."""

    labels: Key

    def of(self, labels: Mapping[str, str]) -> Key:
        get = labels.get
        return tuple([get(name, "") for name in self.labels])


def identity(group_by: str | None) -> Identity:
    """A label of the series themselves, such as model_name, does not make another target."""
    own = group_by is None or group_by in (*INSTANCE, *series_labels(), *SHOWN)
    return Identity(INSTANCE if own else (*INSTANCE, str(group_by)))


class Sums:
    """The rows of figures by target, and which are no measurement; used until queried again."""

    def __init__(self, own: Identity, rows: Iterable[Row]) -> None:
        self.found: dict[Key, dict[str, list[Sample]]] = {}
        self.bad: dict[Key, dict[str, None]] = {}
        for labels, value, _ in rows:
            key, figure = own.of(labels), labels.get(FIGURE, "")
            if is_measurement(value):
                self.found.setdefault(key, {}).setdefault(figure, []).append(Sample(labels, value))
            else:
                self.bad.setdefault(key, {})[figure.removeprefix("live_")] = None


class Targets:
    """All targets of one poll, by their identity."""

    def __init__(self, own: Identity) -> None:
        self._identity = own
        self.found: dict[Key, Target] = {}

    def gauges(self, rows: Iterable[Row], *, up: bool) -> None:
        """Samples with their names: a target that has an engine's gauge is one of its kind."""
        of, names, kind_of = self._identity.of, plain_names(), kinds()
        for labels, value, _ in rows:
            name = names.get(labels.get("__name__", ""), "")
            target = self._target(of(labels), labels, kind_of.get(name), up=up)
            if target is not None and target.up == up:
                target.samples.setdefault(name, []).append(Sample(labels, value, _key(labels)))

    def ages(self, rows: Iterable[Row]) -> None:
        """When each target was scraped, against the server's own clock."""
        for labels, scraped, at in rows:
            target = self.found.get(self._identity.of(labels))
            if target is not None:
                target.age_s = max(0.0, at - scraped)

    def sums(self, sums: Sums) -> None:
        """Accounts alone make a target: an older router has no gauge of its own."""
        router = next(one.kind for one in specs() if one.router)
        for key, figures in sums.found.items():
            accounts = figures.get("spend_usd") or figures.get("spend_tokens")
            if accounts:
                self._target(key, accounts[0].labels, router, up=True)
            if key in self.found:
                self.found[key].sums |= figures
        for key, names in sums.bad.items():
            if key in self.found:
                self.found[key].bad += tuple(names)

    def _target(
        self, key: Key, labels: Mapping[str, str], kind: EngineKind | None, *, up: bool
    ) -> Target | None:
        target = self.found.get(key)
        if target is None and kind is not None and len(self.found) < MAX_TARGETS:
            self.found[key] = target = Target(labels, kind, up=up)
        elif target is not None and kind is not None and kind != target.kind:
            _take_kind(target, kind)
        return target


def _take_kind(target: Target, kind: EngineKind) -> None:
    """One more kind of series: those of an engine that it hosts, or of another one."""
    if target.kind in spec(kind).hosts:
        target.kind = kind
    elif kind not in spec(target.kind).hosts:
        target.others.add(kind)


def histograms(rows: Iterable[Row], figure: str) -> tuple[Histogram, ...]:
    """One histogram for each set of labels beside `le`: the observations of one minute."""
    found: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
    for labels, value, _ in rows:
        bound = number(labels.get("le", ""))
        if labels.get(FIGURE) == figure and bound is not None and bound == bound:
            own = tuple(sorted(item for item in labels.items() if item[0] != "le"))
            found.setdefault(own, {})[bound] = value * 60.0
    return tuple(Histogram(tuple(sorted(each.items()))) for each in found.values())


def _key(labels: Mapping[str, str]) -> str:
    """The label set as one text; the name may be spelled in two ways."""
    return ",".join(f"{name}={labels[name]!r}" for name in sorted(labels) if name != "__name__")


def label(labels: Mapping[str, str], name: str) -> str:
    """The series' own label, which the server renames where its target has one of that name."""
    return labels.get(f"exported_{name}") or labels.get(name, "")


def shown(text: str) -> str | None:
    return clean_name(text, 128) or None
