"""The engines' history is bounded by those that are there, however many came and went."""

import tracemalloc

from tokentop.domain.engines.history import EngineHistory
from tokentop.domain.snapshot_engines import Engine

KIB = 1024


def engines(names: range) -> list[Engine]:
    return [Engine(f"vllm@{n}", "vllm", state="online", queued=1) for n in names]


def test_names_that_come_and_go_leave() -> None:
    """80 new names a round took 5 kB each until half an hour later."""
    history = EngineHistory()
    tracemalloc.start()
    try:
        for turn in range(150):
            history.add(float(turn), engines(range(80 * turn, 80 * turn + 80)))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 2048 * KIB
    assert history.trends(f"vllm@{80 * 149}").queued[-1] == 1
    assert history.trends("vllm@0").queued == ()


def test_one_that_comes_back_soon_has_its_history() -> None:
    """It missed a round, no more."""
    history = EngineHistory()
    for turn, names in enumerate((range(3), range(2), range(3))):
        history.add(float(turn), engines(names))
    assert history.trends("vllm@2").queued == (1, None, 1)
