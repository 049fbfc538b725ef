"""The alerts of another host, as a screen that is attached to it carries them out."""

from collections.abc import Iterator

from tokentop.domain.alerts.values import Change
from tokentop.domain.events.changes import changed_alerts
from tokentop.domain.snapshot import Snapshot


def rings(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """What a screen rings for between two snapshots of a host, whose name it adds.

    Nothing for what fired before the first one, what is silenced there, and what is simulated.
    """
    if not before.at or after.demo:
        return
    heard = ([a for a in one.alerts if a.state != "silenced"] for one in (before, after))
    for alert in changed_alerts(*heard):
        if {"bell", "notify"} & set(alert.actions):
            yield Change(alert._replace(text=f"{after.host}: {alert.text}"), alert.actions)
