"""How often what does not want to be polled is polled: refusals, and other programs' ports.

A default address may be another program's: it is polled once in five minutes, with one request,
until it answers as the service would. What wants a token is polled once a minute: its log is read.
"""

from collections.abc import Iterable, Mapping

from tokentop.domain.readings import Failure
from tokentop.domain.reasons import AUTH
from tokentop.transport.http.messages import Request

REFUSED_S = 60.0
OTHER_S = 300.0
_MAX_KEPT = 64


class Refusals:
    """Keys (endpoints, or paths of one engine) that lately wanted a token; monotonic times."""

    def __init__(self) -> None:
        self._at: dict[str, tuple[float, Failure]] = {}

    def record(self, key: str, failure: Failure | None, now: float) -> None:
        """Take one answer; None is a good one."""
        if failure is not None and failure.kind in AUTH:
            self._at[key] = (now, failure)
        else:
            self._at.pop(key, None)

    def recent(self, key: str, now: float) -> Failure | None:
        """The refusal that still stands; None where the key may be polled."""
        at, failure = self._at.get(key, (0.0, None))
        return failure if now - at < REFUSED_S else None

    def dump(self) -> dict[str, object]:
        """As plain JSON values for the next call of a one-shot view."""
        return {key: [at, *failure] for key, (at, failure) in self._at.items()}

    def restore(self, saved: object, request: Request, now: float) -> None:
        """Take what `dump` left of requests like this one; what is malformed is ignored."""
        known = restored(saved, now)
        self.adopt({key: one for key, one in known.items() if still_stands(one[1], request)})

    def adopt(self, known: Mapping[str, tuple[float, Failure]]) -> None:
        """Take the refusals among them."""
        self._at |= {key: one for key, one in known.items() if one[1].kind in AUTH}


class DefaultAddress:
    """One service that nobody configured, at its default address."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = tuple(keys)
        self._other: dict[str, tuple[float, Failure]] = {}  # by endpoint
        self._answered = False  # as the service would, at least once

    def record(self, key: str, failure: Failure | None, now: float) -> None:
        """Take one answer of an endpoint; None is a good one."""
        self._answered = self._answered or failure is None
        if failure is not None and _is_another(failure):
            self._other[key] = (now, failure)
        else:
            self._other.pop(key, None)

    def may_poll(self, key: str, now: float, *, taken: bool) -> bool:
        """Whether to poll this endpoint now; `taken` where an engine is known at the address."""
        if self._answered or not (taken or self._other):
            return True
        latest = max((at for at, _ in self._other.values()), default=None)
        return key == self._keys[0] and (latest is None or now - latest >= OTHER_S)

    def dump(self) -> dict[str, object]:
        """As plain JSON values for the next call of a one-shot view."""
        return {key: [at, *failure] for key, (at, failure) in self._other.items()}

    def restore(self, known: Mapping[str, tuple[float, Failure]]) -> None:
        """Take what `dump` left."""
        self._other |= {key: known[key] for key in self._keys if key in known}


class Pauses:
    """Endpoints between whose polls so many seconds pass, however a poll went; by key."""

    def __init__(self, pauses: Mapping[str, float]) -> None:
        self._pauses = pauses
        self._at: dict[str, tuple[float, Failure | None]] = {}

    def record(self, key: str, failure: Failure | None, now: float) -> None:
        """Take one answer; None is a good one."""
        if key in self._pauses:
            self._at[key] = (now, failure)

    def may_poll(self, key: str, now: float) -> bool:
        at = self._at.get(key)
        return at is None or now - at[0] >= self._pauses[key]

    def dump(self) -> dict[str, object]:
        """The failures as plain JSON values; a good answer has its time beside its reading."""
        return {key: [at, *failure] for key, (at, failure) in self._at.items() if failure}

    def restore(self, known: Mapping[str, tuple[float, Failure]]) -> None:
        """Take what `dump` left."""
        self._at |= {key: known[key] for key in self._pauses if key in known}


class ServiceManners:
    """The services' endpoints; `unconfigured` are the keys of each at its default address.

    `pauses` are the seconds between two polls of those that have some, by key.
    """

    def __init__(
        self, unconfigured: Iterable[tuple[str, ...]], pauses: Mapping[str, float] | None = None
    ) -> None:
        self._refusals = Refusals()
        self._pauses = Pauses(pauses or {})
        self._defaults: dict[str, DefaultAddress] = {}
        for keys in unconfigured:
            self._defaults |= dict.fromkeys(keys, DefaultAddress(keys))

    def may_poll(self, key: str, now: float, *, taken: bool) -> bool:
        """Whether to poll this endpoint now; `taken` where an engine is known at its address."""
        if self._refusals.recent(key, now) is not None or not self._pauses.may_poll(key, now):
            return False
        default = self._defaults.get(key)
        return default is None or default.may_poll(key, now, taken=taken)

    def record(self, key: str, failure: Failure | None, now: float) -> None:
        """Take one answer; None is a good one."""
        self._refusals.record(key, failure, now)
        self._pauses.record(key, failure, now)
        if (default := self._defaults.get(key)) is not None:
            default.record(key, failure, now)

    def dump(self) -> dict[str, object]:
        """As plain JSON values for the next call of a one-shot view."""
        kept = self._refusals.dump() | self._pauses.dump()
        for default in self._defaults.values():
            kept |= default.dump()
        return kept

    def restore(self, known: Mapping[str, tuple[float, Failure]]) -> None:
        """Take what `dump` left, as `restored` reads it."""
        self._refusals.adopt(known)
        self._pauses.restore(known)
        for default in self._defaults.values():
            default.restore(known)


def restored(saved: object, now: float) -> dict[str, tuple[float, Failure]]:
    """When each key failed, and how; what is malformed or of the future is left out."""
    rows = list(saved.items())[:_MAX_KEPT] if isinstance(saved, dict) else ()
    return {key: one for key, row in rows if (one := _restored(row, now)) is not None}


def still_stands(failure: Failure, request: Request) -> bool:
    """Whether the request would fail so again: not where a token has been configured since."""
    return failure.kind != "auth" or request.token is None


def _restored(row: object, now: float) -> tuple[float, Failure] | None:
    from tokentop.domain.reasons import FailureKind
    from tokentop.domain.text import clean
    from tokentop.light_typing import get_args

    if not isinstance(row, list) or len(row) != 5:
        return None
    at, kind, text, neutral, status = row
    known = kind in get_args(FailureKind) and isinstance(text, str) and isinstance(neutral, bool)
    if not known or not isinstance(at, int | float) or not at <= now:
        return None
    return float(at), Failure(kind, clean(text), neutral, status if type(status) is int else None)


def _is_another(failure: Failure) -> bool:
    """Answered, but not as the service would: 4xx, or something that is not its JSON."""
    return failure.kind in ("not-found", "http", "bad-data", "redirect", *AUTH)
