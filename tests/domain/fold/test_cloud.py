"""Rented instances: which serve, which cost, which are gone."""

import pytest

from tests.domain.scenario import NOW, Scenario, fold
from tokentop.domain.fold.last_good import LastGood
from tokentop.domain.readings import InstanceReading, InstancesReading
from tokentop.domain.snapshot import Cloud

SERVING = (
    "running", "active", "ready", "online", "serving", "healthy", "up", "busy", "idle", "started",
    "RUNNING", None,
)  # fmt: skip
BILLED = ("starting", "provisioning", "anything else")
UNBILLED = ("stopped", "paused", "failed", "error", "exited")
GONE = ("terminated", "deleted", "destroyed", "released", "cancelled", "canceled", "Deleted")


def rented(*instances: InstanceReading) -> Cloud:
    return Scenario().says("compute/cloud_instances", InstancesReading(instances)).fold().cloud


@pytest.mark.parametrize(
    ("statuses", "listed", "active", "usd_per_hour"),
    [(SERVING, 1, 1, 2.0), (BILLED, 1, 0, 2.0), (UNBILLED, 1, 0, 0), (GONE, 0, 0, 0)],
)
def test_the_status_decides_what_counts(
    statuses: tuple[str | None, ...], listed: int, active: int, usd_per_hour: float
) -> None:
    """Terminated instances are not listed, stopped ones are not paid for."""
    for status in statuses:
        cloud = rented(InstanceReading("a", status=status, usd_per_hour=2.0))
        assert len(cloud.instances or ()) == listed, status
        assert (cloud.active, cloud.usd_per_hour) == (active, usd_per_hour), status


def test_prices_add_up_as_far_as_they_are_known() -> None:
    priced, free = InstanceReading("a", usd_per_hour=2.0), InstanceReading("b")
    assert rented(priced, priced, free).usd_per_hour == 4.0
    assert rented(free).usd_per_hour is None
    assert rented().usd_per_hour == 0


def test_before_the_first_list_nothing_is_known() -> None:
    assert Scenario().fold().cloud == Cloud()


def test_the_stacks_own_list_comes_before_a_providers() -> None:
    """While it answers; a silent one gives way, and is the last resort."""
    own, other = (InstancesReading((InstanceReading(name, status="running"),)) for name in "ab")
    clouds = {"vast/instances": LastGood(other, NOW, "ok")}

    def sources(scene: Scenario, held: dict[str, LastGood]) -> tuple[str | None, bool]:
        inp = scene.input()
        found = fold(inp._replace(held={**inp.held, **held})).cloud
        return found.source, found.stale

    answers = Scenario().says("compute/cloud_instances", own)
    silent = Scenario().silent("compute/cloud_instances", own)
    assert sources(answers, clouds) == ("compute", False)
    assert sources(silent, clouds) == ("vast", False)
    assert sources(silent, {}) == ("compute", True)
    assert sources(Scenario(), {}) == (None, False)
