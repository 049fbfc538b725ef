"""What a screen that is attached to a host rings for: as that host's own screen would."""

import pytest

from tokentop.domain.alerts.attached import rings
from tokentop.domain.alerts.book import AlertBook
from tokentop.domain.alerts.rule import parse
from tokentop.domain.alerts.values import AlertRule
from tokentop.domain.snapshot import Demand, Snapshot
from tokentop.domain.verdict.values import Action, Alert

ALERT = Alert("busy", "firing", "it is busy", actions=("bell", "webhook"))


def shown(*alerts: Alert, demo: bool = False) -> Snapshot:
    return Snapshot(at="2026-11-21T12:00:00Z", host="gpu-box", demo=demo, alerts=alerts)


def test_an_alert_rings_once_and_when_it_is_resolved() -> None:
    """In the words of the host's own book, with the host's name before them."""
    book = AlertBook([AlertRule("busy", parse("demand.utilization > 0.8"), actions=("notify",))])
    rung = []
    before = shown()
    for now, load in enumerate((0.2, 0.9, 0.95, 0.3, 0.2)):
        book.update(shown()._replace(demand=Demand(utilization=load)), now)
        after = shown(*book.alerts())
        rung += [(c.alert.state, c.alert.text[:9], c.actions) for c in rings(before, after)]
        before = after
    assert rung == [
        ("firing", "gpu-box: ", ("notify",)), ("resolved", "gpu-box: ", ("notify",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Snapshot(), shown(ALERT)),
        (shown(), shown(ALERT._replace(state="silenced"))),
        (shown(ALERT._replace(state="silenced")), shown(ALERT._replace(state="resolved"))),
        (shown(), shown(ALERT._replace(state="pending"))),
        (shown(), shown(ALERT._replace(actions=("webhook", "command")))),
        (shown(demo=True), shown(ALERT, demo=True)),
    ],
    ids=["before the first", "silenced", "silenced, resolved", "pending", "webhook", "simulated"],
)
def test_what_does_not_ring(before: Snapshot, after: Snapshot) -> None:
    assert list(rings(before, after)) == []


@pytest.mark.parametrize("actions", [("bell",), ("notify", "command")])
def test_a_silence_that_ends_rings(actions: tuple[Action, ...]) -> None:
    """It still fires, and is acted on again."""
    alert = ALERT._replace(actions=actions)
    (change,) = rings(shown(alert._replace(state="silenced")), shown(alert))
    assert change.actions == actions
