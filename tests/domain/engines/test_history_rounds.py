"""The last half hour of engines: rounds in rising time, the same time again mends one."""

from tokentop.domain.engines.history import EngineHistory, Trends
from tokentop.domain.snapshot_engines import Engine


def at_work(queued: int) -> Engine:
    return Engine("a", "vllm", state="online", queued=queued)


def test_the_same_time_again_replaces_the_round() -> None:
    history = EngineHistory()
    for t, queued in ((0.0, 1), (4.0, 2), (4.0, 3), (8.0, 4)):
        history.add(t, [at_work(queued)])
    assert history.trends("a") == Trends((None,) * 3, (1.0, 3.0, 4.0), (None,) * 3, 8.0)


def test_a_replaced_round_takes_no_room() -> None:
    history = EngineHistory(most=2)
    for t, queued in ((0.0, 1), (4.0, 2), (4.0, 3), (4.0, 4)):
        history.add(t, [at_work(queued)])
    assert history.trends("a") == Trends((None,) * 2, (1.0, 4.0), (None,) * 2, 4.0)


def test_only_the_last_rounds_are_kept() -> None:
    history = EngineHistory(most=2)
    for t in range(4):
        history.add(float(t), [at_work(t)])
    assert history.trends("a") == Trends((None,) * 2, (2.0, 3.0), (None,) * 2, 1.0, first=2)


def test_an_unknown_engine_has_no_trends() -> None:
    history = EngineHistory()
    assert history.trends("a") == Trends()
    history.add(0.0, [at_work(1)])
    assert history.trends("b") == Trends()
    assert Trends().span_s == 0.0


def test_a_past_moment_has_what_was_known_then() -> None:
    history = EngineHistory()
    for t in (0.0, 4.0, 8.0):
        history.add(t, [at_work(int(t))])
    assert history.trends("a", 7.9) == Trends((None,) * 2, (0.0, 4.0), (None,) * 2, 4.0)
    assert history.trends("a", 8.0) == history.trends("a")
    assert history.trends("a", -1.0) == Trends()
