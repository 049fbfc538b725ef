"""Alerts over a run: pending, firing, resolved, silenced; unknown figures decide nothing."""

from collections.abc import Iterable

import pytest

from tokentop.domain.alerts.book import RESOLVED_SHOWN_S, AlertBook
from tokentop.domain.alerts.defaults import DEFAULTS
from tokentop.domain.alerts.rule import parse
from tokentop.domain.alerts.values import AlertRule, Change
from tokentop.domain.snapshot import Demand, Gpu, Llm, Service, Snapshot
from tokentop.domain.snapshot_engines import Cost, Engine, Throughput
from tokentop.domain.snapshot_ledger import Budget, Flag, LedgerFigures


def full(value: float | None, *, stale: bool = False) -> Snapshot:
    return Snapshot(demand=Demand(utilization=value, stale=stale))


class Run:
    """One rule followed through snapshots; `step` returns what is news."""

    def __init__(self, when: str, until: str = "", **more: object) -> None:
        rule = AlertRule("it", parse(when), parse(until) if until else None, **more)  # type: ignore[arg-type]
        self.book = AlertBook([rule])

    def at(self, now: float, snapshot: Snapshot) -> list[str]:
        return [f"{change.alert.state} {change.alert.member or ''}".strip()
                for change in self.book.update(snapshot, now)]  # fmt: skip

    def states(self) -> list[str]:
        return [alert.state for alert in self.book.alerts()]


def test_from_pending_to_firing_to_resolved() -> None:
    """Each piece of news comes once; what was resolved is shown for ten minutes."""
    run = Run("demand.utilization > 0.8 for 60s")
    assert (run.at(0, full(0.8)), run.states()) == ([], [])
    assert (run.at(4, full(0.81)), run.states()) == ([], ["pending"])
    assert (run.at(63, full(0.9)), run.states()) == ([], ["pending"])
    assert (run.at(64, full(0.9)), run.states()) == (["firing"], ["firing"])
    assert (run.at(68, full(0.9)), run.states()) == ([], ["firing"])
    assert (run.at(72, full(0.5)), run.states()) == (["resolved"], ["resolved"])
    assert (run.at(72 + RESOLVED_SHOWN_S, full(0.5)), run.states()) == ([], ["resolved"])
    assert (run.at(73 + RESOLVED_SHOWN_S, full(0.5)), run.states()) == ([], [])


def test_a_flag_may_be_an_alert_until_a_person_has_classified_it() -> None:
    run = Run("ledger.flags[].escalated == true")
    flag = Flag("a1", "task", "2026-11-21T12:00:00Z", ("alpha",))
    waits, decided = (Snapshot(ledger=LedgerFigures(flags=(each,)))
                      for each in (flag, flag._replace(escalated=False)))  # fmt: skip
    assert [run.at(now, each) for now, each in enumerate((waits, waits, decided))] == [
        ["firing a1"], [], ["resolved a1"],
    ]  # fmt: skip


def test_what_is_over_before_its_time_never_fires() -> None:
    run = Run("demand.utilization > 0.8 for 60s")
    for now in range(0, 600, 30):
        assert run.at(now, full(0.9 if now % 60 else 0.1)) == []
    assert run.states() == ["pending"]


@pytest.mark.parametrize("unknown", [full(None), full(0.99, stale=True)])
def test_an_unknown_figure_neither_fires_nor_resolves(unknown: Snapshot) -> None:
    """A pending alert begins anew, one that fires goes on: unknown is not 0."""
    run = Run("demand.utilization > 0.8 for 60s")
    run.at(0, full(0.9))
    assert (run.at(60, unknown), run.states()) == ([], [])
    run.at(61, full(0.9))
    assert run.at(121, full(0.9)) == ["firing"]
    assert (run.at(125, unknown), run.states()) == ([], ["firing"])
    assert run.at(129, full(0.1)) == ["resolved"]


def test_hysteresis() -> None:
    """With `until` it takes that to resolve, for as long as that says."""
    run = Run("demand.utilization > 0.8", "demand.utilization < 0.7 for 30s")
    assert run.at(0, full(0.81)) == ["firing"]
    assert run.at(10, full(0.75)) == []
    assert run.at(20, full(0.6)) == []
    assert run.at(30, full(0.75)) == []
    assert run.at(40, full(0.6)) == []
    assert run.at(69, full(0.6)) == []
    assert run.at(70, full(0.6)) == ["resolved"]


def test_cool_down() -> None:
    """It stays pending until so many seconds after it was resolved."""
    run = Run("demand.utilization > 0.8", cooldown_s=100.0)
    assert run.at(0, full(0.9)) == ["firing"]
    assert run.at(10, full(0.1)) == ["resolved"]
    assert (run.at(20, full(0.9)), run.states()) == ([], ["pending"])
    assert run.at(109, full(0.9)) == []
    assert run.at(110, full(0.9)) == ["firing"]


def test_silence() -> None:
    """A silenced alert is seen and takes no action; where it still holds afterwards, it does."""
    run = Run("demand.utilization > 0.8", actions=("bell",), cooldown_s=0.0)
    (change,) = run.book.update(full(0.9), 0)
    assert change.actions == ("bell",)
    assert run.book.silence(100) == 1
    assert (run.at(50, full(0.9)), run.states()) == ([], ["silenced"])
    (change,) = run.book.update(full(0.9), 100)
    assert (change.alert.state, change.actions) == ("firing", ("bell",))
    always = Run("demand.utilization > 0.8", actions=("bell",), silenced=True)
    (change,) = always.book.update(full(0.9), 0)
    assert (change.alert.state, change.actions) == ("silenced", ())
    (change,) = always.book.update(full(0.1), 9)
    assert (change.alert.state, change.actions) == ("resolved", ())


def test_each_member_has_an_alert_of_its_own() -> None:
    def heat(*values: float | None) -> Snapshot:
        return Snapshot(gpus=tuple(
            Gpu(index=i, uuid=f"GPU-{i}", temperature_c=v) for i, v in enumerate(values)
        ))  # fmt: skip

    run = Run("gpus[].temperature_c > 90 for 10s")
    run.at(0, heat(95, 95, 40))
    assert run.at(10, heat(95, None, 95)) == ["firing GPU-0"]
    assert [(a.state, a.member) for a in run.book.alerts()] == [
        ("firing", "GPU-0"),
        ("pending", "GPU-2"),
    ]
    assert run.book.alerts()[0].text == "GPU 0: temperature_c is 95 (> 90 for 10s)"
    gone = Snapshot(gpus=())
    assert run.at(14, gone) == ["resolved GPU-0"]


def test_a_share_is_shown_as_its_rule_has_it() -> None:
    full = Snapshot(demand=Demand(utilization=0.8063))
    for limit, words in (("80%", "is 81% (> 80%)"), ("0.8", "is 0.8063 (> 0.8)")):
        run = Run(f"demand.utilization > {limit}")
        run.at(0, full)
        assert run.book.alerts()[0].text == f"demand.utilization {words}"


def test_what_rises() -> None:
    """By so much within the time, and only once it was watched for that long."""
    run = Run("llm.queued rises by 8 in 60s")
    for now, queued in ((0, 0), (20, 9), (40, 20)):
        assert run.at(now, Snapshot(llm=Llm(queued=queued))) == []
    assert run.at(60, Snapshot(llm=Llm(queued=8))) == ["firing"]
    assert run.at(80, Snapshot(llm=Llm(queued=16))) == ["resolved"]  # 9 at 20 s


def news(changes: Iterable[Change]) -> list[str]:
    return [change.alert.name for change in changes]


SILENT = Service("genesis", "aither", age_s=40.0, error="timeout", state="stale", member=True)


@pytest.mark.parametrize(
    ("name", "snapshot", "after_s"),
    [
        ("high-demand", full(0.85), 60),
        ("service-silent", Snapshot(services=(SILENT,)), 0),
        (
            "rented-idle",
            Snapshot(gpus=(Gpu(uuid="GPU-1", utilization=0.02),), cost=Cost(basis="rented")),
            600,
        ),
        ("slow-first-token", Snapshot(throughput=Throughput(ttft_p95_s=6.0)), 60),
        ("gpu-lost", Snapshot(gpus=(Gpu(uuid="GPU-1", state="lost", utilization=0.9),)), 0),
        (
            "gpu-too-hot",
            Snapshot(gpus=(Gpu(uuid="GPU-1", temperature_c=87.0, slowdown_c=87.0),)),
            10,
        ),
        ("gpu-thermal", Snapshot(gpus=(Gpu(uuid="GPU-1", throttle=("hw-thermal",)),)), 10),
    ],
)
def test_the_default_alerts(name: str, snapshot: Snapshot, after_s: float) -> None:
    book = AlertBook(DEFAULTS)
    first = news(book.update(snapshot, 0))
    assert first + news(book.update(snapshot, after_s)) == [name]


def with_budget(share: float) -> Snapshot:
    """A budget of 100 USD whose usual thresholds are passed as far as `share`."""
    passed = max((each for each in (0.5, 0.8, 1.0) if share >= each), default=None)
    budget = Budget("alpha", "project", "alpha", "month", "usd", 100.0, 100 * share,
                    threshold=passed, share=share)  # fmt: skip
    return Snapshot(ledger=LedgerFigures(budgets=(budget,)))


def test_a_budgets_thresholds_are_alerts_until_its_next_period() -> None:
    book = AlertBook(DEFAULTS)
    seen = [news(book.update(with_budget(share), now))
            for now, share in enumerate((0.2, 0.6, 0.7, 0.9, 1.0, 1.3, 0.0))]  # fmt: skip
    all_three = ["budget-half-spent", "budget-nearly-spent", "budget-spent"]
    assert seen == [[], [all_three[0]], [], [all_three[1]], [all_three[2]], [], all_three]
    assert {alert.state for alert in book.alerts()} == {"resolved"}
    assert {alert.member for alert in book.alerts()} == {"alpha"}


def test_nothing_fires_on_a_machine_that_idles() -> None:
    book = AlertBook(DEFAULTS)
    idle = Snapshot(
        gpus=(Gpu(uuid="GPU-1", utilization=0.0, throttle=()),),
        demand=Demand(utilization=0.0),
        llm=Llm(queued=0),
        services=(SILENT._replace(state="offline", age_s=None, member=False),),
        engines=(Engine("a", "vllm", state="asleep"),),
    )
    assert [news(book.update(idle, now)) for now in range(0, 1200, 30)] == [[]] * 40
