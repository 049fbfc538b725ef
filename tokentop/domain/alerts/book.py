"""The alerts of a run: each rule over each of its members, from pending to resolved."""

from collections.abc import Iterable, Iterator, Mapping

from tokentop.domain.alerts.evaluate import Evaluator, Subject
from tokentop.domain.alerts.keys import shown_name, value
from tokentop.domain.alerts.values import AlertRule, Change
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import clean
from tokentop.domain.verdict.values import Alert
from tokentop.domain.verdict.values import AlertState as State

RESOLVED_SHOWN_S = 600.0
MOST_MEMBERS = 256  # of one rule: names may come and go for ever
_LIMIT = 200  # characters of a text


class AlertBook:
    """Follows every rule from snapshot to snapshot; times are monotonic seconds."""

    def __init__(self, rules: Iterable[AlertRule]) -> None:
        self._rules = [_Followed(rule) for rule in rules]

    def configure(self, rules: Iterable[AlertRule]) -> None:
        """Follow these rules from now on; what is the same rule as before goes on."""
        before = {one.rule: one for one in self._rules}
        self._rules = [before.get(rule) or _Followed(rule) for rule in rules]

    def update(self, snapshot: Snapshot, now: float) -> tuple[Change, ...]:
        """What has begun to fire, and what was resolved, since the snapshot before."""
        return tuple(change for one in self._rules for change in one.update(snapshot, now))

    def alerts(self) -> tuple[Alert, ...]:
        """All that are pending, firing, silenced or lately resolved, the most urgent first."""
        order: tuple[State, ...] = ("firing", "silenced", "pending", "resolved")
        found = [alert for one in self._rules for alert in one.alerts()]
        return tuple(sorted(found, key=lambda alert: order.index(alert.state)))

    def silence(self, until: float) -> int:
        """Take no action for what fires now until then; whether that is anything is returned."""
        return sum(one.silence(until) for one in self._rules)


class _Followed:
    """One rule with the tracks of its members."""

    def __init__(self, rule: AlertRule) -> None:
        self.rule = rule
        self._when = Evaluator(rule.when)
        self._until = None if rule.until is None else Evaluator(rule.until)
        self._tracks: dict[str, _Track] = {}

    def update(self, snapshot: Snapshot, now: float) -> Iterator[Change]:
        found = self._when.evaluate(snapshot, now)
        ends = {} if self._until is None else self._until.evaluate(snapshot, now)
        for identity, subject in list(found.items())[:MOST_MEMBERS]:
            if subject.holds and identity not in self._tracks:
                self._tracks[identity] = _Track(self.rule)
        for identity, track in list(self._tracks.items()):
            change = track.update(found.get(identity), self._ended(identity, ends), snapshot, now)
            if change is not None:
                yield change
            if track.is_over(now):
                del self._tracks[identity]

    def _ended(self, identity: str, ends: Mapping[str, Subject]) -> bool | None:
        """What `until` says of a member; a rule about the whole ends every member's alert."""
        subject = ends.get(identity) or ends.get("")
        return None if subject is None else subject.holds

    def alerts(self) -> Iterator[Alert]:
        return (track.alert for track in self._tracks.values() if track.alert is not None)

    def silence(self, until: float) -> int:
        return sum(track.silence(until) for track in self._tracks.values())


class _Track:
    """One alert about one member: idle, pending, firing, silenced or resolved."""

    def __init__(self, rule: AlertRule) -> None:
        self._rule = rule
        self._state: State | None = None
        self._began = self._ending = self._resolved = float("-inf")
        self._silenced_until = float("inf") if rule.silenced else float("-inf")
        self.alert: Alert | None = None

    def update(
        self, subject: Subject | None, ended: bool | None, snapshot: Snapshot, now: float
    ) -> Change | None:
        """Follow one snapshot. `subject` is None where the member is no longer there."""
        before = self._state
        if self._state in ("firing", "silenced"):
            self._fire_on(subject, ended, now)
        else:
            self._wait_on(subject, now)
        if subject is not None and self._state is not None and self._state != "resolved":
            self._describe(subject, snapshot)
        if self._state == before:
            return None
        return self._changed(before, snapshot.at)

    def _wait_on(self, subject: Subject | None, now: float) -> None:
        """Idle, pending or resolved: an unknown figure starts the time of a pending one anew."""
        if subject is None or not subject.holds:
            self._state = None if self._state == "pending" else self._state
            return
        if self._state != "pending":
            self._state, self._began = "pending", now
        cooled = now - self._resolved >= self._rule.cooldown_s
        if now - self._began >= self._rule.when.for_s and cooled:
            self._state = "silenced" if now < self._silenced_until else "firing"
            self._ending = float("inf")

    def _fire_on(self, subject: Subject | None, ended: bool | None, now: float) -> None:
        """Firing: what is unknown changes nothing, a member that is gone is resolved."""
        if subject is not None and not self._is_ended(subject, ended, now):
            self._state = "silenced" if now < self._silenced_until else "firing"
            return
        self._state, self._resolved = "resolved", now

    def _is_ended(self, subject: Subject, ended: bool | None, now: float) -> bool:
        if self._rule.until is None:
            return subject.holds is False
        self._ending = min(self._ending, now) if ended else float("inf")
        return now - self._ending >= self._rule.until.for_s

    def _describe(self, subject: Subject, snapshot: Snapshot) -> None:
        text = clean(self._rule.text or sentence(self._rule, subject, snapshot), _LIMIT)
        state = self._state or "pending"
        since = "" if self.alert is None else self.alert.since
        member = subject.identity or None
        name, severity, actions = self._rule.name, self._rule.severity, self._rule.actions
        self.alert = Alert(name, state, text, member, severity, since, actions)

    def _changed(self, before: State | None, at: str) -> Change | None:
        """The state is another one: date it; firing and resolving are news."""
        if self._state is None or self.alert is None:
            self.alert = None
            return None
        self.alert = self.alert._replace(state=self._state, since=at)
        if self._state == "firing":
            return Change(self.alert, self._rule.actions)
        if self._state == "silenced":
            return None if before == "firing" else Change(self.alert)
        if self._state == "resolved":
            return Change(self.alert, self._rule.actions if before == "firing" else ())
        return None

    def silence(self, until: float) -> bool:
        """Whether it fires, and takes no action until then."""
        if self._state not in ("firing", "silenced"):
            return False
        self._silenced_until = until
        return True

    def is_over(self, now: float) -> bool:
        """Whether nothing is to be shown or remembered of it any more."""
        shown_s = max(RESOLVED_SHOWN_S, self._rule.cooldown_s)
        if self._state == "resolved":
            return now - self._resolved > shown_s
        return self._state is None and now - self._resolved > self._rule.cooldown_s


def sentence(rule: AlertRule, subject: Subject, snapshot: Snapshot) -> str:
    """`GPU 3: temperature_c is 93 (> 90 for 10s)`; a share in per cent where the rule has it so."""
    key, text = rule.when.conditions[-1].key, rule.when.text
    name = "" if subject.item is None else shown_name(subject.item)
    about = f"{name}: " if name else ""
    written = _written(value(snapshot, subject.item, key), percent="%" in text)
    return f"{about}{key.rpartition('[].')[2]} is {written} ({text.removeprefix(key + ' ')})"


def _written(value: object, *, percent: bool) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.0%}" if percent else f"{value:.4g}"
    return str(value)
