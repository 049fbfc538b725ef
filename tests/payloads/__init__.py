"""Answers captured from real servers; see README.md."""

import os
from collections.abc import Sequence

_HERE = os.path.dirname(__file__)

ENGINES = tuple(sorted(name for name in os.listdir(_HERE)
                       if os.path.isfile(os.path.join(_HERE, name, "expected.py"))))  # fmt: skip
"""Every engine of which answers were captured; its folder says what they mean."""


def payload(name: str) -> bytes:
    with open(os.path.join(_HERE, name), "rb") as file:
        return file.read()


def states(engine: str) -> tuple[str, ...]:
    """In which states it was captured: idle, idle-fresh (before its first request), load."""
    folder = os.path.join(_HERE, engine)
    return tuple(sorted(n for n in os.listdir(folder) if n.startswith(("idle", "load"))))


def answers(engine: str, state: str, paths: Sequence[str]) -> dict[str, bytes]:
    """What the server answered to those of these paths that were captured, by path."""
    files = {path: f"{engine}/{state}/{file_of(path)}" for path in paths}
    return {
        path: payload(name)
        for path, name in files.items()
        if os.path.exists(os.path.join(_HERE, name))
    }


def file_of(path: str) -> str:
    """The file of a path: `/v1/models` is v1_models.json; `:8002/metrics` is on another port."""
    name = path[path.index("/") + 1 :].replace("/", "_")
    return f"{name}.txt" if name == "metrics" else f"{name}.json"


PAGES = tuple(
    sorted(
        f"{engine}/{state}/metrics.txt"
        for engine in os.listdir(_HERE)
        if os.path.isdir(os.path.join(_HERE, engine))
        for state in states(engine)
        if os.path.exists(os.path.join(_HERE, engine, state, "metrics.txt"))
    )
)
"""Every captured metrics page."""
