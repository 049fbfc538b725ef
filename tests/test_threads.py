"""Threads that nobody waits for."""

import sys
from collections.abc import Callable
from queue import Queue
from typing import Any

import pytest

from tokentop.threads import spawn

LIMIT_S = 10.0


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> "Queue[BaseException | None]":
    """What the interpreter would print of a thread that ended with an error."""
    printed: Queue[BaseException | None] = Queue()
    hook: Callable[[Any], None] = lambda unraisable: printed.put(unraisable.exc_value)  # noqa: E731
    monkeypatch.setattr(sys, "unraisablehook", hook)
    return printed


def test_runs_beside() -> None:
    asked, answered = Queue[int](), Queue[int]()
    spawn(lambda: answered.put(asked.get(timeout=LIMIT_S) + 1))  # whoever waited here would wait
    asked.put(41)
    assert answered.get(timeout=LIMIT_S) == 42


def test_exhaustion_is_silent(complaints: "Queue[BaseException | None]") -> None:
    """A traceback would stand in the middle of the screen; a fault of ours is told."""

    def fail(error: Exception) -> None:
        raise error

    bug = ValueError("a bug")
    for error in (MemoryError(), OSError(24, "too many"), RuntimeError("can't allocate lock"), bug):
        ended = Queue[None]()

        def work(error: Exception = error, ended: "Queue[None]" = ended) -> None:
            ended.put(None)
            fail(error)

        spawn(work)
        ended.get(timeout=LIMIT_S)
    assert complaints.get(timeout=LIMIT_S) is bug
    assert complaints.empty()
