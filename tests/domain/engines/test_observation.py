"""One engine's latency figures, and its state at the limits of time."""

from math import inf

import pytest

from tests.domain.verdict.observed import REFUSED, TIMEOUT, engine
from tokentop.domain.engines.observation import latencies
from tokentop.domain.engines.readings import Histogram, Histograms
from tokentop.domain.engines.rows import problem, reason_kind


def test_the_median_and_the_percentiles_of_a_latency() -> None:
    """Linear within a bucket: 50 of 100 requests lie below 0.1 s, 95 below 0.2 s."""
    ttft = Histogram(((0.1, 50.0), (0.2, 95.0), (1.0, 100.0), (inf, 100.0)))
    itl = Histogram(((0.01, 25.0), (0.03, 75.0), (0.05, 100.0), (inf, 100.0)))
    found = latencies(Histograms(ttft=(ttft,), itl=(itl,)))
    assert found.ttft == pytest.approx((0.1, 0.2, 0.84))
    assert found.itl == pytest.approx((0.02, 0.046, 0.0492))
    assert set(found.e2e) == {None}


def test_without_observations_latency_is_unknown() -> None:
    assert {value for each in latencies(Histograms()) for value in each} == {None}


@pytest.mark.parametrize(("stuck_s", "dead"), [(30.0, False), (30.5, True)])
def test_requests_that_make_no_token_for_half_a_minute(stuck_s: float, dead: bool) -> None:
    """vLLM's server process answers on when its engine core has died."""
    text = (
        "reports 3 running requests, but has made no token for 30 s: its engine core may have died"
    )
    assert problem(engine(active=3, stuck_s=stuck_s)) == (text if dead else None)


@pytest.mark.parametrize("changes", [{"active": 0}, {"active": None}, {"kind": "sglang"}])
def test_an_idle_engine_or_another_kind_is_not_stuck(changes: dict[str, object]) -> None:
    one = engine(**{"active": 3, "stuck_s": 99.0, **changes})
    if "kind" in changes and one.reading is not None:
        one = one._replace(reading=one.reading._replace(kind="sglang"))
    assert problem(one) is None


def test_the_problem_and_its_kind() -> None:
    """A failed poll's own; else the fields that held nothing usable; else none."""
    silent = engine(outcome=TIMEOUT)
    assert (problem(silent), reason_kind(silent)) == (TIMEOUT.text, "timeout")
    bad = engine(bad=("kv_cache",))
    assert (problem(bad), reason_kind(bad)) == ("unusable values in kv_cache", "bad-data")
    assert (problem(engine()), reason_kind(engine())) == (None, None)
    starting = engine(outcome=REFUSED, starting=True, reading=None)
    assert (problem(starting), reason_kind(starting)) == (None, None)


@pytest.mark.parametrize(
    ("age_s", "outcome", "state"),
    [
        (12.0, "ok", "online"),
        (12.1, "ok", "stale"),
        (12.0, TIMEOUT, "online"),  # one slow answer is forgiven
        (12.1, TIMEOUT, "stale"),
        (60.0, TIMEOUT, "stale"),
        (60.1, TIMEOUT, "offline"),
        (1.0, REFUSED, "gone"),  # it was read before, and nothing listens any more
        (None, None, "offline"),
    ],
)
def test_fresh_then_stale_then_offline(age_s: float | None, outcome: object, state: str) -> None:
    """Fresh for three intervals of 4 s, offline after a minute."""
    assert engine(age_s=age_s, outcome=outcome).state == state
