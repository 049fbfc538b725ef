"""The ledger held against the engines' own counters, per model and hour.

Compared are the minutes in which engines of a model were counted. A claim belongs to the model
of the engine that it names, by address or name, else to the model whose name it has; what was
served by others, like a cloud, is not compared.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from tokentop.domain.ledger.counting import Stretch, bare, stretch
from tokentop.domain.ledger.entry import Entry
from tokentop.domain.ledger.event import MINUTE_US
from tokentop.domain.ledger.totals import SUMMED
from tokentop.named_tuple import NamedTuple

HOUR = 60  # minutes
MOST_CLAIMS = 50_000  # by minute and name; clients may make up names


class Claim(NamedTuple):
    """Tokens that events of one minute say were generated, by engine and model as they have it."""

    minute: int
    engine: str | None
    model: str | None
    generated: int


class Hour(NamedTuple):
    """One model in one hour since 1970: what its engines generated, and what events claim of it.

    `minutes` of it were counted.
    """

    hour: int
    model: str
    generated: int
    claimed: int
    minutes: int

    @property
    def unattributed(self) -> int:
        """Tokens that nobody claims."""
        return max(0, self.generated - self.claimed)

    @property
    def overclaimed(self) -> int:
        """Tokens that were claimed and not generated."""
        return max(0, self.claimed - self.generated)


class Reconciliation:
    """Stretches and claims, in any order."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[int, str]] = Counter()  # first minute, model -> tokens
        self._minutes: dict[str, set[int]] = defaultdict(set)  # of a model
        self._claims: Counter[tuple[int, str, str]] = Counter()
        self._models: dict[str, str] = {}  # a name of an engine or a model -> the model

    def take(self, entries: Iterable[Entry]) -> None:
        """Take entries as they are booked; a reversal takes its claim away."""
        for entry in entries:
            if entry.kind == "count":
                self.count(stretch(entry))
            elif entry.kind in SUMMED and entry.generated:
                minute = entry.at_us // MINUTE_US
                self.claim(Claim(minute, entry.engine, entry.model, entry.generated))

    def count(self, one: Stretch) -> None:
        self._counted[one.since, one.model] += one.generated
        self._minutes[one.model].update(range(one.since, one.until))
        for name in (one.engine, one.address, one.model):
            if name is not None:
                self._models[bare(name)] = one.model

    def claim(self, one: Claim) -> None:
        """Take a claim; beyond MOST_CLAIMS those of engines and models not counted so far are one
        claim a minute, of none of them."""
        engine, name = bare(one.engine or ""), bare(one.model or "")
        if len(self._claims) >= MOST_CLAIMS:
            engine, name = "", bare(self._model(engine, name) or "")
        self._claims[one.minute, engine, name] += one.generated

    def _model(self, engine: str, name: str) -> str | None:
        """The model that a claim belongs to; None where no counted engine has it."""
        return self._models.get(engine) or self._models.get(name)

    def forget(self, before: int) -> None:
        """Leave out what was counted and claimed before a minute, counted from 1970."""
        self._counted = Counter({key: n for key, n in self._counted.items() if key[0] >= before})
        self._claims = Counter({key: n for key, n in self._claims.items() if key[0] >= before})
        for minutes in self._minutes.values():
            minutes.difference_update([each for each in minutes if each < before])

    def hours(self) -> Iterator[Hour]:
        """Every hour of every model that was counted, oldest first."""
        claimed: Counter[tuple[int, str]] = Counter()
        for (minute, engine, name), tokens in self._claims.items():
            model = self._model(engine, name)
            if model is not None and minute in self._minutes[model]:
                claimed[minute // HOUR, model] += tokens
        minutes = Counter((m // HOUR, model) for model, each in self._minutes.items() for m in each)
        generated: Counter[tuple[int, str]] = Counter()
        for (minute, model), tokens in self._counted.items():
            generated[minute // HOUR, model] += tokens
        for at in sorted(generated):
            yield Hour(*at, generated[at], claimed[at], minutes[at])

    def differences(self) -> tuple[int, int] | None:
        """Unattributed and overclaimed tokens over all hours, by model; None without counters.

        A request that crosses a full hour is claimed in one and generated in both, so hours of a
        model make up for each other.
        """
        models: dict[str, int] = defaultdict(int)
        for each in self.hours():
            models[each.model] += each.generated - each.claimed
        if not models:
            return None
        return sum(max(0, n) for n in models.values()), sum(max(0, -n) for n in models.values())
